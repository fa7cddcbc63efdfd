//! `Idempotency-Key`: the same key and body give the same item, whatever the network repeats.
//!
//! A record with the body's fingerprint is written in one transaction with the item. Replays are
//! answered from it alone, since the body that comes with them is the body that made the item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use keygate_api_key::sha256;
use keygate_idempotency_key::IdempotencyKey;
use uuid::Uuid;

/// How long a key is remembered, in seconds: a day.
const REMEMBERED_FOR: u64 = 24 * 60 * 60;

/// What is remembered of the request that first came with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The item that it made.
    pub(crate) id: Uuid,
    /// When.
    pub(crate) created_at: Timestamp,
    /// Of which content.
    pub(crate) fingerprint: String,
}

/// The sort key of a key's record: a hash, so that any key fits.
pub(crate) fn sk(key: &IdempotencyKey) -> String {
    format!("idem#{}", sha256::hex(key.as_str().as_bytes()))
}

impl Record {
    /// Reads a record, unless its time is over: `DynamoDB` deletes it late.
    pub(crate) fn from_attributes(
        attributes: &HashMap<String, AttributeValue>,
        now: u64,
    ) -> Option<Self> {
        let text = |name: &str| attributes.get(name)?.as_s().ok();
        let expires_at: u64 = attributes.get("expires_at")?.as_n().ok()?.parse().ok()?;
        (now < expires_at).then_some(())?;
        Some(Self {
            id: text("id")?.parse().ok()?,
            created_at: text("created_at")?.parse().ok()?,
            fingerprint: text("fingerprint")?.clone(),
        })
    }

    /// The record for the table.
    pub(crate) fn to_attributes(
        &self,
        owner: &str,
        key: &IdempotencyKey,
        now: u64,
    ) -> HashMap<String, AttributeValue> {
        let text = |value: String| AttributeValue::S(value);
        HashMap::from([
            ("owner".to_owned(), text(owner.to_owned())),
            ("sk".to_owned(), text(sk(key))),
            ("id".to_owned(), text(self.id.to_string())),
            ("created_at".to_owned(), text(self.created_at.to_string())),
            ("fingerprint".to_owned(), text(self.fingerprint.clone())),
            (
                "expires_at".to_owned(),
                AttributeValue::N((now + REMEMBERED_FOR).to_string()),
            ),
        ])
    }
}
