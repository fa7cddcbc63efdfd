//! What the key table holds: `key#<id>` for an API key, `client#<client_id>` for an OAuth client and
//! `jti#<jti>` for a token that was revoked.

mod attributes;
mod client;
mod item;
mod metadata;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;

use keygate_api_key::{ApiKey, ApiKeyId, SecretHash};
use keygate_principal::scope::{Scope, Scopes};

use self::attributes::Attributes;
pub use self::client::{ClientRecord, FormerUsageKey, RegisteredClient};
pub use self::item::{Item, MalformedRecord, Status};
pub use self::metadata::{MalformedMetadata, Metadata};

/// The secret before the last rotation, good until its grace period ends.
#[derive(Debug, Clone)]
pub struct PreviousSecret {
    /// The hash of the former secret.
    pub hash: SecretHash,
    /// Epoch seconds; from this second on the former secret is refused.
    pub until: u64,
}

/// An API key's record.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// The key's public half.
    pub id: ApiKeyId,
    /// The hash of the current secret.
    pub secret: SecretHash,
    /// The former secret while a rotation's grace period runs.
    pub previous: Option<PreviousSecret>,
    /// The principal that the key speaks for.
    pub owner: String,
    /// What a person calls the key.
    pub name: String,
    /// What the key opens.
    pub scopes: Scopes,
    /// Whether the key may be used.
    pub status: Status,
    /// Epoch seconds.
    pub created_at: u64,
    /// Epoch seconds; from this second on the key is refused, whenever DynamoDB deletes the item.
    pub expires_at: Option<u64>,
    /// The `usageIdentifierKey` that meters the key.
    pub usage_key: Option<String>,
    /// API Gateway's own id of that, by which it is deleted; none where the key has none of its own.
    pub usage_key_id: Option<String>,
    /// The usage plan's name, for people.
    pub usage_plan: Option<String>,
    /// Networks (CIDR) that the key may be used from; empty is anywhere.
    pub allowed_cidrs: Vec<String>,
    /// What a team notes about the key.
    pub metadata: Metadata,
}

/// Which of a record's secrets a key carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretMatch {
    /// The current one.
    Current,
    /// The one before the last rotation, within its grace period.
    Previous,
    /// None that is valid now.
    Neither,
}

impl KeyRecord {
    /// The partition key of a key's record.
    #[must_use]
    pub fn pk(id: &ApiKeyId) -> String {
        format!("key#{id}")
    }

    /// Whether the key's time is over at `now` (epoch seconds).
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|expiry| now >= expiry)
    }

    /// The former secret, while it works at `now` (epoch seconds).
    #[must_use]
    pub fn former(&self, now: u64) -> Option<&PreviousSecret> {
        let previous = self.previous.as_ref();
        previous.filter(|previous| now < previous.until)
    }

    /// Compares a key's secret in constant time with the current and the former one.
    #[must_use]
    pub fn secret_match(&self, key: &ApiKey, now: u64) -> SecretMatch {
        let shown = key.secret_hash();
        let current = self.secret.matches(&shown);
        let previous = self
            .former(now)
            .is_some_and(|previous| previous.hash.matches(&shown));
        match (current, previous) {
            (true, _) => SecretMatch::Current,
            (false, true) => SecretMatch::Previous,
            (false, false) => SecretMatch::Neither,
        }
    }

    /// Reads an item.
    ///
    /// # Errors
    /// When a required attribute is missing or any attribute has the wrong type.
    pub fn from_item(item: &Item) -> Result<Self, MalformedRecord> {
        let read = Attributes::new(item);
        let id = read
            .pk
            .strip_prefix("key#")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| read.malformed("pk"))?;
        let previous = match (
            read.hash("previous_sha256")?,
            read.number("previous_until")?,
        ) {
            (Some(hash), Some(until)) => Some(PreviousSecret { hash, until }),
            _ => None,
        };
        let scopes = read.strings("scopes")?;
        let scopes: Result<Scopes, _> = scopes.iter().map(|text| text.parse::<Scope>()).collect();
        Ok(Self {
            id,
            secret: read.require("secret_sha256", read.hash("secret_sha256")?)?,
            previous,
            owner: read.require("owner", read.text("owner")?)?,
            name: read.text("name")?.unwrap_or_default(),
            scopes: scopes.map_err(|_| read.malformed("scopes"))?,
            status: read.status()?,
            created_at: read.number("created_at")?.unwrap_or_default(),
            expires_at: read.number("expires_at")?,
            usage_key: read.text("usage_key")?,
            usage_key_id: read.text("usage_key_id")?,
            usage_plan: read.text("usage_plan")?,
            allowed_cidrs: read.strings("allowed_cidrs")?,
            metadata: read.metadata("metadata")?,
        })
    }

    /// The item to write.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: u64| AttributeValue::N(value.to_string());
        let mut item = Item::from([
            ("pk".to_owned(), text(&Self::pk(&self.id))),
            ("secret_sha256".to_owned(), text(&self.secret.to_hex())),
            ("owner".to_owned(), text(&self.owner)),
            ("name".to_owned(), text(&self.name)),
            ("status".to_owned(), text(self.status.as_str())),
            ("created_at".to_owned(), number(self.created_at)),
        ]);
        let mut put = |name: &str, value: Option<AttributeValue>| {
            if let Some(value) = value {
                item.insert(name.to_owned(), value);
            }
        };
        // DynamoDB has no empty set: no scopes, no attribute.
        let set = |values: Vec<String>| (!values.is_empty()).then_some(AttributeValue::Ss(values));
        put(
            "scopes",
            set(self.scopes.iter().map(ToString::to_string).collect()),
        );
        put("allowed_cidrs", set(self.allowed_cidrs.clone()));
        let entries: Item = self
            .metadata
            .iter()
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect();
        put(
            "metadata",
            (!entries.is_empty()).then_some(AttributeValue::M(entries)),
        );
        put("expires_at", self.expires_at.map(number));
        put("usage_key", self.usage_key.as_deref().map(text));
        put("usage_key_id", self.usage_key_id.as_deref().map(text));
        put("usage_plan", self.usage_plan.as_deref().map(text));
        if let Some(previous) = &self.previous {
            put("previous_sha256", Some(text(&previous.hash.to_hex())));
            put("previous_until", Some(number(previous.until)));
        }
        item
    }
}

