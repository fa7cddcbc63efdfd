//! Usage keys at API Gateway: one for each issued key and each registered client, which meters that
//! one alone ("Usage plans and API keys for REST APIs", API Gateway guide).
//!
//! API Gateway calls them API keys. They are no credentials here: the authorizer names one in its
//! answer (`usageIdentifierKey`), and with the key source `AUTHORIZER` no client can present one.
//!
//! Each carries the name of its stack in a tag, by which a deployment's role may delete its own and
//! no other. It is found by API Gateway's id of it, which the record of what it meters has: nothing
//! here depends on the name of a table, and only the [sweep](crate::Issuing::sweep) lists.

use aws_sdk_apigateway::Error;
use aws_sdk_apigateway::primitives::DateTime;
use aws_sdk_apigateway::types::ApiKey as Listed;

use crate::apigateway::ApiGatewayError;
use crate::failure::Failure;
use crate::metering::{Metering, PAGE};
use crate::pages;
use crate::usage_key::{UsageKey, value_of};
use keygate_api_key::ApiKey;

/// How many bytes of a usage key's name are kept, as a client's id may be longer than a name should be.
const MAX_NAME_BYTES: usize = 512;

/// The tag that says which stack's a usage key is.
const STACK_TAG: &str = "keygate:stack";

/// Which stack a usage key is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tag {
    /// This one.
    Own,
    /// Another.
    Other(String),
    /// None: it was made before there were tags, or by somebody else.
    None,
}

/// A usage key in a list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The key.
    pub(crate) usage_key: UsageKey,
    /// What people read.
    pub(crate) name: String,
    /// Whose it is, by its tag.
    pub(crate) tag: Tag,
    /// Epoch seconds.
    pub(crate) created_at: u64,
}

impl Metering {
    /// Makes a usage key that meters `holder`, of this value unless there is one.
    pub(crate) async fn create(&self, holder: &str, value: String) -> Result<UsageKey, Failure> {
        if let Some(usage_key) = self.try_create(holder, value).await? {
            return Ok(usage_key);
        }
        // The SDK's second try, after the first one's answer was lost, met the first one's work. To
        // learn its id takes a list of the account's keys, values included, which is the operator's
        // alone: another is made, and that one left to the sweep.
        tracing::warn!(
            holder,
            "a usage key whose id is unknown is left to the sweep"
        );
        let another = value_of(ApiKey::generate()?.id());
        let usage_key = self.try_create(holder, another).await?;
        let taken = || ApiGatewayError::Unavailable("the usage key is said to be there".to_owned());
        Ok(usage_key.ok_or_else(taken)?)
    }

    /// Makes a usage key of this value; `None` when there is one.
    pub(crate) async fn try_create(
        &self,
        holder: &str,
        value: String,
    ) -> Result<Option<UsageKey>, ApiGatewayError> {
        let created = self
            .client
            .create_api_key()
            .name(self.name_of(holder))
            .description("Meters one client of Keygate, which deletes it with the client.")
            .value(&value)
            .enabled(true)
            .tags(STACK_TAG, self.stack())
            .send()
            .await;
        match created.map_err(Error::from) {
            Ok(created) => match created.id {
                Some(id) => Ok(Some(UsageKey { id, value })),
                None => Err(ApiGatewayError::Refused(
                    "the usage key that it made has no id".to_owned(),
                )),
            },
            Err(Error::ConflictException(_)) => Ok(None),
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }

    /// Puts a usage key on a plan, if it is not there already.
    pub(crate) async fn put_on(&self, key_id: &str, plan_id: &str) -> Result<(), ApiGatewayError> {
        let put = self
            .client
            .create_usage_plan_key()
            .usage_plan_id(plan_id)
            .key_id(key_id)
            .key_type("API_KEY")
            .send()
            .await;
        match put.map_err(Error::from) {
            Ok(_) => Ok(()),
            Err(error @ Error::NotFoundException(_)) => {
                // A deployment has made the plan anew: look it up again next time.
                self.forget_plans().await;
                Err(ApiGatewayError::Unavailable(keygate_aws::words(&error)))
            }
            // It is there already, or on another plan, or two changes came at once.
            Err(error @ Error::ConflictException(_)) => {
                let plans = self.listed_plans(Some(key_id)).await?;
                if plans.iter().any(|plan| plan.id() == Some(plan_id)) {
                    return Ok(());
                }
                Err(ApiGatewayError::of(error))
            }
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }

    /// Deletes a usage key, if it is there.
    pub(crate) async fn delete(&self, key_id: &str) -> Result<(), ApiGatewayError> {
        let deleted = self.client.delete_api_key().api_key(key_id).send().await;
        match deleted.map_err(Error::from) {
            Ok(_) | Err(Error::NotFoundException(_)) => Ok(()),
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }

    /// Puts this stack's tag on a usage key that has none, or another's.
    pub(crate) async fn tag(&self, key_id: &str) -> Result<(), ApiGatewayError> {
        let region = self.client.config().region();
        let region = region.map_or("", AsRef::as_ref);
        let tagged = self
            .client
            .tag_resource()
            .resource_arn(arn_of(key_id, region))
            .tags(STACK_TAG, self.stack())
            .send()
            .await;
        tagged.map(drop).map_err(ApiGatewayError::of)
    }

    /// Every usage key of the account and region, whoever made it.
    pub(crate) async fn all(&self) -> Result<Vec<Found>, ApiGatewayError> {
        let pages = self
            .client
            .get_api_keys()
            .include_values(true)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let keys = pages::entries(pages, |page| page.items).await?;
        let found = keys.into_iter().filter_map(|key| self.found(key));
        Ok(found.collect())
    }

    fn found(&self, key: Listed) -> Option<Found> {
        let created_at = key.created_date().map_or(0, DateTime::secs);
        let stack = key.tags().and_then(|tags| tags.get(STACK_TAG));
        let tag = match stack {
            Some(stack) if stack == self.stack() => Tag::Own,
            Some(stack) => Tag::Other(stack.clone()),
            None => Tag::None,
        };
        let (id, value) = (key.id?, key.value?);
        Some(Found {
            usage_key: UsageKey { id, value },
            name: key.name.unwrap_or_default(),
            tag,
            created_at: u64::try_from(created_at).unwrap_or_default(),
        })
    }

    /// What people read as a usage key's name.
    fn name_of(&self, holder: &str) -> String {
        let mut name = format!("{}.{holder}", self.stack());
        name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
        name
    }
}

/// A usage key's ARN, which has no account.
fn arn_of(key_id: &str, region: &str) -> String {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
    ];
    let found = partitions
        .into_iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    let partition = found.map_or("aws", |(_, partition)| partition);
    format!("arn:{partition}:apigateway:{region}::/apikeys/{key_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_of_the_partition_of_its_region() {
        for (region, beginning) in [
            ("eu-west-1", "arn:aws:apigateway:eu-west-1::"),
            ("cn-north-1", "arn:aws-cn:apigateway:cn-north-1::"),
            ("us-gov-west-1", "arn:aws-us-gov:apigateway:us-gov-west-1::"),
            (
                "us-isob-east-1",
                "arn:aws-iso-b:apigateway:us-isob-east-1::",
            ),
        ] {
            let expected = format!("{beginning}/apikeys/a1b2c3d4e5");
            assert_eq!(arn_of("a1b2c3d4e5", region), expected);
        }
    }
}
