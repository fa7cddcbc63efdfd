//! Issuing: the usage key, then the record.
//!
//! A request under an idempotency key makes one key, however often it is sent: the key's id
//! follows from the request, so the usage key's name and the record are the same each time. The
//! secret cannot be shown again, as it is stored nowhere, so a repeated request gets another one
//! while the one before goes on for the grace period of a rotation: whichever answer arrives has a
//! key that works.

use tokio::time::{Instant, timeout};

use super::order::{Order, Request};
use super::rotate::DEFAULT_GRACE;
use super::store::{StoreError, Stored};
use super::usage_keys::{Ensured, UsageKeys, has_own, value_of};
use super::{Failure, Issued, Issuing, LIMIT, UNDO_LIMIT, by};
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_aws::dynamodb::TableError;
use keygate_idempotency_key::IdempotencyKey;
use keygate_key_record::{KeyRecord, PreviousSecret, Status, now};

/// How long a request is repeated under its idempotency key, in seconds: a day. Later it would
/// take the secret from whoever uses the key by then.
const REPEATED_FOR: u64 = 24 * 60 * 60;
/// How long a repeated request waits for the one before it, in seconds. Two secrets work at a
/// time, so a third answer at once would undo the first, which may be on its way still.
const PAUSE: u64 = 2;

/// Why no key was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A service did not do its part. What was done has been undone, or is left to the same
    /// request sent again, or to the sweep.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The order names a usage plan that is not configured.
    #[error("there is no usage plan {0}")]
    NoSuchPlan(String),
    /// The random id is another key's: one in 10^21.
    #[error("the new key's id is taken: ask again")]
    IdTaken,
    /// The idempotency key came before with another order.
    #[error("this idempotency key came before with another request")]
    OtherOrder,
    /// The same request was answered a moment ago, or is being answered.
    #[error("the same request is being answered: ask again in {seconds} s")]
    UnderWay {
        /// How long to wait.
        seconds: u64,
    },
    /// The key that the request made has been revoked, or has expired.
    #[error("the key of this idempotency key is revoked or expired: use another one")]
    Ended,
    /// The request came a day ago, or its key was rotated since: another secret would take the
    /// key from whoever uses it.
    #[error("the key of this idempotency key is in use: rotate it, or use another one")]
    InUse,
}

impl From<RandomnessUnavailable> for IssueError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Failed(error.into())
    }
}

/// How writing a new key ended.
enum Written {
    Done(Box<Issued>),
    IdTaken,
}

impl Issuing {
    /// Issues a key.
    ///
    /// # Errors
    /// When a service does not do its part, or the idempotency key stands for something else.
    pub async fn issue(
        &self,
        order: &Order,
        once: Option<&IdempotencyKey>,
    ) -> Result<Issued, IssueError> {
        let deadline = Instant::now() + LIMIT - UNDO_LIMIT;
        let Some(once) = once else {
            let key = ApiKey::generate()?;
            return match self.write(order, key, None, deadline).await? {
                Written::Done(issued) => Ok(*issued),
                Written::IdTaken => Err(IssueError::IdTaken),
            };
        };
        let request = Request::new(self.store.table(), order, once);
        if let Some(stored) = by(deadline, self.store.stored(&request.id)).await? {
            return self.repeat(stored, order, &request, deadline).await;
        }
        let key = ApiKey::generate_for(request.id.clone())?;
        match self.write(order, key, Some(&request), deadline).await? {
            Written::Done(issued) => Ok(*issued),
            // The same request at the same time was faster.
            Written::IdTaken => match by(deadline, self.store.stored(&request.id)).await? {
                Some(stored) => self.repeat(stored, order, &request, deadline).await,
                None => Err(IssueError::UnderWay { seconds: PAUSE }),
            },
        }
    }