/// A token that was taken back before its `exp`: an item that is there says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedToken {
    /// Whose token it is; `None` is every issuer's token with this `jti`.
    issuer: Option<String>,
}

impl RevokedToken {
    /// The partition key of a token's entry.
    #[must_use]
    pub fn pk(jti: &str) -> String {
        format!("jti#{jti}")
    }

    /// Reads an item.
    ///
    /// # Errors
    /// When the issuer is no string.
    pub fn from_item(item: &Item) -> Result<Self, MalformedRecord> {
        Ok(Self {
            issuer: Attributes::new(item).text("issuer")?,
        })
    }

    /// Whether it takes back a token of this issuer.
    #[must_use]
    pub fn is_of(&self, issuer: &str) -> bool {
        self.issuer.as_deref().is_none_or(|own| own == issuer)
    }
}

/// The current time in epoch seconds.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
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
            scopes: "books:read books:write".parse().unwrap(),
            status: Status::Active,
            created_at: 1_000,
            expires_at: Some(2_000),
            usage_key: Some("plan-standard".into()),
            usage_key_id: Some("a1b2c3d4e5".into()),
            usage_plan: Some("standard".into()),
            allowed_cidrs: vec!["192.0.2.0/24".into()],
            metadata: Metadata::new([("tenant".into(), "acme".into())].into()).unwrap(),
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let key = ApiKey::generate().unwrap();
        let written = record(&key);
        let read = KeyRecord::from_item(&written.to_item()).unwrap();
        assert_eq!(read.to_item(), written.to_item());
        assert_eq!(read.secret_match(&key, 1_500), SecretMatch::Current);
    }

    #[test]
    fn a_key_past_its_expiry_is_refused_before_ttl_deletes_it() {
        let record = record(&ApiKey::generate().unwrap());
        assert!(!record.is_expired(1_999));
        assert!(record.is_expired(2_000));
    }

    #[test]
    fn the_former_secret_is_good_until_its_grace_period_ends() {
        let old = ApiKey::generate().unwrap();
        let new = ApiKey::generate_for(old.id().clone()).unwrap();
        let mut record = record(&new);
        record.previous = Some(PreviousSecret {
            hash: old.secret_hash(),
            until: 1_500,
        });
        assert_eq!(record.secret_match(&old, 1_499), SecretMatch::Previous);
        assert_eq!(record.secret_match(&old, 1_500), SecretMatch::Neither);
        assert_eq!(record.secret_match(&new, 1_500), SecretMatch::Current);
    }

    #[test]
    fn a_record_without_a_secret_names_the_attribute() {
        let mut item = record(&ApiKey::generate().unwrap()).to_item();
        item.remove("secret_sha256");
        let error = KeyRecord::from_item(&item).unwrap_err();
        assert_eq!(error.attribute, "secret_sha256");
    }

    #[test]
    fn metadata_that_nobody_could_have_given_makes_a_malformed_record() {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        for metadata in [
            text("tenant=acme"),
            AttributeValue::M([("a b".into(), text("x"))].into()),
            AttributeValue::M([("a".into(), AttributeValue::Bool(true))].into()),
            AttributeValue::M([("a".into(), text("x\n"))].into()),
        ] {
            let mut item = record(&ApiKey::generate().unwrap()).to_item();
            item.insert("metadata".into(), metadata.clone());
            let error = KeyRecord::from_item(&item).unwrap_err();
            assert_eq!(error.attribute, "metadata", "{metadata:?}");
        }
    }

    #[test]
    fn the_hash_may_be_stored_as_bytes_too() {
        let key = ApiKey::generate().unwrap();
        let mut item = record(&key).to_item();
        let hex = key.secret_hash().to_hex();
        let bytes: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
            .collect();
        item.insert("secret_sha256".into(), AttributeValue::B(bytes.into()));
        let read = KeyRecord::from_item(&item).unwrap();
        assert_eq!(read.secret_match(&key, 0), SecretMatch::Current);
    }
}
