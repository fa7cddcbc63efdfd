//! Issuing: the usage key, then the record.

use tokio::time::Instant;

use crate::deadline::{LIMIT, by};
use crate::failure::Failure;
use crate::issued::Issued;
use crate::issuing::Issuing;
use crate::metered::{Chosen, NoSuchPlan, UNDO_LIMIT};
use crate::order::Order;
use crate::usage_key::{UsageKey, value_of};
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_key_record::{KeyRecord, Status, now};

/// Why no key was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A service did not do its part. What was done has been undone, or is left to the sweep.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The order names a usage plan that is not configured.
    #[error(transparent)]
    NoSuchPlan(#[from] NoSuchPlan),
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
        let chosen = self.chosen(order.usage_plan.as_deref())?;
        let key = self.prefix.generate()?;
        let (holder, value) = (key.id().as_str(), value_of(key.id()));
        let usage_key = match chosen {
            Some(chosen) => Some(chosen.usage_key(holder, value, deadline).await?),
            None => None,
        };
        let record = record_of(order, &key, chosen, usage_key.as_ref());
        let written = by(deadline, self.store.create(&record)).await;
        let may_be_written = match &written {
            Ok(true) => return Ok(Issued { record, key }),
            Ok(false) => false,
            Err(failure) => !failure.is_refused_by_table(),
        };
        let withdrawn = async {
            if may_be_written {
                return self.store.withdraw(&record).await;
            }
            Ok(())
        };
        self.undo(holder, usage_key.as_ref(), Box::pin(withdrawn))
            .await;
        Err(written.err().map_or(IssueError::IdTaken, Into::into))
    }
}

fn record_of(
    order: &Order,
    key: &ApiKey,
    chosen: Option<Chosen<'_>>,
    usage_key: Option<&UsageKey>,
) -> KeyRecord {
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
        usage_key: usage_key.map(|usage_key| usage_key.value.clone()),
        usage_key_id: usage_key.map(|usage_key| usage_key.id.clone()),
        usage_plan: chosen.map(|chosen| chosen.plan.name.clone()),
        allowed_cidrs: order.networks.to_texts(),
        metadata: order.metadata.clone(),
    }
}
