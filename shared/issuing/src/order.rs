//! What is asked for when a key is issued, and how a repeated request is known again.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::json;

use super::Networks;
use keygate_api_key::ApiKeyId;
use keygate_api_key::sha256;
use keygate_idempotency_key::IdempotencyKey;
use keygate_principal::scope::Scopes;

/// How many characters a key's name has at most; it has one at least.
pub const MAX_NAME_CHARACTERS: usize = 128;

/// A checked request for a key. What whoever asks may hand out is their own check.
#[derive(Debug, Clone)]
pub struct Order {
    /// The principal that the key will speak for.
    pub owner: String,
    /// 1 to [`MAX_NAME_CHARACTERS`] characters.
    pub name: String,
    /// At least one.
    pub scopes: Scopes,
    /// Epoch seconds, in the future.
    pub expires_at: Option<u64>,
    /// The usage plan's name; the default plan without one.
    pub usage_plan: Option<String>,
    /// Where the key may be used from.
    pub networks: Networks,
}

/// A request under an idempotency key, as the key table knows it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The id of the key that the request makes, whoever sends it how often.
    pub(super) id: ApiKeyId,
    /// SHA-256 of what was asked for, in hexadecimal digits.
    pub(super) fingerprint: String,
}

impl Request {
    /// A request of an order's owner. The table is part of the key's id, because two stacks of one
    /// account may not have two usage keys of one value.
    pub(super) fn new(table: &str, order: &Order, key: &IdempotencyKey) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [table, &order.owner, key.as_str()] {
            // With its length before it no part can run into the next.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(context.finish().as_ref());
        Self {
            id: ApiKeyId::derived(&sha256),
            fingerprint: order.fingerprint(),
        }
    }
}

impl Order {
    /// A digest of what is asked for, the same for any spelling of it.
    fn fingerprint(&self) -> String {
        let scopes: Vec<&str> = self
            .scopes
            .iter()
            .map(keygate_principal::scope::Scope::as_str)
            .collect();
        let canonical = json!([
            self.name,
            scopes,
            self.expires_at,
            self.usage_plan,
            self.networks.to_texts(),
        ]);
        sha256::hex(canonical.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(owner: &str) -> Order {
        Order {
            owner: owner.to_owned(),
            name: "nightly import".to_owned(),
            scopes: "items:read items:write".parse().unwrap(),
            expires_at: None,
            usage_plan: None,
            networks: Networks::default(),
        }
    }

    fn id(table: &str, owner: &str, key: &str) -> ApiKeyId {
        Request::new(table, &order(owner), &key.parse().unwrap()).id
    }

    #[test]
    fn the_id_is_another_for_each_table_owner_and_key() {
        let first = id("keys", "me", "one");
        assert_eq!(first, id("keys", "me", "one"));
        for other in [
            id("keys-b", "me", "one"),
            id("keys", "you", "one"),
            id("keys", "me", "two"),
            id("keysm", "e", "one"),
            id("keys", "meo", "ne"),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn the_fingerprint_tells_orders_apart_and_not_their_spellings() {
        let first = order("me");
        let mut other = order("me");
        other.scopes = "items:write  items:read".parse().unwrap();
        assert_eq!(first.fingerprint(), other.fingerprint());
        other.usage_plan = Some("partner".to_owned());
        assert_ne!(first.fingerprint(), other.fingerprint());
        assert_eq!(first.fingerprint().len(), 64);
    }
}
