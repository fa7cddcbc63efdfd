//! Rotation: a new secret for a key that exists, while the former one fades out.
//!
//! There is one former secret. Rotating again within its grace period ends it, and the secret of
//! the first rotation takes its place.

use tokio::time::Instant;

use crate::deadline::{LIMIT, READ_LIMIT, by};
use crate::failure::Failure;
use crate::issued::Issued;
use crate::issuing::Issuing;
use crate::stage::{Flush, Stage};
use keygate_api_key::RandomnessUnavailable;
use keygate_key_record::{KeyRecord, PreviousSecret, Status, now};

/// How long the former secret still works when nobody says: an hour, in seconds.
pub const DEFAULT_GRACE: u64 = 60 * 60;
/// How long it may work at most: a week.
pub const MAX_GRACE: u64 = 7 * 24 * 60 * 60;

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
    /// must stop, so the stage's cached answers are flushed as well.
    ///
    /// # Errors
    /// When the key has ended or changed since `record` was read, or a service does not do its
    /// part.
    pub async fn rotate(
        &self,
        record: KeyRecord,
        grace: u64,
        stage: Option<&Stage>,
    ) -> Result<(Issued, Flush), RotateError> {
        let deadline = Instant::now() + LIMIT - READ_LIMIT;
        let now = now();
        if record.status == Status::Revoked || record.is_expired(now) {
            return Err(RotateError::Ended);
        }
        let key = self.prefix.generate_for(record.id.clone())?;
        let former = record.secret;
        let rotated = KeyRecord {
            secret: key.secret_hash(),
            previous: (grace > 0).then(|| PreviousSecret {
                hash: former,
                until: now + grace,
            }),
            ..record
        };
        if !by(deadline, self.store.rotate(&former, &rotated)).await? {
            return Err(RotateError::Changed);
        }
        let flush = if grace > 0 {
            Flush::NotAsked
        } else {
            by(deadline, self.flush(stage))
                .await
                .map_err(RotateError::NotFlushed)?
        };
        let record = rotated;
        Ok((Issued { record, key }, flush))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::rig::Rig;
    use keygate_key_record::SecretMatch;

    #[tokio::test]
    async fn the_former_secret_fades_out() {
        let rig = Rig::start();
        let (record, issued) = rig.issue().await;
        let before = now();
        let rotated = rig.issuing.rotate(record, 60, None).await.unwrap();
        let (Issued { record, key }, flush) = rotated;
        assert_eq!(flush, Flush::NotAsked);
        let stored = rig.record(&record).await;
        let until = stored.previous.as_ref().unwrap().until;
        assert!((before + 60..=now() + 60).contains(&until));
        assert_eq!(stored.secret_match(&key, until), SecretMatch::Current);
        let former = |at| stored.secret_match(&issued, at);
        assert_eq!(former(until - 1), SecretMatch::Previous);
        assert_eq!(former(until), SecretMatch::Neither);
    }

    #[tokio::test]
    async fn without_grace_the_new_secret_is_alone() {
        let rig = Rig::start();
        let (record, issued) = rig.issue().await;
        let (again, _) = rig.issuing.rotate(record, 60, None).await.unwrap();
        let rotated = rig.issuing.rotate(again.record, 0, None).await.unwrap();
        let (Issued { record, key }, _) = rotated;
        assert!(record.previous.is_none());
        let stored = rig.record(&record).await;
        assert!(stored.previous.is_none());
        assert_eq!(stored.secret_match(&key, 0), SecretMatch::Current);
        for former in [issued, again.key] {
            assert_eq!(stored.secret_match(&former, 0), SecretMatch::Neither);
        }
    }

    #[tokio::test]
    async fn an_expired_key_is_not_brought_back_before_ttl_deletes_it() {
        let rig = Rig::start();
        let (record, issued) = rig.issue().await;
        let mut item = rig.item(&record).await;
        let past = AttributeValue::N("1000".to_owned());
        item.insert("expires_at".to_owned(), past);
        rig.put(item).await;
        let expired = rig.record(&record).await;
        let rotated = rig.issuing.rotate(expired, 60, None).await;
        assert!(matches!(rotated, Err(RotateError::Ended)));
        let stored = rig.record(&record).await;
        assert_eq!(stored.secret_match(&issued, 0), SecretMatch::Current);
    }

    #[tokio::test]
    async fn a_revoked_key_has_neither_secret_left() {
        let rig = Rig::start();
        let (record, issued) = rig.issue().await;
        let (rotated, _) = rig.issuing.rotate(record, 60, None).await.unwrap();
        let id = &rotated.record.id;
        rig.issuing.revoke(Some("me"), id, None).await.unwrap();
        let stored = rig.record(&rotated.record).await;
        assert!(stored.previous.is_none());
        assert_eq!(stored.secret_match(&issued, now()), SecretMatch::Neither);
        // The authorizer refuses it by its status, whatever secret it has.
        assert_eq!(stored.status, Status::Revoked);
        let again = rig.issuing.rotate(stored, 60, None).await;
        assert!(matches!(again, Err(RotateError::Ended)));
    }
}
