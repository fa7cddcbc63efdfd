//! What is asked for when a key is issued.

use crate::networks::Networks;
use keygate_key_record::Metadata;
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
    /// What is noted about the key.
    pub metadata: Metadata,
}
