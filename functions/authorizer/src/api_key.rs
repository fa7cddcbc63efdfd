//! The check that makes an API key believable: its record says that it is in use, for now, with
//! this secret, from here.

use std::sync::Arc;

use keygate::api_key::ApiKey;
use keygate::key_record::{KeyRecord, SecretMatch, Status};

use crate::key_table::{KeyTable, KeyTableError};

/// Why an API key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiKeyRefusal {
    #[error("API keys are not accepted: no key table is configured")]
    NotAccepted,
    #[error("there is no key with this id")]
    Unknown,
    #[error("the secret is not the key's")]
    Secret,
    #[error("the key is revoked")]
    Revoked,
    #[error("the key has expired")]
    Expired,
    #[error("the key is bound to networks, and the request does not say where it comes from")]
    SourceAddress,
}

impl ApiKeyRefusal {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotAccepted => "api-keys-off",
            Self::Unknown => "api-key-unknown",
            Self::Secret => "api-key-secret",
            Self::Revoked => "api-key-revoked",
            Self::Expired => "api-key-expired",
            Self::SourceAddress => "api-key-source-address",
        }
    }
}

/// Why a check did not end in a verified key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiKeyError {
    /// The key's fault.
    #[error(transparent)]
    Refused(#[from] ApiKeyRefusal),
    /// Nobody's fault that the caller could mend.
    #[error(transparent)]
    Unavailable(#[from] KeyTableError),
}

/// The record of a key that passed every check. [`verify`] is the only way to one.
#[derive(Debug)]
pub(crate) struct VerifiedApiKey(Arc<KeyRecord>);

impl VerifiedApiKey {
    pub(crate) fn record(&self) -> &KeyRecord {
        &self.0
    }
}

/// Verifies a key as of `now` (epoch seconds).
pub(crate) async fn verify(
    key: &ApiKey,
    table: Option<&KeyTable>,
    now: u64,
) -> Result<VerifiedApiKey, ApiKeyError> {
    let table = table.ok_or(ApiKeyRefusal::NotAccepted)?;
    let found = table.key(key.id()).await?.ok_or(ApiKeyRefusal::Unknown)?;
    let mut record = found.record;
    // The key may have been rotated since its record was read.
    if found.is_remembered
        && record.secret_match(key, now) == SecretMatch::Neither
        && let Some(read_again) = table.key_again(key.id()).await?
    {
        record = read_again.record;
    }
    check(&record, key, now)?;
    Ok(VerifiedApiKey(record))
}

/// The secret comes first: nobody without it learns what became of the key.
fn check(record: &KeyRecord, key: &ApiKey, now: u64) -> Result<(), ApiKeyRefusal> {
    if record.secret_match(key, now) == SecretMatch::Neither {
        return Err(ApiKeyRefusal::Secret);
    }
    if record.status != Status::Active {
        return Err(ApiKeyRefusal::Revoked);
    }
    if record.is_expired(now) {
        return Err(ApiKeyRefusal::Expired);
    }
    // A TOKEN event does not say where the request comes from, so that nobody can tell.
    if !record.allowed_cidrs.is_empty() {
        return Err(ApiKeyRefusal::SourceAddress);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &ApiKey) -> KeyRecord {
        KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: "team-a".into(),
            name: "nightly import".into(),
            scopes: "items:read".parse().unwrap(),
            status: Status::Active,
            created_at: 1_000,
            expires_at: Some(2_000),
            usage_key: None,
            usage_plan: None,
            allowed_cidrs: Vec::new(),
        }
    }

    #[test]
    fn a_key_is_good_until_the_second_of_its_expiry() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(check(&record(&key), &key, 1_999), Ok(()));
        assert_eq!(
            check(&record(&key), &key, 2_000),
            Err(ApiKeyRefusal::Expired)
        );
    }

    #[test]
    fn another_secret_is_refused_before_anything_is_said_about_the_key() {
        let key = ApiKey::generate().unwrap();
        let guess = ApiKey::generate_for(key.id().clone()).unwrap();
        let mut record = record(&key);
        record.status = Status::Revoked;
        assert_eq!(check(&record, &guess, 1_500), Err(ApiKeyRefusal::Secret));
        assert_eq!(check(&record, &key, 1_500), Err(ApiKeyRefusal::Revoked));
    }

    #[test]
    fn a_key_bound_to_networks_is_refused_where_nobody_can_tell_the_network() {
        let key = ApiKey::generate().unwrap();
        let mut record = record(&key);
        record.allowed_cidrs = vec!["0.0.0.0/0".into()];
        assert_eq!(
            check(&record, &key, 1_500),
            Err(ApiKeyRefusal::SourceAddress)
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_a_table_every_key_is_refused() {
        let key = ApiKey::generate().unwrap();
        let error = verify(&key, None, 1_500).await.unwrap_err();
        assert_eq!(error, ApiKeyRefusal::NotAccepted.into());
    }
}
