//! A key as its owner reads it: never a secret, nor a hash of one.

use jiff::Timestamp;
use keygate::key_record::KeyRecord;
use keygate::scope::Scopes;
use serde::Serialize;

/// A key's public side.
#[derive(Debug, Serialize)]
pub(crate) struct Representation {
    id: String,
    name: String,
    owner: String,
    scopes: Scopes,
    status: &'static str,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    usage_plan: Option<String>,
    /// Until when the secret before the last rotation still works; nothing once it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<Timestamp>,
}

/// The same with the whole key, for the one answer that shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Issued<'a> {
    #[serde(flatten)]
    pub(crate) record: Representation,
    pub(crate) key: &'a str,
}

impl Representation {
    /// A record as its owner reads it at `now` (epoch seconds).
    pub(crate) fn at(now: u64, record: &KeyRecord) -> Self {
        let previous = record.previous.as_ref();
        Self {
            id: record.id.to_string(),
            name: record.name.clone(),
            owner: record.owner.clone(),
            scopes: record.scopes.clone(),
            status: record.status.as_str(),
            created_at: time(record.created_at),
            expires_at: record.expires_at.and_then(time),
            usage_plan: record.usage_plan.clone(),
            previous_until: previous
                .filter(|previous| now < previous.until)
                .and_then(|previous| time(previous.until)),
        }
    }
}

fn time(epoch_seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(epoch_seconds).ok()?;
    Timestamp::from_second(seconds).ok()
}
