//! The check that makes an API key believable: its record says that it is in use, for now, with
//! this secret, from here.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use keygate_api_key::ApiKey;
use keygate_key_record::{KeyRecord, MalformedRecord, SecretMatch, Status};

use crate::key_table::{Found, KeyTable, KeyTableError};

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
    #[error("the key is bound to networks, and the request comes from none of them")]
    Network,
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
            Self::Network => "api-key-network",
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

impl From<MalformedRecord> for ApiKeyError {
    fn from(error: MalformedRecord) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Verifies a key as of `now` (epoch seconds), for a request from `source`.
pub(crate) async fn verify(
    key: &ApiKey,
    table: Option<&KeyTable>,
    now: u64,
    source: Option<IpAddr>,
) -> Result<VerifiedApiKey, ApiKeyError> {
    let table = table.ok_or(ApiKeyRefusal::NotAccepted)?;
    let checked = checked(key, table, now, source).await;
    match &checked {
        Ok(found) => table.proved(key, found),
        Err(ApiKeyError::Refused(_)) => table.disproved(key),
        Err(ApiKeyError::Unavailable(_)) => {}
    }
    checked.map(|found| VerifiedApiKey(found.record))
}

async fn checked(
    key: &ApiKey,
    table: &KeyTable,
    now: u64,
    source: Option<IpAddr>,
) -> Result<Found, ApiKeyError> {
    let mut found = table.key(key).await?.ok_or(ApiKeyRefusal::Unknown)?;
    // The key may have been rotated since its record was read.
    if found.is_remembered && found.record.secret_match(key, now) == SecretMatch::Neither {
        let read = table.read_key(key).await?;
        found = read.ok_or(ApiKeyRefusal::Unknown)?;
    }
    check_secret(&found.record, key, now)?;
    check_use(&found.record, now)?;
    check_network(&found.record, source)?;
    Ok(found)
}

/// The secret comes first: nobody without it learns what became of the key.
pub(crate) fn check_secret(
    record: &KeyRecord,
    key: &ApiKey,
    now: u64,
) -> Result<(), ApiKeyRefusal> {
    match record.secret_match(key, now) {
        SecretMatch::Current | SecretMatch::Previous => Ok(()),
        SecretMatch::Neither => Err(ApiKeyRefusal::Secret),
    }
}

pub(crate) fn check_use(record: &KeyRecord, now: u64) -> Result<(), ApiKeyRefusal> {
    if record.status != Status::Active {
        return Err(ApiKeyRefusal::Revoked);
    }
    if record.is_expired(now) {
        return Err(ApiKeyRefusal::Expired);
    }
    Ok(())
}

/// A key without networks works from anywhere. One with networks works from them, and where the
/// event does not say where the request comes from, nowhere: nobody can tell.
pub(crate) fn check_network(record: &KeyRecord, source: Option<IpAddr>) -> Result<(), ApiKeyError> {
    if record.allowed_cidrs.is_empty() {
        return Ok(());
    }
    let source = source.ok_or(ApiKeyRefusal::SourceAddress)?;
    let networks = record.allowed_cidrs.iter();
    let networks: Vec<IpNet> = networks
        .map(|cidr| cidr.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| MalformedRecord {
            pk: KeyRecord::pk(&record.id),
            attribute: "allowed_cidrs",
        })?;
    if networks.iter().any(|network| network.contains(&source)) {
        Ok(())
    } else {
        Err(ApiKeyRefusal::Network.into())
    }
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
        assert_eq!(check_use(&record(&key), 1_999), Ok(()));
        assert_eq!(check_use(&record(&key), 2_000), Err(ApiKeyRefusal::Expired));
    }

    #[test]
    fn another_secret_is_refused_before_anything_is_said_about_the_key() {
        let key = ApiKey::generate().unwrap();
        let guess = ApiKey::generate_for(key.id().clone()).unwrap();
        let mut record = record(&key);
        record.status = Status::Revoked;
        assert_eq!(
            check_secret(&record, &guess, 1_500),
            Err(ApiKeyRefusal::Secret)
        );
        assert_eq!(check_secret(&record, &key, 1_500), Ok(()));
        assert_eq!(check_use(&record, 1_500), Err(ApiKeyRefusal::Revoked));
    }

    #[test]
    fn a_key_bound_to_networks_works_from_them_alone() {
        let mut record = record(&ApiKey::generate().unwrap());
        let from =
            |record: &KeyRecord, source: &str| check_network(record, Some(source.parse().unwrap()));
        assert_eq!(from(&record, "192.0.2.1"), Ok(()));
        record.allowed_cidrs = vec!["192.0.2.0/24".into(), "2001:db8::/32".into()];
        for source in ["192.0.2.0", "192.0.2.255", "2001:db8:ffff::1"] {
            assert_eq!(from(&record, source), Ok(()), "{source}");
        }
        for source in [
            "192.0.3.0",
            "191.255.255.255",
            "2001:db9::1",
            "::1",
            "::c000:200",
        ] {
            let error = from(&record, source).unwrap_err();
            assert_eq!(error, ApiKeyRefusal::Network.into(), "{source}");
        }
        assert_eq!(
            check_network(&record, None),
            Err(ApiKeyRefusal::SourceAddress.into())
        );
        record.allowed_cidrs = vec!["192.0.2.1/32".into()];
        assert_eq!(from(&record, "192.0.2.1"), Ok(()));
    }

    #[test]
    fn a_network_that_is_none_is_a_fault_of_the_table() {
        let mut record = record(&ApiKey::generate().unwrap());
        for cidr in [
            "",
            "192.0.2.0",
            "192.0.2.0/33",
            "example.com/24",
            "192.0.2.0/24 ",
        ] {
            record.allowed_cidrs = vec!["0.0.0.0/0".into(), cidr.into()];
            let error = check_network(&record, Some("192.0.2.1".parse().unwrap())).unwrap_err();
            assert!(matches!(error, ApiKeyError::Unavailable(_)), "{cidr}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_a_table_every_key_is_refused() {
        let key = ApiKey::generate().unwrap();
        let error = verify(&key, None, 1_500, None).await.unwrap_err();
        assert_eq!(error, ApiKeyRefusal::NotAccepted.into());
    }
}
