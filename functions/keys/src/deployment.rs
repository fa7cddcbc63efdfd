//! What a deployment gives the routes to work on.

use std::time::Duration;

use keygate_aws as aws;
use keygate_issuing::{AuthorizerEvents, Issuing};
use keygate_settings::Settings;

use crate::settings::KeysSettings;
use crate::trust::Trust;

/// How long opening the connections to the table and to API Gateway may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

/// What the routes work on.
#[derive(Debug)]
pub struct Keys {
    pub(crate) issuing: Issuing,
    pub(crate) trust: Trust,
    /// What the authorizer is told of requests.
    pub(crate) events: AuthorizerEvents,
}

impl Keys {
    /// Connects to the table and to API Gateway, by the settings that `read` is of.
    pub async fn open(read: KeysSettings, settings: &Settings) -> Self {
        let config = aws::sdk_config(&read.outbound).await;
        let issuing = Issuing::connected(
            &config,
            &read.outbound,
            settings,
            read.table,
            read.plans,
            PREWARM_LIMIT,
        );
        Self {
            issuing: issuing.await.with_prefix(read.prefix),
            trust: read.trust,
            events: read.events,
        }
    }
}
