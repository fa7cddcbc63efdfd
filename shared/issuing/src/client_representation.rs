//! An OAuth client as it is read over HTTP and on a terminal.

use jiff::Timestamp;
use serde::Serialize;

use keygate_key_record::RegisteredClient;

use crate::representation::time;

/// A client's public side.
#[derive(Debug, Serialize)]
pub struct ClientRepresentation {
    client_id: String,
    /// Whose client it is; `null` is every trusted issuer's of this name.
    issuer: Option<String>,
    name: Option<String>,
    /// `active` or `revoked`.
    status: &'static str,
    usage_plan: Option<String>,
    /// When it was registered; `null` where somebody wrote the record by hand.
    created_at: Option<Timestamp>,
}

impl From<&RegisteredClient> for ClientRepresentation {
    fn from(client: &RegisteredClient) -> Self {
        Self {
            client_id: client.client_id.clone(),
            issuer: client.record.issuer.clone(),
            name: client.name.clone(),
            status: client.record.status.as_str(),
            usage_plan: client.usage_plan.clone(),
            created_at: Some(client.created_at)
                .filter(|&created_at| created_at > 0)
                .and_then(time),
        }
    }
}
