//! Everything that the settings decide, read before anything is started, and checked but for the size
//! of the policies.

use keygate_aws::dynamodb;
use keygate_metrics::Metrics;
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};

use crate::authorizer::Authorizer;
use crate::config::{self, Config};
use crate::key_set::set::KeySet;

/// An authorizer that can be started.
#[derive(Debug)]
pub struct Prepared {
    settings: Settings,
    config: Config,
    outbound: Outbound,
    seed: Option<KeySet>,
    metrics: Metrics,
}

impl Prepared {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// When one is missing or malformed, or a file that one names cannot be used.
    pub fn read(settings: Settings) -> Result<Self, SettingError> {
        let config = Config::read(&settings)?;
        let outbound = Outbound::new(&settings)?;
        // Where an issuer needs the TLS client it is made now, so that a certificate bundle that
        // cannot be used is named.
        for issuer in &config.issuers {
            outbound.client(issuer.url.as_url())?;
        }
        let jwks_file = config.jwks_file.as_deref();
        let seed = jwks_file.map(config::key_set_file).transpose()?;
        Ok(Self {
            settings,
            config,
            outbound,
            seed,
            metrics: Metrics::default(),
        })
    }

    /// Has decisions and what they take counted in their log lines. Whoever only explains them counts
    /// nothing.
    #[must_use]
    pub fn counted_by(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Starts the authorizer on a client of the AWS SDK's own making.
    ///
    /// # Errors
    /// When no policies can be made of the route table.
    pub async fn start(self) -> Result<Authorizer, SettingError> {
        let (settings, outbound) = (&self.settings, &self.outbound);
        let connection = |limit| async move {
            let client = dynamodb::client(outbound).await;
            dynamodb::prewarm(&client, outbound, settings, limit).await;
            client
        };
        Authorizer::prewarmed(
            self.config,
            settings,
            outbound,
            self.seed,
            self.metrics,
            connection,
        )
        .await
    }

    /// Starts the authorizer with the key table in a database that the caller has connected to.
    ///
    /// # Errors
    /// When no policies can be made of the route table.
    pub async fn start_with(
        self,
        client: aws_sdk_dynamodb::Client,
    ) -> Result<Authorizer, SettingError> {
        let (settings, outbound) = (&self.settings, &self.outbound);
        let connection = |_| std::future::ready(client);
        Authorizer::prewarmed(
            self.config,
            settings,
            outbound,
            self.seed,
            self.metrics,
            connection,
        )
        .await
    }
}
