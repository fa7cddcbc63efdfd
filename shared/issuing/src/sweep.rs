//! The sweep: what was left half done is found and finished.
//!
//! It compares the usage keys of the table with its records. Each difference is looked at once
//! more just before it is acted on, since keys are issued and revoked meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::usage_keys::{Found, UsageKeys, has_own};
use super::{Failure, Issuing};
use crate::apigateway::ApiGatewayError;
use keygate_api_key::ApiKeyId;
use keygate_key_record::{KeyRecord, Status, now};

/// How old a usage key must be before it counts as left over, in seconds: 15 minutes. One without
/// a record may belong to a key that is being issued, or to a request that is sent again.
const SETTLED_AFTER: u64 = 15 * 60;

/// What a sweep did, by key.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Keys that have the usage key that they should have.
    pub in_order: usize,
    /// Usage keys that were deleted, because their keys are gone, revoked or expired.
    pub deleted: Vec<String>,
    /// Usage keys that were made again, or put on their plan again.
    pub restored: Vec<String>,
    /// Usage keys without a key, too young to be deleted.
    pub young: Vec<String>,
    /// What could not be done, each with the reason.
    pub failed: Vec<(String, String)>,
}

impl Issuing {
    /// Finishes what was left half done. It never touches a usage key that Keygate did not make
    /// for this table.
    ///
    /// # Errors
    /// When the table or API Gateway cannot be read. What goes wrong with one key is in the result.
    pub async fn sweep(&self) -> Result<Swept, Failure> {
        let mut swept = Swept::default();
        let Some(usage_keys) = &self.usage_keys else {
            return Ok(swept);
        };
        // Usage keys first: one that is listed is either older than its record, or left over.
        let found = usage_keys.all().await?;
        let (records, malformed) = self.store.all().await?;
        for error in malformed {
            swept.failed.push((error.pk.clone(), error.to_string()));
        }
        let records: BTreeMap<&ApiKeyId, &KeyRecord> =
            records.iter().map(|record| (&record.id, record)).collect();
        let now = now();
        let mut metered: BTreeMap<&ApiKeyId, &Found> = BTreeMap::new();
        for usage_key in &found {
            if records
                .get(&usage_key.id)
                .is_some_and(|record| needs_usage_key(record, now))
            {
                metered.insert(&usage_key.id, usage_key);
            } else if now.saturating_sub(usage_key.created_at) < SETTLED_AFTER {
                swept.young.push(usage_key.id.to_string());
            } else {
                let outcome = self.delete_left_over(usage_keys, usage_key, now).await;
                swept.note(&usage_key.id, outcome, |swept| &mut swept.deleted);
            }
        }
        let members = self.members(usage_keys, &mut swept).await?;
        for record in records
            .values()
            .filter(|record| needs_usage_key(record, now))
        {
            let usage_key = metered.get(&record.id).copied();
            let plan = record.usage_plan.as_deref();
            let on_plan = usage_key.is_some_and(|usage_key| {
                let members = plan.and_then(|plan| members.get(plan));
                members.is_some_and(|members| members.contains(&usage_key.key_id))
            });
            if on_plan {
                swept.in_order += 1;
            } else {
                let outcome = self.restore(usage_keys, record, usage_key, now).await;
                swept.note(&record.id, outcome, |swept| &mut swept.restored);
            }
        }
        Ok(swept)
    }

    /// The usage keys on each configured plan.
    async fn members(
        &self,
        usage_keys: &UsageKeys,
        swept: &mut Swept,
    ) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        let mut members = BTreeMap::new();
        for plan in usage_keys.plans().iter() {
            match usage_keys.plan_id(&plan.target).await {
                Ok(plan_id) => {
                    let on_plan = usage_keys.on_plan(&plan_id).await?;
                    members.insert(plan.name.clone(), on_plan.into_iter().collect());
                }
                Err(error @ ApiGatewayError::Unavailable(_)) => return Err(error.into()),
                Err(error) => swept.failed.push((plan.name.clone(), error.to_string())),
            }
        }
        Ok(members)
    }

    async fn delete_left_over(
        &self,
        usage_keys: &UsageKeys,
        usage_key: &Found,
        now: u64,
    ) -> Result<bool, Failure> {
        let record = self.store.get(None, &usage_key.id).await?;
        if record.is_some_and(|record| needs_usage_key(&record, now)) {
            return Ok(false);
        }
        usage_keys.delete_by_id(&usage_key.key_id).await?;
        Ok(true)
    }

    /// Makes a key's usage key again, or puts it on its plan again.
    async fn restore(
        &self,
        usage_keys: &UsageKeys,
        record: &KeyRecord,
        usage_key: Option<&Found>,
        now: u64,
    ) -> Result<bool, Failure> {
        let plan = record
            .usage_plan
            .as_deref()
            .and_then(|name| usage_keys.plans().find(Some(name)));
        let Some(plan) = plan else {
            let name = record.usage_plan.as_deref().unwrap_or("(none)");
            let reason = format!("its usage plan {name} is not configured");
            return Err(ApiGatewayError::Refused(reason).into());
        };
        let record = self.store.get(None, &record.id).await?;
        let Some(record) = record.filter(|record| needs_usage_key(record, now)) else {
            return Ok(false);
        };
        let plan_id = usage_keys.plan_id(&plan.target).await?;
        match usage_key {
            Some(usage_key) => usage_keys.put_on(&usage_key.key_id, &plan_id).await?,
            None => {
                usage_keys.ensure(&record.id, &plan_id).await?;
            }
        }
        Ok(true)
    }
}

impl Swept {
    /// Whether everything that was found could be done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }

    fn note(
        &mut self,
        id: &ApiKeyId,
        outcome: Result<bool, Failure>,
        list: impl FnOnce(&mut Self) -> &mut Vec<String>,
    ) {
        match outcome {
            Ok(true) => list(self).push(id.to_string()),
            // It was put in order meanwhile.
            Ok(false) => {}
            Err(error) => self.failed.push((id.to_string(), error.to_string())),
        }
    }
}

/// Whether a key is in use and metered by a usage key of its own.
fn needs_usage_key(record: &KeyRecord, now: u64) -> bool {
    record.status == Status::Active && !record.is_expired(now) && has_own(record)
}
