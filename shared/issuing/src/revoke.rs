//! Revocation: the record, then the cached answers, then the usage key.

use tokio::time::Instant;

use crate::deadline::{LIMIT, by};
use crate::failure::Failure;
use crate::issuing::Issuing;
use crate::stage::{Flush, Stage};
use keygate_api_key::ApiKeyId;

/// Why a key is not revoked, or not all that follows from it is done.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The table did not do its part. Whether the key is revoked is not known.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// There is no such key, or it is somebody else's.
    #[error("there is no such key")]
    NotFound,
    /// The key is revoked. Cached answers may still let it in until their time is over, and its
    /// usage key may be left: revoke it again.
    #[error(
        "the key is revoked, but not everything that follows is done: cached answers may let it \
         in until their time is over. Revoke it again ({0})"
    )]
    Unfinished(Failure),
}

impl Issuing {
    /// Shuts a key out for good; `owner` is whose it must be, if it must. A key that is revoked
    /// already is revoked again: whatever is left of the steps is done.
    ///
    /// # Errors
    /// When there is no such key, or a service does not do its part.
    pub async fn revoke(
        &self,
        owner: Option<&str>,
        id: &ApiKeyId,
        stage: Option<&Stage>,
    ) -> Result<Flush, RevokeError> {
        let deadline = Instant::now() + LIMIT;
        let revoked = by(deadline, self.store.revoke(owner, id)).await?;
        let usage_key = revoked.ok_or(RevokeError::NotFound)?;
        // While this is under way the authorizer may be asked again, and knows of it by now.
        let flush = by(deadline, self.flush(stage))
            .await
            .map_err(RevokeError::Unfinished)?;
        by(deadline, self.unmeter(id.as_str(), &usage_key))
            .await
            .map_err(RevokeError::Unfinished)?;
        Ok(flush)
    }
}