    async fn write(
        &self,
        order: &Order,
        key: ApiKey,
        request: Option<&Request>,
        deadline: Instant,
    ) -> Result<Written, IssueError> {
        let usage = self.usage_of(order)?;
        let record = KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: order.owner.clone(),
            name: order.name.clone(),
            scopes: order.scopes.clone(),
            status: Status::Active,
            created_at: now(),
            expires_at: order.expires_at,
            usage_key: usage.as_ref().map(|_| value_of(key.id())),
            usage_plan: usage.as_ref().map(|usage| usage.plan.to_owned()),
            allowed_cidrs: order.networks.to_texts(),
        };
        let mut was_there = false;
        if let Some(Usage { keys, target, .. }) = &usage {
            let plan_id = by(deadline, keys.plan_id(target)).await?;
            match by(deadline, keys.ensure(&record.id, &plan_id)).await {
                Ok(ensured) => was_there = ensured == Ensured::WasThere,
                Err(error) => {
                    self.undo(&record, request, false).await;
                    return Err(error.into());
                }
            }
        }
        let fingerprint = request.map(|request| request.fingerprint.as_str());
        match by(deadline, self.store.create(&record, fingerprint)).await {
            Ok(true) => {
                // One that a request before has left may have been swept away in between.
                if was_there {
                    self.meter(&record, deadline).await?;
                }
                Ok(Written::Done(Box::new(Issued { record, key })))
            }
            Ok(false) => {
                self.undo(&record, request, false).await;
                Ok(Written::IdTaken)
            }
            Err(error) => {
                let refused = matches!(
                    error,
                    Failure::Store(StoreError::Table(TableError::Refused(_)))
                );
                self.undo(&record, request, !refused).await;
                Err(error.into())
            }
        }
    }

    /// Sees to it that a key in use has its usage key.
    async fn meter(&self, record: &KeyRecord, deadline: Instant) -> Result<(), Failure> {
        let Some(keys) = self.usage_keys.as_ref().filter(|_| has_own(record)) else {
            return Ok(());
        };
        let plan = record.usage_plan.as_deref();
        let Some(plan) = plan.and_then(|plan| keys.plans().find(Some(plan))) else {
            return Ok(());
        };
        let plan_id = by(deadline, keys.plan_id(&plan.target)).await?;
        by(deadline, keys.ensure(&record.id, &plan_id)).await?;
        Ok(())
    }

    /// The plan that meters a new key, with where usage keys are made.
    fn usage_of<'a>(&'a self, order: &Order) -> Result<Option<Usage<'a>>, IssueError> {
        let wanted = order.usage_plan.as_deref();
        let found = self.usage_keys.as_ref().and_then(|keys| {
            let plan = keys.plans().find(wanted)?;
            Some(Usage {
                keys,
                plan: &plan.name,
                target: &plan.target,
            })
        });
        match wanted {
            Some(wanted) if found.is_none() => Err(IssueError::NoSuchPlan(wanted.to_owned())),
            _ => Ok(found),
        }
    }

    /// Undoes what may have been done for a new key, as well as it can: the sweep finds the rest.
    /// Under an idempotency key nothing is undone, since the same request at the same time may
    /// stand on it, and the same request later goes on from there.
    async fn undo(&self, record: &KeyRecord, request: Option<&Request>, may_be_written: bool) {
        let Some(keys) = self.usage_keys.as_ref().filter(|_| request.is_none()) else {
            return;
        };
        let undone = timeout(UNDO_LIMIT, async {
            if may_be_written {
                self.store.withdraw(record).await?;
            }
            // Last, and only when no record can be there: it would lack its usage key.
            keys.delete(&record.id).await?;
            Ok::<_, Failure>(())
        });
        let error = match undone.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => Failure::TimedOut,
        };
        tracing::warn!(key_id = %record.id, %error, "a key issued half way is left to the sweep");
    }

    /// Answers a request again whose key is there.
    async fn repeat(
        &self,
        stored: Stored,
        order: &Order,
        request: &Request,
        deadline: Instant,
    ) -> Result<Issued, IssueError> {
        let now = now();
        let Stored {
            mut record,
            request: first,
            rotation,
        } = stored;
        if record.owner != order.owner || first.is_none() {
            return Err(IssueError::IdTaken);
        }
        if first.as_ref() != Some(&request.fingerprint) {
            return Err(IssueError::OtherOrder);
        }
        if record.status == Status::Revoked || record.is_expired(now) {
            return Err(IssueError::Ended);
        }
        if now >= record.created_at + REPEATED_FOR || rotation.is_some() {
            return Err(IssueError::InUse);
        }
        let previous = record.previous.as_ref();
        let until = previous.map_or(0, |previous| previous.until);
        if until > now + DEFAULT_GRACE - PAUSE {
            return Err(IssueError::UnderWay { seconds: PAUSE });
        }
        self.meter(&record, deadline).await?;
        let key = ApiKey::generate_for(record.id.clone())?;
        let previous = PreviousSecret {
            hash: record.secret,
            until: now + DEFAULT_GRACE,
        };
        let rotated = self.store.rotate(&record, &key, Some(&previous), None);
        if !by(deadline, rotated).await? {
            return Err(IssueError::UnderWay { seconds: PAUSE });
        }
        record.previous = Some(previous);
        record.secret = key.secret_hash();
        Ok(Issued { record, key })
    }
}

struct Usage<'a> {
    keys: &'a UsageKeys,
    /// The plan's name, as a client asks for it.
    plan: &'a str,
    /// The plan's id or name at API Gateway.
    target: &'a str,
}
