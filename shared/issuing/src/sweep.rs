//! The sweep: what was left half done is found and finished.
//!
//! It compares the account's usage keys, as far as they carry the stack's tag or a record names them,
//! with the records of the table. Each difference is looked at once more just before it is acted on,
//! since keys are issued and revoked meanwhile.
//!
//! A stack and a table are named side by side, and nothing ties them to each other but the usage keys that
//! both know. So a usage key with another stack's tag is left alone, and a sweep that looks as if it had
//! been given the wrong table does nothing.

use serde::Serialize;
use tokio::time::Instant;

use crate::apigateway::ApiGatewayError;
use crate::deadline::by_any;
use crate::differences::{Differences, Lacking, LeftOver, Members};
use crate::failure::Failure;
use crate::holder::{Holder, Metered};
use crate::issuing::Issuing;
use crate::metering::Metering;
use crate::usage_keys::Tag;
use keygate_key_record::now;

/// What a sweep is to do.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// Look, and change nothing.
    pub is_dry_run: bool,
    /// Delete even where the table looks like the wrong one.
    pub is_forced: bool,
    /// A stack that is gone, whose usage keys are this one's now, as far as records name them.
    pub adopted: Option<String>,
    /// When it must have ended. What is not done by then is named as failed, and is the next sweep's.
    pub deadline: Option<Instant>,
}

/// Why there was no sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The table or API Gateway cannot be read.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// What is to be deleted does not look left over.
    #[error(
        "{deletions} usage keys of the stack {stack} would be deleted, and the table {table} knows {known} \
         of the stack's: is it this stack's table, and no old copy? --dry-run lists them, --force deletes \
         them. Nothing was changed"
    )]
    Unlikely {
        /// The stack's name.
        stack: String,
        /// The table's name.
        table: String,
        /// How many usage keys would be deleted whose holders the table does not know.
        deletions: usize,
        /// How many usage keys meter somebody in use whom the table knows.
        known: usize,
    },
}

impl From<ApiGatewayError> for SweepError {
    fn from(error: ApiGatewayError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a sweep did, or found to do, by holder: a key's id, or `client#` with a client's.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Whether nothing was changed, since that was asked for.
    pub dry_run: bool,
    /// Keys and clients that have the usage key that they should have.
    pub in_order: usize,
    /// Usage keys that were deleted, because their holders are gone, revoked or expired.
    pub deleted: Vec<String>,
    /// Usage keys that were made again, put on their plan again, or named and tagged where they were
    /// not.
    pub restored: Vec<String>,
    /// Usage keys that meter nobody, too young to be deleted, or kept until remembered answers are over.
    pub young: Vec<String>,
    /// What could not be done, each with the reason.
    pub failed: Vec<(String, String)>,
}

impl Issuing {
    /// Finishes what was left half done. It touches only usage keys that carry the stack's tag, or that
    /// a record of the table names and that carry no other's.
    ///
    /// # Errors
    /// When the table or API Gateway cannot be read, or the table looks like the wrong one. What goes
    /// wrong with one key is in the result.
    pub async fn sweep(&self, sweep: &Sweep) -> Result<Swept, SweepError> {
        let mut swept = Swept {
            dry_run: sweep.is_dry_run,
            ..Swept::default()
        };
        let Some(metering) = &self.metering else {
            return Ok(swept);
        };
        // Usage keys first: one that is listed is either older than its record, or left over.
        let deadline = sweep.deadline;
        let found = by_any(deadline, metering.all()).await?;
        let records = by_any(deadline, self.metered_records(&mut swept)).await?;
        let members = by_any(deadline, swept.members(metering)).await?;
        let adopted = sweep.adopted.as_deref();
        let differences = Differences::between(&records, &found, &members, adopted, now());
        if differences.are_unlikely() && !sweep.is_forced && !sweep.is_dry_run {
            return Err(SweepError::Unlikely {
                stack: metering.stack().to_owned(),
                table: self.store.table().to_owned(),
                deletions: differences.unknown(),
                known: differences.known(),
            });
        }
        swept.in_order = differences.in_order;
        let prefix = format!("{}.", metering.stack());
        let young = differences.young.iter();
        swept.young = young.map(|left| left.named(&prefix)).collect();
        for (metered, stack) in &differences.of_others {
            let reason = format!(
                "its usage key carries the tag of the stack {stack}: --adopt-from {stack} takes it over, \
                 if that is gone"
            );
            swept.failed.push((metered.holder.to_string(), reason));
        }
        for left_over in &differences.left_over {
            let name = left_over.named(&prefix);
            let deleted = if sweep.is_dry_run {
                Ok(true)
            } else {
                by_any(deadline, self.delete_left_over(metering, left_over, &name)).await
            };
            swept.note(name, deleted, |swept| &mut swept.deleted);
        }
        for lacking in &differences.lacking {
            let name = lacking.metered.holder.to_string();
            let restored = if sweep.is_dry_run {
                Ok(true)
            } else {
                by_any(deadline, self.restore(metering, lacking)).await
            };
            swept.note(name, restored, |swept| &mut swept.restored);
        }
        Ok(swept)
    }

