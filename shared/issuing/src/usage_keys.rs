//! Usage keys at API Gateway: one for each issued key, which meters that key alone ("Usage plans
//! and API keys for REST APIs", API Gateway guide).
//!
//! API Gateway calls them API keys. They are no credentials here: the authorizer names one in its
//! answer (`usageIdentifierKey`), and with the key source `AUTHORIZER` no client can present one.

use std::collections::BTreeMap;

use aws_sdk_apigateway::primitives::DateTime;
use aws_sdk_apigateway::types::{ApiKey, UsagePlan};
use aws_sdk_apigateway::{Client, Error};
use tokio::sync::Mutex;

use crate::apigateway::ApiGatewayError;
use crate::pages;
use crate::usage_plans::UsagePlans;
use keygate_api_key::ApiKeyId;

/// How many entries a page of a list has, the most that API Gateway gives.
const PAGE: i32 = 500;

/// The `usageIdentifierKey` of a key: 26 characters, where API Gateway asks for 20 to 128. Values
/// are unique in an account and region.
pub(crate) fn value_of(id: &ApiKeyId) -> String {
    format!("keygate-usage-{id}")
}

/// A stage of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The REST API's id.
    pub api_id: String,
    /// The stage's name.
    pub name: String,
}

/// What became of a stage's cached answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// They are gone.
    Done,
    /// Nobody said which stage, or API Gateway is not configured: they last until their time is
    /// over.
    NotAsked,
    /// API Gateway has no such stage: the call came around it, or an emulator knows no flush.
    NoSuchStage,
}

/// A usage key that carries the name of a key of this table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// API Gateway's own id of it.
    pub(crate) key_id: String,
    /// The key that it meters.
    pub(crate) id: ApiKeyId,
    /// Epoch seconds.
    pub(crate) created_at: u64,
}

/// The usage keys of one key table.
#[derive(Debug)]
pub(crate) struct UsageKeys {
    client: Client,
    plans: UsagePlans,
    table: String,
    /// API Gateway's ids of usage plans, by what the configuration calls them.
    known_plans: Mutex<BTreeMap<String, String>>,
}

impl UsageKeys {
    pub(crate) fn new(client: Client, plans: UsagePlans, table: String) -> Self {
        Self {
            client,
            plans,
            table,
            known_plans: Mutex::default(),
        }
    }

    pub(crate) fn plans(&self) -> &UsagePlans {
        &self.plans
    }

    /// The name of a key's usage key, which no other table's begins with.
    fn name_of(&self, id: &ApiKeyId) -> String {
        format!("{}.{id}", self.table)
    }

    /// API Gateway's id of a plan. The template cannot tell the function, as that would be a
    /// circle (plan, API, function), so each is looked up once.
    pub(crate) async fn plan_id(&self, target: &str) -> Result<String, ApiGatewayError> {
        let mut known = self.known_plans.lock().await;
        if let Some(id) = known.get(target) {
            return Ok(id.clone());
        }
        let plans = self.listed_plans(None).await?;
        let mut ids = plans
            .iter()
            .filter(|plan| is_called(plan, target))
            .filter_map(UsagePlan::id);
        match (ids.next(), ids.next()) {
            (Some(id), None) => {
                known.insert(target.to_owned(), id.to_owned());
                Ok(id.to_owned())
            }
            (found, _) => {
                let many = if found.is_some() { "several" } else { "no" };
                Err(ApiGatewayError::Refused(format!(
                    "there are {many} usage plans with the id or name {target}"
                )))
            }
        }
    }

    /// Usage plans at API Gateway; of one usage key, if one is given.
    async fn listed_plans(&self, key_id: Option<&str>) -> Result<Vec<UsagePlan>, ApiGatewayError> {
        let pages = self
            .client
            .get_usage_plans()
            .set_key_id(key_id.map(ToOwned::to_owned))
            .into_paginator()
            .page_size(PAGE)
            .send();
        Ok(pages::entries(pages, |page| page.items).await?)
    }

    /// The first stage that a configured plan covers.
    pub(crate) async fn stage(&self) -> Result<Option<Stage>, ApiGatewayError> {
        let plans = self.listed_plans(None).await?;
        let configured = |plan: &&UsagePlan| {
            let mut own = self.plans.iter();
            own.any(|own| is_called(plan, &own.target))
        };
        let stages = plans.iter().filter(configured);
        let mut stages = stages.flat_map(UsagePlan::api_stages);
        Ok(stages.find_map(|stage| {
            Some(Stage {
                api_id: stage.api_id()?.to_owned(),
                name: stage.stage()?.to_owned(),
            })
        }))
    }

