//! What every item of the key table has in common.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An item as DynamoDB gives and takes it.
pub type Item = HashMap<String, AttributeValue>;

/// An item of the key table that cannot be what its key says. It is refused as a fault of the
/// table, never taken for a good or a bad credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key table's item {pk} is malformed: attribute {attribute}")]
pub struct MalformedRecord {
    /// The item's partition key, which holds no secret.
    pub pk: String,
    /// The attribute that is missing or has the wrong type.
    pub attribute: &'static str,
}

/// Whether a key or a client may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Shut out, a key for good.
    Revoked,
}

impl Status {
    /// The attribute's text: `active` or `revoked`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        match text {
            "active" => Some(Self::Active),
            "revoked" => Some(Self::Revoked),
            _ => None,
        }
    }
}