    /// What the table's records say of usage keys of their own.
    async fn metered_records(&self, swept: &mut Swept) -> Result<Vec<Metered>, Failure> {
        let (keys, malformed_keys) = self.store.all().await?;
        let (clients, malformed_clients) = self.store.all_clients().await?;
        for error in malformed_keys.into_iter().chain(malformed_clients) {
            swept.failed.push((error.pk.clone(), error.to_string()));
        }
        let now = now();
        let keys = keys.iter().filter_map(|key| Metered::of_key(key, now));
        Ok(keys
            .chain(clients.iter().filter_map(Metered::of_client))
            .collect())
    }

    /// What the record of a holder says now.
    async fn metered_now(&self, holder: &Holder) -> Result<Option<Metered>, Failure> {
        Ok(match holder {
            Holder::Key(id) => {
                let record = self.store.get(None, id).await?;
                record.and_then(|record| Metered::of_key(&record, now()))
            }
            Holder::Client(client_id) => {
                let client = self.store.client(client_id).await?;
                client.as_ref().and_then(Metered::of_client)
            }
        })
    }

    async fn delete_left_over(
        &self,
        metering: &Metering,
        left_over: &LeftOver<'_>,
        name: &str,
    ) -> Result<bool, Failure> {
        let usage_key = &left_over.found.usage_key;
        let holder = match left_over.of {
            Some(metered) => Some(metered.holder.clone()),
            None => Holder::named(name),
        };
        if let Some(holder) = holder {
            let metered = self.metered_now(&holder).await?;
            let metered = metered.filter(|metered| metered.is_in_use);
            let is_needed = |metered: &Metered| {
                metered.value == usage_key.value || metered.kept(now()) == Some(&usage_key.id)
            };
            if metered.as_ref().is_some_and(is_needed) {
                return Ok(false);
            }
        }
        metering.delete(&usage_key.id).await?;
        Ok(true)
    }

    /// Makes a holder's usage key again, or puts it on its plan again, and sees to it that it has its
    /// tag and stands in the record.
    async fn restore(&self, metering: &Metering, lacking: &Lacking<'_>) -> Result<bool, Failure> {
        let holder = &lacking.metered.holder;
        let metered = self.metered_now(holder).await?;
        let Some(metered) = metered.filter(|now| now == lacking.metered) else {
            return Ok(false);
        };
        let name = metered.plan.as_deref();
        let Some(plan) = name.and_then(|name| metering.plans().find(Some(name))) else {
            let name = name.unwrap_or("(none)");
            let reason = format!("its usage plan {name} is not configured");
            return Err(ApiGatewayError::Refused(reason).into());
        };
        let plan_id = metering.plan_id(&plan.target).await?;
        let usage_key = if let Some(found) = lacking.found {
            if found.tag != Tag::Own {
                metering.tag(&found.usage_key.id).await?;
            }
            found.usage_key.clone()
        } else {
            let made = metering
                .try_create(&holder.to_string(), metered.value)
                .await?;
            let taken = "its usage key is said to be there, and is not listed".to_owned();
            made.ok_or(ApiGatewayError::Unavailable(taken))?
        };
        metering.put_on(&usage_key.id, &plan_id).await?;
        if metered.usage_key_id.as_ref() == Some(&usage_key.id) {
            return Ok(true);
        }
        let is_named = self.store.name_usage_key(holder.pk(), &usage_key);
        let is_named = is_named.await?;
        if !is_named && lacking.found.is_none() {
            // The holder was shut out meanwhile: what was made for it would meter nobody.
            metering.delete(&usage_key.id).await?;
        }
        Ok(is_named)
    }
}

impl LeftOver<'_> {
    /// What it is called in the result: its holder, as far as that is known.
    fn named(&self, prefix: &str) -> String {
        if let Some(metered) = self.of {
            return metered.holder.to_string();
        }
        let name = self.found.name.as_str();
        name.strip_prefix(prefix).unwrap_or(name).to_owned()
    }
}

impl Swept {
    /// Whether everything that was found could be done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }

    /// The usage keys on each configured plan. A plan that is not there is noted.
    async fn members(&mut self, metering: &Metering) -> Result<Members, Failure> {
        let mut members = Members::new();
        for plan in metering.plans().iter() {
            match metering.plan_id(&plan.target).await {
                Ok(plan_id) => {
                    let on_plan = metering.on_plan(&plan_id).await?;
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
        holder: String,
        outcome: Result<bool, Failure>,
        list: impl FnOnce(&mut Self) -> &mut Vec<String>,
    ) {
        match outcome {
            Ok(true) => list(self).push(holder),
            // It was put in order meanwhile.
            Ok(false) => {}
            Err(error) => self.failed.push((holder, error.to_string())),
        }
    }
}
