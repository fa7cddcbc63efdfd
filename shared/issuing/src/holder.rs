//! Whom a usage key meters: an API key, or an OAuth client.

use std::fmt;

use crate::usage_key::{is_own_value, value_of};
use keygate_api_key::ApiKeyId;
use keygate_key_record::{ClientRecord, FormerUsageKey, KeyRecord, RegisteredClient, Status};

/// Whom a usage key meters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// An API key, by its id.
    Key(ApiKeyId),
    /// An OAuth client.
    Client(String),
}

impl Holder {
    /// The holder that the name of a usage key ends with, behind its stack.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text.strip_prefix(&ClientRecord::pk("")) {
            Some(client_id) => Some(Self::Client(client_id.to_owned())),
            None => text.parse().ok().map(Self::Key),
        }
    }

    /// The partition key of its record.
    pub(crate) fn pk(&self) -> String {
        match self {
            Self::Key(id) => KeyRecord::pk(id),
            Self::Client(client_id) => ClientRecord::pk(client_id),
        }
    }
}

/// A key's id, or `client#` with a client's: what the names of usage keys end with.
impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(formatter),
            Self::Client(client_id) => ClientRecord::pk(client_id).fmt(formatter),
        }
    }
}

/// What a record says of the usage key that was made for it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metered {
    pub(crate) holder: Holder,
    /// The `usageIdentifierKey`.
    pub(crate) value: String,
    /// API Gateway's id of it; a record of a former version has none.
    pub(crate) usage_key_id: Option<String>,
    pub(crate) plan: Option<String>,
    /// Whether the holder may be used.
    pub(crate) is_in_use: bool,
    /// The usage key of before, while it is kept.
    pub(crate) former: Option<FormerUsageKey>,
}

impl Metered {
    /// A key's, at `now` (epoch seconds).
    pub(crate) fn of_key(record: &KeyRecord, now: u64) -> Option<Self> {
        let value = record.usage_key.clone()?;
        // One that names another's value by hand, as before there were ids, only shares that.
        let is_own = match record.usage_key_id {
            Some(_) => is_own_value(&value),
            None => value == value_of(&record.id),
        };
        is_own.then(|| Self {
            holder: Holder::Key(record.id.clone()),
            value,
            usage_key_id: record.usage_key_id.clone(),
            plan: record.usage_plan.clone(),
            is_in_use: record.status == Status::Active && !record.is_expired(now),
            former: None,
        })
    }

    /// API Gateway's id of the usage key that is kept at `now` (epoch seconds) although another meters
    /// the holder.
    pub(crate) fn kept(&self, now: u64) -> Option<&str> {
        let former = self.former.as_ref().filter(|former| now < former.until);
        let former = former.filter(|_| self.is_in_use);
        former.map(|former| former.id.as_str())
    }

    /// A client's, if it was not made by hand.
    pub(crate) fn of_client(client: &RegisteredClient) -> Option<Self> {
        let value = client.record.usage_key.clone()?;
        let usage_key_id = Some(client.usage_key_id.clone()?);
        is_own_value(&value).then(|| Self {
            holder: Holder::Client(client.client_id.clone()),
            value,
            usage_key_id,
            plan: client.usage_plan.clone(),
            is_in_use: client.record.status == Status::Active,
            former: client.former_usage_key.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::key_of;

    const NOW: u64 = 1_000;

    /// A key that is metered by itself.
    fn record() -> KeyRecord {
        let (mut record, _) = key_of("me", NOW);
        record.usage_key = Some(value_of(&record.id));
        record.usage_key_id = Some("a1b2c3d4e5".to_owned());
        record
    }

    #[test]
    fn a_revoked_or_expired_key_is_not_in_use() {
        let (active, mut revoked, mut expired) = (record(), record(), record());
        revoked.status = Status::Revoked;
        expired.expires_at = Some(NOW);
        for (record, is_in_use) in [(active, true), (revoked, false), (expired, false)] {
            let metered = Metered::of_key(&record, NOW).unwrap();
            assert_eq!(metered.is_in_use, is_in_use, "{record:?}");
        }
    }

    #[test]
    fn a_usage_key_that_several_share_is_nobodys_own() {
        let (mut none, mut shared, mut others) = (record(), record(), record());
        none.usage_key = None;
        shared.usage_key = Some("keygate-usage-default-keygate-dev".to_owned());
        others.usage_key = Some(value_of(&record().id));
        others.usage_key_id = None;
        for record in [none, shared, others] {
            assert_eq!(Metered::of_key(&record, NOW), None);
        }
    }

    #[test]
    fn a_record_of_before_there_were_ids_is_known_by_its_value() {
        let mut former = record();
        former.usage_key_id = None;
        let metered = Metered::of_key(&former, NOW).unwrap();
        assert_eq!(metered.usage_key_id, None);
        assert_eq!(metered.value, value_of(&former.id));
    }
}
