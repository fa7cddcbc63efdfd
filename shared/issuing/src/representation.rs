//! A key as its owner and operators read it, over HTTP and on a terminal: never a secret, nor a
//! hash of one.

use jiff::Timestamp;
use serde::Serialize;

use keygate_key_record::{KeyRecord, Status};
use keygate_principal::scope::Scopes;

/// A key's public side.
#[derive(Debug, Serialize)]
pub struct Representation {
    id: String,
    name: String,
    owner: String,
    scopes: Scopes,
    /// `active`, `revoked` or, what no record says, `expired`.
    status: &'static str,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    usage_plan: Option<String>,
    /// Networks (CIDR) that the key may be used from; empty is anywhere.
    allowed_cidrs: Vec<String>,
    /// Until when the secret before the last rotation still works; nothing once it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_until: Option<Timestamp>,
}

/// The same with the whole key, for the one answer that shows it.
#[derive(Debug, Serialize)]
pub struct WithKey<'a> {
    /// The public side.
    #[serde(flatten)]
    pub record: Representation,
    /// The whole key.
    pub key: &'a str,
}

impl Representation {
    /// A record as its owner reads it at `now` (epoch seconds).
    #[must_use]
    pub fn at(now: u64, record: &KeyRecord) -> Self {
        let previous = record.previous.as_ref();
        let mut allowed_cidrs = record.allowed_cidrs.clone();
        // A set has no order of its own.
        allowed_cidrs.sort();
        Self {
            id: record.id.to_string(),
            name: record.name.clone(),
            owner: record.owner.clone(),
            scopes: record.scopes.clone(),
            status: match record.status {
                Status::Active if record.is_expired(now) => "expired",
                status => status.as_str(),
            },
            created_at: time(record.created_at),
            expires_at: record.expires_at.and_then(time),
            usage_plan: record.usage_plan.clone(),
            allowed_cidrs,
            previous_until: previous
                .map(|previous| previous.until.min(record.expires_at.unwrap_or(u64::MAX)))
                .filter(|until| now < *until)
                .and_then(time),
        }
    }
}

fn time(epoch_seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(epoch_seconds).ok()?;
    Timestamp::from_second(seconds).ok()
}
