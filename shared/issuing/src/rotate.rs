//! Rotation: a new secret for a key that exists, while the former one fades out.
//!
//! There is one former secret. Rotating again within its grace period ends it, and the secret of the
//! first rotation takes its place: harmless when the first answer arrived, and when it was lost, the
//! end of the secret that is in use. So a rotation under an idempotency key that is sent again
//! leaves the former secret alone, and replaces the one that nobody has seen.

use std::time::Duration;

use tokio::time::Instant;

use super::store::{Stored, UNKNOWN_ROTATION};
use super::usage_keys::{Flush, Stage};
use super::{Failure, Issued, Issuing, LIMIT, by};
use keygate_api_key::sha256;
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_idempotency_key::IdempotencyKey;
use keygate_key_record::{KeyRecord, PreviousSecret, Status, now};

/// How long the former secret still works when nobody says: an hour, in seconds.
pub const DEFAULT_GRACE: u64 = 60 * 60;
/// How long it may work at most: a week.
pub const MAX_GRACE: u64 = 7 * 24 * 60 * 60;

/// How long reading the record may have taken before, out of the same 10 s.
const READ_LIMIT: Duration = Duration::from_millis(2500);

/// Why there is no new secret, or none to show.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// A service did not do its part.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The key is revoked or has expired.
    #[error("the key is revoked or expired: issue a new one")]
    Ended,
    /// The key was changed at the same time.
    #[error("the key was changed at the same time: look at it again")]
    Changed,
    /// The key has a new secret, which is not shown, and cached answers may let the former one in:
    /// rotate again.
    #[error(
        "the key has a new secret, but the cached answers for the former one could not be \
         flushed and may last until their time is over: rotate it again ({0})"
    )]
    NotFlushed(Failure),
}

impl From<RandomnessUnavailable> for RotateError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Failed(error.into())
    }
}

impl Issuing {
    /// Gives a key another secret; the former one works `grace` seconds longer. Without grace it
    /// must stop, so the stage's cached answers are flushed as well. Under `once`, the same request
    /// sent again rotates once.
    ///
    /// # Errors
    /// When the key has ended or changed since `record` was read, or a service does not do its
    /// part.
    pub async fn rotate(
        &self,
        mut record: KeyRecord,
        grace: u64,
        stage: Option<&Stage>,
        once: Option<&IdempotencyKey>,
    ) -> Result<(Issued, Flush), RotateError> {
        let deadline = Instant::now() + LIMIT - READ_LIMIT;
        let now = now();
        let rotation = once.map(|once| fingerprint(once, grace));
        let repeated = match &rotation {
            None => None,
            Some(rotation) => by(deadline, self.store.stored(&record.id))
                .await?
                // Once the former secret has ended, the latest is in use: a rotation like any.
                .filter(|stored| {
                    stored.rotation.as_ref() == Some(rotation)
                        && stored.record.former(now).is_some()
                }),
        };
        if record.status == Status::Revoked || record.is_expired(now) {
            return Err(RotateError::Ended);
        }
        let key = ApiKey::generate_for(record.id.clone())?;
        let previous = match repeated {
            Some(Stored { record: latest, .. }) => {
                record = latest;
                record.previous.clone()
            }
            None => (grace > 0).then(|| PreviousSecret {
                hash: record.secret,
                until: now + grace,
            }),
        };
        let rotation = rotation.as_deref().unwrap_or(UNKNOWN_ROTATION);
        let rotated = self
            .store
            .rotate(&record, &key, previous.as_ref(), Some(rotation));
        if !by(deadline, rotated).await? {
            return Err(RotateError::Changed);
        }
        let flush = match previous {
            Some(_) => Flush::NotAsked,
            None => by(deadline, self.flush(stage))
                .await
                .map_err(RotateError::NotFlushed)?,
        };
        record.previous = previous;
        record.secret = key.secret_hash();
        Ok((Issued { record, key }, flush))
    }
}

/// What a rotation is known again by.
fn fingerprint(once: &IdempotencyKey, grace: u64) -> String {
    sha256::hex(format!("{grace} {}", once.as_str()).as_bytes())
}
