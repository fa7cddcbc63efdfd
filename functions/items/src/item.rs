//! An item: what a client writes and reads.

use jiff::Timestamp;
use keygate_problem::Problem;
use keygate_proxy::ProxyRequest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An item, as a client reads it and as the table holds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    /// Unique, and in order of creation.
    pub(crate) id: Uuid,
    /// 1 to 256 characters.
    pub(crate) name: String,
    /// Up to 4,096 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Any JSON object, as the client wrote it: numbers keep all their digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Box<RawValue>>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The entity tag as `ETag` has it, quotation marks included: another one after each write.
    pub(crate) etag: String,
}

impl Item {
    /// A new item of what a request's body says, or everything that is wrong with the body.
    pub(crate) fn new(request: &ProxyRequest) -> Result<Self, Problem> {
        let mut fields = request.fields()?;
        let name = fields.required_string("name", 1, 256);
        let description = fields.string("description", 0, 4_096);
        let attributes = fields.object("attributes");
        fields.finish()?;
        // The id first: ids and times of creation are in the same order.
        let id = Uuid::now_v7();
        let now = Timestamp::now();
        Ok(Self {
            id,
            name,
            description,
            attributes,
            created_at: now,
            updated_at: now,
            etag: format!("\"{}\"", Uuid::new_v4()),
        })
    }
}
