//! A key as its owner and operators read it, over HTTP and on a terminal: never a secret, nor a
//! hash of one.

use jiff::Timestamp;
use serde::Serialize;

use keygate_key_record::{KeyRecord, Metadata, Status};
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
    metadata: Metadata,
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
            metadata: record.metadata.clone(),
            previous_until: previous
                .map(|previous| previous.until.min(record.expires_at.unwrap_or(u64::MAX)))
                .filter(|until| now < *until)
                .and_then(time),
        }
    }
}

pub(crate) fn time(epoch_seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(epoch_seconds).ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rig::key_of;
    use keygate_key_record::PreviousSecret;

    #[test]
    fn it_holds_no_secret_and_no_hash() {
        let (mut record, key) = key_of("me", 1_000);
        record.expires_at = Some(5_000);
        record.usage_plan = Some("standard".to_owned());
        record.allowed_cidrs = ["2001:db8::/32", "192.0.2.0/24"].map(str::to_owned).into();
        record.metadata = Metadata::new([("tenant".into(), "acme".into())].into()).unwrap();
        let shown = serde_json::to_value(Representation::at(2_000, &record)).unwrap();
        let expected = json!({
            "id": key.id().as_str(), "name": "by hand", "owner": "me", "scopes": ["books:read"],
            "status": "active", "created_at": "1970-01-01T00:16:40Z",
            "expires_at": "1970-01-01T01:23:20Z", "usage_plan": "standard",
            "allowed_cidrs": ["192.0.2.0/24", "2001:db8::/32"], "metadata": {"tenant": "acme"},
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_over_is_not_shown_as_lasting() {
        let (mut record, _) = key_of("me", 1_000);
        record.expires_at = Some(5_000);
        record.previous = Some(PreviousSecret {
            hash: record.secret,
            until: 3_000,
        });
        let shown = |at| serde_json::to_value(Representation::at(at, &record)).unwrap();
        assert_eq!(shown(2_999)["previous_until"], "1970-01-01T00:50:00Z");
        assert_eq!(shown(3_000).get("previous_until"), None);
        assert_eq!(shown(4_999)["status"], "active");
        assert_eq!(shown(5_000)["status"], "expired");
        // A former secret ends with its key at the latest.
        record.previous.as_mut().unwrap().until = 9_000;
        let shown = serde_json::to_value(Representation::at(2_000, &record)).unwrap();
        assert_eq!(shown["previous_until"], shown["expires_at"]);
    }
}
