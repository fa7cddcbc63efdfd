//! Usage keys at API Gateway: one for each issued key, which meters that key alone ("Usage plans
//! and API keys for REST APIs", API Gateway guide).
//!
//! API Gateway calls them API keys. They are no credentials here: the authorizer names one in its
//! answer (`usageIdentifierKey`), and with the key source `AUTHORIZER` no client can present one.

use std::collections::BTreeMap;

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::error::SdkError;
use aws_sdk_apigateway::primitives::DateTime;
use aws_sdk_apigateway::types::UsagePlan;
use tokio::sync::Mutex;

use super::usage_plans::UsagePlans;
use crate::apigateway::ApiGatewayError;
use keygate_api_key::ApiKeyId;
use keygate_key_record::KeyRecord;

/// How many entries a page of a list has, the most that API Gateway gives.
const PAGE: i32 = 500;

/// The `usageIdentifierKey` of a key: 26 characters, where API Gateway asks for 20 to 128. Values
/// are unique in an account and region.
#[must_use]
pub fn value_of(id: &ApiKeyId) -> String {
    format!("keygate-usage-{id}")
}

/// Whether a key is metered by a usage key of its own.
pub(super) fn has_own(record: &KeyRecord) -> bool {
    record.usage_key == Some(value_of(&record.id))
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
pub(super) struct Found {
    /// API Gateway's own id of it.
    pub(super) key_id: String,
    /// The key that it meters.
    pub(super) id: ApiKeyId,
    /// Epoch seconds.
    pub(super) created_at: u64,
}

/// How a usage key came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ensured {
    /// It was made now.
    Made,
    /// It was there already.
    WasThere,
}

/// The usage keys of one key table.
#[derive(Debug)]
pub(super) struct UsageKeys {
    client: Client,
    plans: UsagePlans,
    table: String,
    /// Usage plans at API Gateway, by their id and by their name: the ids that each stands for.
    known_plans: Mutex<BTreeMap<String, Vec<String>>>,
}

impl UsageKeys {
    pub(super) fn new(client: Client, plans: UsagePlans, table: String) -> Self {
        Self {
            client,
            plans,
            table,
            known_plans: Mutex::default(),
        }
    }

    pub(super) fn plans(&self) -> &UsagePlans {
        &self.plans
    }

    /// The name of a key's usage key, which no other table's begins with.
    fn name_of(&self, id: &ApiKeyId) -> String {
        format!("{}.{id}", self.table)
    }

    /// API Gateway's id of a plan. The template cannot tell the function, as that would be a
    /// circle (plan, API, function), so names are looked up once.
    pub(super) async fn plan_id(&self, target: &str) -> Result<String, ApiGatewayError> {
        let mut known = self.known_plans.lock().await;
        if !known.contains_key(target) {
            *known = self.all_plans(None).await?;
        }
        match known.get(target).map(Vec::as_slice) {
            Some([id]) => Ok(id.clone()),
            found => {
                let many = if found.is_some() { "several" } else { "no" };
                Err(ApiGatewayError::Refused(format!(
                    "there are {many} usage plans with the id or name {target}"
                )))
            }
        }
    }

    /// Usage plans, or those that one usage key is on, by id and by name.
    async fn all_plans(
        &self,
        key_id: Option<&str>,
    ) -> Result<BTreeMap<String, Vec<String>>, ApiGatewayError> {
        let mut plans: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut position = None;
        loop {
            let page = self
                .client
                .get_usage_plans()
                .limit(PAGE)
                .set_key_id(key_id.map(ToOwned::to_owned))
                .set_position(position)
                .send()
                .await
                .map_err(ApiGatewayError::of)?;
            for plan in page.items() {
                let Some(id) = plan.id() else { continue };
                for name in [Some(id), plan.name()].into_iter().flatten() {
                    plans
                        .entry(name.to_owned())
                        .or_default()
                        .push(id.to_owned());
                }
            }
            position = page.position;
            if position.is_none() {
                return Ok(plans);
            }
        }
    }

    /// The first stage that a configured plan covers.
    pub(super) async fn stage(&self) -> Result<Option<Stage>, ApiGatewayError> {
        let page = self.client.get_usage_plans().limit(PAGE).send().await;
        let page = page.map_err(ApiGatewayError::of)?;
        let configured = |name: Option<&str>| {
            let mut plans = self.plans.iter();
            name.is_some_and(|name| plans.any(|plan| plan.target == name))
        };
        let stages = page
            .items()
            .iter()
            .filter(|plan| configured(plan.id()) || configured(plan.name()))
            .flat_map(UsagePlan::api_stages);
        let mut stages = stages.filter_map(|stage| {
            Some(Stage {
                api_id: stage.api_id()?.to_owned(),
                name: stage.stage()?.to_owned(),
            })
        });
        Ok(stages.next())
    }

