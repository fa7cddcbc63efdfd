//! The check that makes an API key believable: its record says that it is in use, for now, with
//! this secret, from here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use keygate_api_key::ApiKey;
use keygate_key_record::{KeyRecord, MalformedRecord, SecretMatch, Status};

use crate::key_table::{Found, KeyTable, KeyTableError};
use crate::moment;
use crate::watch::{Failure, Line, Watch};

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

impl ApiKeyError {
    /// The same for who looks on.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            code: match self {
                Self::Refused(refusal) => refusal.code(),
                Self::Unavailable(fault) => fault.code(),
            },
            reason: self.to_string(),
            is_fault: matches!(self, Self::Unavailable(_)),
        }
    }
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

/// One check of a key whose record is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// The secret must be the key's. It comes first: nobody without it learns what became of the
    /// key.
    Secret,
    /// The record must be active, and its time not over.
    Use,
    /// A key without networks works from anywhere. One with networks works from them, and where the
    /// event does not say where the request comes from, nowhere: nobody can tell.
    Network,
}

/// What the checks look at.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    key: &'a ApiKey,
    record: &'a KeyRecord,
    /// Epoch seconds.
    now: u64,
    source: Option<IpAddr>,
}

/// Verifies a key as of `now` (epoch seconds), for a request from `source`. It stops at the first
/// check that fails, unless somebody looks on, and that check's outcome is the verdict either way.
pub(crate) async fn verify<W: Watch>(
    key: &ApiKey,
    table: Option<&KeyTable>,
    now: u64,
    source: Option<IpAddr>,
    watch: &mut W,
) -> Result<VerifiedApiKey, ApiKeyError> {
    let found = match table {
        Some(table) => find(key, table, now).await,
        None => Err(ApiKeyRefusal::NotAccepted.into()),
    };
    if W::LOOKS {
        let record = found.as_ref().ok().map(|found| &found.record);
        let record = record.map(|record| format!("{}, of {}", record.name, record.owner));
        let failure = found.as_ref().err().map(ApiKeyError::failure);
        watch.made(Line::new("record", record.unwrap_or_default()), failure);
    }
    let found = found?;
    let subject = Subject {
        key,
        record: &found.record,
        now,
        source,
    };
    let verdict = checked(&subject, watch);
    match (&verdict, table) {
        (Ok(()), Some(table)) => table.proved(key, &found),
        (Err(ApiKeyError::Refused(_)), Some(table)) => table.disproved(key),
        _ => {}
    }
    verdict.map(|()| VerifiedApiKey(found.record))
}

/// The key's record, read anew where the one that is remembered has another secret: the key may have
/// been rotated since.
async fn find(key: &ApiKey, table: &KeyTable, now: u64) -> Result<Found, ApiKeyError> {
    let found = table.key(key).await?.ok_or(ApiKeyRefusal::Unknown)?;
    if found.is_remembered && found.record.secret_match(key, now) == SecretMatch::Neither {
        let read = table.read_key(key).await?;
        return Ok(read.ok_or(ApiKeyRefusal::Unknown)?);
    }
    Ok(found)
}

fn checked<W: Watch>(subject: &Subject<'_>, watch: &mut W) -> Result<(), ApiKeyError> {
    let mut verdict = Ok(());
    for check in [Check::Secret, Check::Use, Check::Network] {
        let outcome = check.make(subject);
        if W::LOOKS {
            let failure = outcome.as_ref().err().map(ApiKeyError::failure);
            watch.made(check.line(subject), failure);
        }
        verdict = verdict.and(outcome);
        if verdict.is_err() && !W::LOOKS {
            break;
        }
    }
    verdict
}

impl Check {
    fn make(self, subject: &Subject<'_>) -> Result<(), ApiKeyError> {
        let Subject { record, now, .. } = *subject;
        match self {
            Self::Secret => match record.secret_match(subject.key, now) {
                SecretMatch::Current | SecretMatch::Previous => Ok(()),
                SecretMatch::Neither => Err(ApiKeyRefusal::Secret.into()),
            },
            Self::Use if record.status != Status::Active => Err(ApiKeyRefusal::Revoked.into()),
            Self::Use if record.is_expired(now) => Err(ApiKeyRefusal::Expired.into()),
            Self::Use => Ok(()),
            Self::Network => network(record, subject.source),
        }
    }

    /// What was found, and what was expected.
    fn line(self, subject: &Subject<'_>) -> Line {
        let Subject { record, now, .. } = *subject;
        match self {
            Self::Secret => {
                let until = record
                    .former(now)
                    .map(|previous| moment(previous.until, now));
                let until = until.unwrap_or_default();
                let found = match record.secret_match(subject.key, now) {
                    SecretMatch::Current => "the current one".to_owned(),
                    SecretMatch::Previous => {
                        format!("the former one, which ends {until}: the key was rotated")
                    }
                    SecretMatch::Neither => "not shown".to_owned(),
                };
                let expected = match until.as_str() {
                    "" => "the current one".to_owned(),
                    until => format!("the current one, or the former one until {until}"),
                };
                Line::new("secret", found).expecting(expected)
            }
            Self::Use => {
                let expiry = record.expires_at.map_or("never expires".to_owned(), |at| {
                    let verb = if now < at { "expires" } else { "expired" };
                    format!("{verb} {}", moment(at, now))
                });
                let found = format!("{}, {expiry}", record.status.as_str());
                Line::new("status", found).expecting("active, and not expired")
            }
            Self::Network => {
                let unknown = || "not known (--source ADDRESS)".to_owned();
                let source = subject.source;
                let line = Line::new("network", source.map_or_else(unknown, |at| at.to_string()));
                match record.allowed_cidrs.as_slice() {
                    [] => line,
                    networks => line.expecting(networks.join(", ")),
                }
            }
        }
    }
}

