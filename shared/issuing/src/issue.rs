//! Issuing: the usage key, then the record.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::deadline::{LIMIT, by};
use crate::failure::Failure;
use crate::issued::Issued;
use crate::issuing::Issuing;
use crate::order::Order;
use crate::usage_keys::{UsageKeys, value_of};
use crate::usage_plans::UsagePlan;
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_key_record::{KeyRecord, Status, now};

/// How much of an operation's time undoing may take.
const UNDO_LIMIT: Duration = Duration::from_millis(1500);

/// Why no key was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A service did not do its part. What was done has been undone, or is left to the sweep.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The order names a usage plan that is not configured.
    #[error("there is no usage plan {0}")]
    NoSuchPlan(String),
    /// The random id is another key's: one in 10^21.
    #[error("the new key's id is taken: ask again")]
    IdTaken,
}

impl From<RandomnessUnavailable> for IssueError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Failed(error.into())
    }
}

impl Issuing {
    /// Issues a key.
    ///
    /// # Errors
    /// When there is no such plan, or a service does not do its part.
    pub async fn issue(&self, order: &Order) -> Result<Issued, IssueError> {
        let deadline = Instant::now() + LIMIT - UNDO_LIMIT;
        let metering = self.metering(order)?;
        let key = ApiKey::generate()?;
        let record = record_of(order, &key, metering.map(|(_, plan)| plan));
        if let Some((usage_keys, plan)) = metering {
            let plan_id = by(deadline, usage_keys.plan_id(&plan.target)).await?;
            let metered = by(deadline, usage_keys.ensure(&record.id, &plan_id)).await;
            if let Err(failure) = metered {
                self.undo(&record, false).await;
                return Err(failure.into());
            }
        }
        match by(deadline, self.store.create(&record)).await {
            Ok(true) => Ok(Issued { record, key }),
            // The usage key of this id is the other key's.
            Ok(false) => Err(IssueError::IdTaken),
            Err(failure) => {
                self.undo(&record, !failure.is_refused_by_table()).await;
                Err(failure.into())
            }
        }
    }

    /// The plan that meters a new key, with where its usage key is made.
    fn metering(&self, order: &Order) -> Result<Option<(&UsageKeys, &UsagePlan)>, IssueError> {
        let wanted = order.usage_plan.as_deref();
        let found = self.usage_keys.as_ref().and_then(|usage_keys| {
            let plan = usage_keys.plans().find(wanted)?;
            Some((usage_keys, plan))
        });
        match wanted {
            Some(wanted) if found.is_none() => Err(IssueError::NoSuchPlan(wanted.to_owned())),
            _ => Ok(found),
        }
    }

    /// Undoes what may have been done for a new key, as well as it can: the sweep finds the rest.
    async fn undo(&self, record: &KeyRecord, may_be_written: bool) {
        let undone = timeout(UNDO_LIMIT, async {
            if may_be_written {
                self.store.withdraw(record).await?;
            }
            // Last, and only when no record can be there: it would lack its usage key.
            if let Some(usage_keys) = &self.usage_keys {
                usage_keys.delete(&record.id).await?;
            }
            Ok::<_, Failure>(())
        });
        let error = match undone.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => Failure::TimedOut,
        };
        tracing::warn!(key_id = %record.id, %error, "a key issued half way is left to the sweep");
    }
}

fn record_of(order: &Order, key: &ApiKey, plan: Option<&UsagePlan>) -> KeyRecord {
    KeyRecord {
        id: key.id().clone(),
        secret: key.secret_hash(),
        previous: None,
        owner: order.owner.clone(),
        name: order.name.clone(),
        scopes: order.scopes.clone(),
        status: Status::Active,
        created_at: now(),
        expires_at: order.expires_at,
        usage_key: plan.map(|_| value_of(key.id())),
        usage_plan: plan.map(|plan| plan.name.clone()),
        allowed_cidrs: order.networks.to_texts(),
    }
}