    /// Sees to it that a key's usage key is there and on the plan of this id: made now, or by the
    /// same request before, whose answer was lost.
    pub(super) async fn ensure(
        &self,
        id: &ApiKeyId,
        plan_id: &str,
    ) -> Result<Ensured, ApiGatewayError> {
        let created = self
            .client
            .create_api_key()
            .name(self.name_of(id))
            .description("Meters one API key of Keygate, which deletes it with the key.")
            .value(value_of(id))
            .enabled(true)
            .send()
            .await;
        let (key_id, ensured) = match created {
            Ok(key) => (key.id, Ensured::Made),
            Err(SdkError::ServiceError(error)) if error.err().is_conflict_exception() => {
                let found = self.find(id).await?.into_iter().next();
                (found, Ensured::WasThere)
            }
            Err(error) => return Err(ApiGatewayError::of(error)),
        };
        match key_id {
            Some(key_id) => self.put_on(&key_id, plan_id).await.map(|()| ensured),
            // A list can lag behind a change, and a conflict be one of two changes at once.
            None => Err(ApiGatewayError::Unavailable(format!(
                "the usage key {} is said to be there, and is not listed",
                self.name_of(id)
            ))),
        }
    }

    /// Puts a usage key on a plan, if it is not there already.
    pub(super) async fn put_on(&self, key_id: &str, plan_id: &str) -> Result<(), ApiGatewayError> {
        let put = self
            .client
            .create_usage_plan_key()
            .usage_plan_id(plan_id)
            .key_id(key_id)
            .key_type("API_KEY")
            .send()
            .await;
        let Err(error) = put else { return Ok(()) };
        let SdkError::ServiceError(answer) = &error else {
            return Err(ApiGatewayError::of(error));
        };
        if answer.err().is_not_found_exception() {
            // A deployment has made the plan anew: look it up again next time.
            self.known_plans.lock().await.clear();
            return Err(ApiGatewayError::Unavailable(
                "the usage plan or the usage key is gone".to_owned(),
            ));
        }
        if !answer.err().is_conflict_exception() {
            return Err(ApiGatewayError::of(error));
        }
        // It is there already, or two changes came at once, or it is on another plan.
        let plans = self.all_plans(Some(key_id)).await?;
        match (plans.contains_key(plan_id), plans.is_empty()) {
            (true, _) => Ok(()),
            (false, true) => Err(ApiGatewayError::Unavailable(
                "the usage plan is being changed".to_owned(),
            )),
            (false, false) => Err(ApiGatewayError::of(error)),
        }
    }

    /// Deletes a key's usage key, if there is one.
    pub(super) async fn delete(&self, id: &ApiKeyId) -> Result<(), ApiGatewayError> {
        for key_id in self.find(id).await? {
            self.delete_by_id(&key_id).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_by_id(&self, key_id: &str) -> Result<(), ApiGatewayError> {
        let deleted = self.client.delete_api_key().api_key(key_id).send().await;
        match deleted {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => Ok(()),
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
    pub(super) async fn all(&self) -> Result<Vec<Found>, ApiGatewayError> {
        self.listed(&format!("{}.", self.table)).await
    }

    /// Usage keys whose name begins so. One that Keygate did not make, by name or by value, is
    /// left out.
    async fn listed(&self, beginning: &str) -> Result<Vec<Found>, ApiGatewayError> {
        let mut found = Vec::new();
        let mut position = None;
        loop {
            let page = self
                .client
                .get_api_keys()
                .name_query(beginning)
                .include_values(true)
                .limit(PAGE)
                .set_position(position)
                .send()
                .await
                .map_err(ApiGatewayError::of)?;
            let keys = page.items().iter().filter_map(|key| {
                let (table, id) = key.name()?.rsplit_once('.')?;
                let id: ApiKeyId = id.parse().ok()?;
                let ours = table == self.table && key.value()? == value_of(&id);
                ours.then_some(())?;
                let created = key.created_date().map_or(0, DateTime::secs);
                Some(Found {
                    key_id: key.id()?.to_owned(),
                    id,
                    created_at: u64::try_from(created).unwrap_or_default(),
                })
            });
            found.extend(keys);
            position = page.position;
            if position.is_none() {
                return Ok(found);
            }
        }
    }

    /// API Gateway's ids of the usage keys on the plan of this id.
    pub(super) async fn on_plan(&self, plan_id: &str) -> Result<Vec<String>, ApiGatewayError> {
        let mut members = Vec::new();
        let mut position = None;
        loop {
            let page = self
                .client
                .get_usage_plan_keys()
                .usage_plan_id(plan_id)
                .limit(PAGE)
                .set_position(position)
                .send()
                .await
                .map_err(ApiGatewayError::of)?;
            members.extend(page.items().iter().filter_map(|key| key.id.clone()));
            position = page.position;
            if position.is_none() {
                return Ok(members);
            }
        }
    }

    /// Empties a stage's cache of authorizer answers.
    pub(super) async fn flush(&self, stage: &Stage) -> Result<Flush, ApiGatewayError> {
        let flushed = self
            .client
            .flush_stage_authorizers_cache()
            .rest_api_id(&stage.api_id)
            .stage_name(&stage.name)
            .send()
            .await;
        match flushed {
            Ok(_) => Ok(Flush::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => {
                Ok(Flush::NoSuchStage)
            }
            Err(error) => Err(ApiGatewayError::of(error)),
        }
    }
}
