//! Where a page of an owner's keys starts.

use serde::{Deserialize, Serialize};

use keygate_api_key::{ApiKeyError, ApiKeyId};
use keygate_key_record::{Item, MalformedRecord};

/// A position in the list of an owner's keys: the last key before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "(String, u64)", into = "(String, u64)")]
pub struct Position {
    pub(crate) id: ApiKeyId,
    /// Epoch seconds.
    pub(crate) created_at: u64,
}

impl Position {
    /// An item's position, whatever else it holds.
    pub(crate) fn of(item: &Item) -> Result<Self, MalformedRecord> {
        let text = |name: &str| item.get(name)?.as_s().ok();
        let pk = text("pk").cloned().unwrap_or_default();
        let id = pk.strip_prefix("key#").and_then(|id| id.parse().ok());
        let created_at = item.get("created_at").and_then(|number| number.as_n().ok());
        match (id, created_at.and_then(|digits| digits.parse().ok())) {
            (Some(id), Some(created_at)) => Ok(Self { id, created_at }),
            _ => Err(MalformedRecord {
                pk,
                attribute: "created_at",
            }),
        }
    }
}

impl TryFrom<(String, u64)> for Position {
    type Error = ApiKeyError;

    fn try_from((id, created_at): (String, u64)) -> Result<Self, Self::Error> {
        let id = id.parse()?;
        Ok(Self { id, created_at })
    }
}

impl From<Position> for (String, u64) {
    fn from(position: Position) -> Self {
        (position.id.to_string(), position.created_at)
    }
}