    /// Sees to it that a key's usage key is there and on the plan of this id.
    pub(crate) async fn ensure(&self, id: &ApiKeyId, plan_id: &str) -> Result<(), ApiGatewayError> {
        let created = self
            .client
            .create_api_key()
            .name(self.name_of(id))
            .description("Meters one API key of Keygate, which deletes it with the key.")
            .value(value_of(id))
            .enabled(true)
            .send()
            .await;
        let key_id = match created.map_err(Error::from) {
            Ok(key) => key.id,
            // It is there already: the SDK's second try, after the first one's answer was lost,
            // meets the first one's work.
            Err(Error::ConflictException(_)) => self.find(id).await?.into_iter().next(),
            Err(error) => return Err(ApiGatewayError::of(error)),
        };
        match key_id {
            Some(key_id) => self.put_on(&key_id, plan_id).await,
            // A list can lag behind a change, and a conflict be one of two changes at once.
            None => Err(ApiGatewayError::Unavailable(format!(
                "the usage key {} is said to be there, and is not listed",
                self.name_of(id)
            ))),
        }
    }

    /// Puts a usage key on a plan, if it is not there already.
    async fn put_on(&self, key_id: &str, plan_id: &str) -> Result<(), ApiGatewayError> {
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
                self.known_plans.lock().await.clear();
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

    /// Deletes a key's usage key, if there is one.
    pub(crate) async fn delete(&self, id: &ApiKeyId) -> Result<(), ApiGatewayError> {
        for key_id in self.find(id).await? {
            self.delete_by_id(&key_id).await?;
        }
        Ok(())
    }

    pub(crate) async fn delete_by_id(&self, key_id: &str) -> Result<(), ApiGatewayError> {
        let deleted = self.client.delete_api_key().api_key(key_id).send().await;
        match deleted.map_err(Error::from) {
            Ok(_) | Err(Error::NotFoundException(_)) => Ok(()),
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }

    /// API Gateway's ids of a key's usage key. The name is a prefix to look for, so others may
    /// come with it.
    async fn find(&self, id: &ApiKeyId) -> Result<Vec<String>, ApiGatewayError> {
        let found = self.listed(&self.name_of(id)).await?;
        let found = found.into_iter().filter(|found| found.id == *id);
        Ok(found.map(|found| found.key_id).collect())
    }

    /// The usage keys of every key of this table.
    pub(crate) async fn all(&self) -> Result<Vec<Found>, ApiGatewayError> {
        self.listed(&format!("{}.", self.table)).await
    }

    /// Usage keys whose name begins so. One that Keygate did not make, by name or by value, is
    /// left out.
    async fn listed(&self, beginning: &str) -> Result<Vec<Found>, ApiGatewayError> {
        let pages = self
            .client
            .get_api_keys()
            .name_query(beginning)
            .include_values(true)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let keys = pages::entries(pages, |page| page.items).await?;
        Ok(keys.iter().filter_map(|key| self.found(key)).collect())
    }

    fn found(&self, key: &ApiKey) -> Option<Found> {
        let (table, id) = key.name()?.rsplit_once('.')?;
        let id: ApiKeyId = id.parse().ok()?;
        let is_ours = table == self.table && key.value()? == value_of(&id);
        let created = key.created_date().map_or(0, DateTime::secs);
        is_ours.then_some(Found {
            key_id: key.id()?.to_owned(),
            id,
            created_at: u64::try_from(created).unwrap_or_default(),
        })
    }

    /// API Gateway's ids of the usage keys on the plan of this id.
    pub(crate) async fn on_plan(&self, plan_id: &str) -> Result<Vec<String>, ApiGatewayError> {
        let pages = self
            .client
            .get_usage_plan_keys()
            .usage_plan_id(plan_id)
            .into_paginator()
            .page_size(PAGE)
            .send();
        let members = pages::entries(pages, |page| page.items).await?;
        Ok(members.into_iter().filter_map(|key| key.id).collect())
    }

    /// Empties a stage's cache of authorizer answers.
    pub(crate) async fn flush(&self, stage: &Stage) -> Result<Flush, ApiGatewayError> {
        let flushed = self
            .client
            .flush_stage_authorizers_cache()
            .rest_api_id(&stage.api_id)
            .stage_name(&stage.name)
            .send()
            .await;
        match flushed.map_err(Error::from) {
            Ok(_) => Ok(Flush::Done),
            Err(Error::NotFoundException(_)) => Ok(Flush::NoSuchStage),
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }
}

/// Whether a usage plan has this id or name.
fn is_called(plan: &UsagePlan, target: &str) -> bool {
    plan.id() == Some(target) || plan.name() == Some(target)
}
