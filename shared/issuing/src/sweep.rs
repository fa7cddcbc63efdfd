//! The sweep: what was left half done is found and finished.
//!
//! It compares the usage keys of the table with its records. Each difference is looked at once
//! more just before it is acted on, since keys are issued and revoked meanwhile.

use serde::Serialize;

use crate::apigateway::ApiGatewayError;
use crate::differences::{Differences, Members, needs_usage_key};
use crate::failure::Failure;
use crate::issuing::Issuing;
use crate::usage_keys::{Found, UsageKeys};
use keygate_api_key::ApiKeyId;
use keygate_key_record::now;

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
        let members = swept.members(usage_keys).await?;
        let differences = Differences::between(&records, &found, &members, now());
        swept.in_order = differences.in_order;
        let young = differences.young.iter();
        swept.young = young.map(|usage_key| usage_key.id.to_string()).collect();
        for usage_key in differences.left_over {
            let deleted = self.delete_left_over(usage_keys, usage_key).await;
            swept.note(&usage_key.id, deleted, |swept| &mut swept.deleted);
        }
        for id in differences.lacking {
            let restored = self.restore(usage_keys, id).await;
            swept.note(id, restored, |swept| &mut swept.restored);
        }
        Ok(swept)
    }

    async fn delete_left_over(
        &self,
        usage_keys: &UsageKeys,
        usage_key: &Found,
    ) -> Result<bool, Failure> {
        let record = self.store.get(None, &usage_key.id).await?;
        if record.is_some_and(|record| needs_usage_key(&record, now())) {
            return Ok(false);
        }
        usage_keys.delete_by_id(&usage_key.key_id).await?;
        Ok(true)
    }

    /// Makes a key's usage key again, or puts it on its plan again.
    async fn restore(&self, usage_keys: &UsageKeys, id: &ApiKeyId) -> Result<bool, Failure> {
        let record = self.store.get(None, id).await?;
        let Some(record) = record.filter(|record| needs_usage_key(record, now())) else {
            return Ok(false);
        };
        let name = record.usage_plan.as_deref();
        let Some(plan) = name.and_then(|name| usage_keys.plans().find(Some(name))) else {
            let name = name.unwrap_or("(none)");
            let reason = format!("its usage plan {name} is not configured");
            return Err(ApiGatewayError::Refused(reason).into());
        };
        let plan_id = usage_keys.plan_id(&plan.target).await?;
        usage_keys.ensure(id, &plan_id).await?;
        Ok(true)
    }
}

impl Swept {
    /// Whether everything that was found could be done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }

    /// The usage keys on each configured plan. A plan that is not there is noted.
    async fn members(&mut self, usage_keys: &UsageKeys) -> Result<Members, Failure> {
        let mut members = Members::new();
        for plan in usage_keys.plans().iter() {
            match usage_keys.plan_id(&plan.target).await {
                Ok(plan_id) => {
                    let on_plan = usage_keys.on_plan(&plan_id).await?;
                    members.insert(plan.name.clone(), on_plan.into_iter().collect());
                }
                Err(error @ ApiGatewayError::Unavailable(_)) => return Err(error.into()),
                Err(error) => self.failed.push((plan.name.clone(), error.to_string())),
            }
        }
        Ok(members)
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
