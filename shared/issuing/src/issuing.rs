//! The key table and API Gateway together.

use std::time::Duration;

use aws_config::SdkConfig;

use crate::apigateway::{self, ApiGatewayError};
use crate::store::Store;
use crate::usage_keys::{Flush, Stage, UsageKeys};
use crate::usage_plans::UsagePlans;
use keygate_aws::dynamodb;
use keygate_outbound::Outbound;
use keygate_settings::Settings;

/// The key table with, where usage plans are configured, its usage keys.
#[derive(Debug)]
pub struct Issuing {
    /// The key table, for whoever only reads.
    pub store: Store,
    pub(crate) usage_keys: Option<UsageKeys>,
}

impl Issuing {
    /// Keys in a table, without usage keys of their own: no call of API Gateway is ever made.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            usage_keys: None,
        }
    }

    /// Gives each key a usage key of its own, on one of these plans. Without any plan new keys get
    /// none, but those that others have got are still deleted.
    #[must_use]
    pub fn with_usage_keys(
        mut self,
        client: aws_sdk_apigateway::Client,
        plans: UsagePlans,
    ) -> Self {
        let table = self.store.table().to_owned();
        self.usage_keys = Some(UsageKeys::new(client, plans, table));
        self
    }

    /// The same on clients of one configuration, with their connections open unless that takes
    /// longer than `limit`.
    pub async fn connected(
        config: &SdkConfig,
        outbound: &Outbound,
        settings: &Settings,
        table: String,
        plans: Option<UsagePlans>,
        limit: Duration,
    ) -> Self {
        let tables = aws_sdk_dynamodb::Client::new(config);
        let prewarmed = dynamodb::prewarm(&tables, outbound, settings, limit);
        match plans {
            None => {
                prewarmed.await;
                Self::new(Store::new(tables, table))
            }
            Some(plans) => {
                let client = aws_sdk_apigateway::Client::new(config);
                let api_gateway = apigateway::prewarm(&client, outbound, settings, limit);
                tokio::join!(prewarmed, api_gateway);
                Self::new(Store::new(tables, table)).with_usage_keys(client, plans)
            }
        }
    }

    /// The plans that keys are issued on; `None` where keys get no usage key of their own.
    #[must_use]
    pub fn plans(&self) -> Option<&UsagePlans> {
        self.usage_keys.as_ref().map(UsageKeys::plans)
    }

    /// The stage that the plans cover, for a caller that is not told by a request.
    ///
    /// # Errors
    /// When API Gateway does not answer or refuses.
    pub async fn stage_of_plans(&self) -> Result<Option<Stage>, ApiGatewayError> {
        match &self.usage_keys {
            Some(usage_keys) => usage_keys.stage().await,
            None => Ok(None),
        }
    }

    pub(crate) async fn flush(&self, stage: Option<&Stage>) -> Result<Flush, ApiGatewayError> {
        match (&self.usage_keys, stage) {
            (Some(usage_keys), Some(stage)) => usage_keys.flush(stage).await,
            _ => Ok(Flush::NotAsked),
        }
    }
}
