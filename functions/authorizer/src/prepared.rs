//! Everything that the settings decide, read before anything is started, and checked but for the size
//! of the policies.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use keygate_aws::dynamodb;
use keygate_metrics::Metrics;
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};
use tokio::task::JoinSet;

use crate::authorizer::Authorizer;
use crate::config::{self, Config};
use crate::issuer::Issuer;
use crate::key_set::set::KeySet;
use crate::key_set::source::KeySetSource;

/// An issuer whose keys cannot be had, so that each of its tokens would be answered 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{issuer}: {reason}")]
pub struct MissingKeySet {
    /// Its `iss`.
    pub issuer: String,
    /// Why, in words for the operator.
    pub reason: String,
}

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

    /// Checks what is else checked while the start waits for others: that policies can be made of the
    /// route table.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check_policies(&self) -> Result<(), SettingError> {
        config::policies(&self.config.table, &self.settings).map(drop)
    }

    /// Asks the issuers for their key sets, all at once, as the start and then the first request do, and
    /// says which could not be had. None is needed where a file has the keys.
    pub async fn missing_key_sets(&self) -> Vec<MissingKeySet> {
        let mut fetches = JoinSet::new();
        for issuer in &self.config.issuers {
            if self.seed.is_none() {
                fetches.spawn(missing(issuer.clone(), self.outbound.clone()));
            }
        }
        let mut missing: Vec<_> = fetches.join_all().await.into_iter().flatten().collect();
        missing.sort_by(|one, other| one.issuer.cmp(&other.issuer));
        missing
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
        self.connected(async |settings, outbound, limit| {
            let client = dynamodb::client(outbound).await;
            dynamodb::prewarm(&client, outbound, settings, limit).await;
            client
        })
        .await
    }

    /// Starts the authorizer with the key table in a database that the caller has connected to.
    ///
    /// # Errors
    /// When no policies can be made of the route table.
    pub async fn start_with(self, client: Client) -> Result<Authorizer, SettingError> {
        self.connected(async |_, _, _| client).await
    }

    /// Starts the authorizer with the client that `connection` makes, in the time that it is given.
    async fn connected(
        self,
        connection: impl AsyncFnOnce(&Settings, &Outbound, Duration) -> Client,
    ) -> Result<Authorizer, SettingError> {
        let (settings, outbound) = (&self.settings, &self.outbound);
        Authorizer::prewarmed(
            self.config,
            settings,
            outbound,
            self.seed,
            self.metrics,
            |limit| connection(settings, outbound, limit),
        )
        .await
    }
}

/// Why an issuer's keys cannot be had, if they cannot at the second time either.
async fn missing(issuer: Issuer, outbound: Outbound) -> Option<MissingKeySet> {
    let source = KeySetSource::new(issuer, outbound, Metrics::default());
    if source.keys().await.is_ok() {
        return None;
    }
    let error = source.keys().await.err()?;
    Some(MissingKeySet {
        issuer: source.issuer().iss.clone(),
        reason: error.to_string(),
    })
}