/// A time as a person reads it.
fn moment(at: u64, now: u64) -> String {
    let shown = moment::shown(Duration::from_secs(at), Duration::from_secs(now));
    shown.unwrap_or_else(|| at.to_string())
}

fn network(record: &KeyRecord, source: Option<IpAddr>) -> Result<(), ApiKeyError> {
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
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
    use keygate_key_record::Metadata;
    use keygate_outbound::Outbound;
    use keygate_settings::Settings;
    use keygate_tests::table::Table;

    use super::*;
    use crate::watch::Unwatched;

    fn record(key: &ApiKey) -> KeyRecord {
        KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: "team-a".into(),
            name: "nightly import".into(),
            scopes: "books:read".parse().unwrap(),
            status: Status::Active,
            created_at: 1_000,
            expires_at: Some(2_000),
            usage_key: None,
            usage_key_id: None,
            usage_plan: None,
            allowed_cidrs: Vec::new(),
            metadata: Metadata::default(),
        }
    }

    /// The verdict on a key by a record, as of a second.
    fn judged(
        key: &ApiKey,
        record: &KeyRecord,
        now: u64,
        source: Option<&str>,
    ) -> Result<(), ApiKeyError> {
        let subject = Subject {
            key,
            record,
            now,
            source: source.map(|source| source.parse().unwrap()),
        };
        checked(&subject, &mut Unwatched)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_key_is_read_for_nothing_from_when_it_is_proved_until_it_fails() {
        let rig = Table::start();
        let outbound = Outbound::new(&Settings::default()).unwrap();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&rig.url)
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .http_client(keygate_aws::http_client(&outbound));
        let client = Client::from_conf(config.build());
        let table = KeyTable::new(client.clone(), Table::NAME.to_owned(), Duration::ZERO);
        let key = ApiKey::generate().unwrap();
        assert!(!table.was_proved(&key));
        for status in [Status::Active, Status::Revoked, Status::Active] {
            let mut record = record(&key);
            record.status = status;
            let put = client.put_item().table_name(Table::NAME);
            put.set_item(Some(record.to_item())).send().await.unwrap();
            let verdict = verify(&key, Some(&table), 1_500, None, &mut Unwatched).await;
            let is_good = status == Status::Active;
            assert_eq!(verdict.is_ok(), is_good);
            assert_eq!(table.was_proved(&key), is_good);
        }
    }

    #[test]
    fn a_key_is_good_until_the_second_of_its_expiry() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(judged(&key, &record(&key), 1_999, None), Ok(()));
        let expired = judged(&key, &record(&key), 2_000, None);
        assert_eq!(expired, Err(ApiKeyRefusal::Expired.into()));
    }

    #[test]
    fn another_secret_is_refused_before_anything_is_said_about_the_key() {
        let key = ApiKey::generate().unwrap();
        let guess = ApiKey::generate_for(key.id().clone()).unwrap();
        let mut record = record(&key);
        record.status = Status::Revoked;
        let by = |key: &ApiKey| judged(key, &record, 1_500, None).unwrap_err();
        assert_eq!(by(&guess), ApiKeyRefusal::Secret.into());
        assert_eq!(by(&key), ApiKeyRefusal::Revoked.into());
    }

    #[test]
    fn a_key_bound_to_networks_works_from_them_alone() {
        let key = ApiKey::generate().unwrap();
        let mut record = record(&key);
        let from = |record: &KeyRecord, source: &str| judged(&key, record, 1_500, Some(source));
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
            judged(&key, &record, 1_500, None),
            Err(ApiKeyRefusal::SourceAddress.into())
        );
        record.allowed_cidrs = vec!["192.0.2.1/32".into()];
        assert_eq!(from(&record, "192.0.2.1"), Ok(()));
    }

    #[test]
    fn a_network_that_is_none_is_a_fault_of_the_table() {
        let key = ApiKey::generate().unwrap();
        let mut record = record(&key);
        for cidr in [
            "",
            "192.0.2.0",
            "192.0.2.0/33",
            "example.com/24",
            "192.0.2.0/24 ",
        ] {
            record.allowed_cidrs = vec!["0.0.0.0/0".into(), cidr.into()];
            let error = judged(&key, &record, 1_500, Some("192.0.2.1")).unwrap_err();
            assert!(matches!(error, ApiKeyError::Unavailable(_)), "{cidr}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_a_table_every_key_is_refused() {
        let key = ApiKey::generate().unwrap();
        let error = verify(&key, None, 1_500, None, &mut Unwatched)
            .await
            .unwrap_err();
        assert_eq!(error, ApiKeyRefusal::NotAccepted.into());
    }
}
