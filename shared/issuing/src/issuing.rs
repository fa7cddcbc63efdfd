//! The key table and API Gateway together.

use std::time::Duration;

use aws_config::SdkConfig;

use crate::apigateway::{self, ApiGatewayError};
use crate::metering::Metering;
use crate::stage::{Flush, Stage};
use crate::store::Store;
use crate::usage_plans::UsagePlans;
use keygate_api_key::KeyPrefix;
use keygate_aws::dynamodb;
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};

/// A stack's usage plans: what it takes to meter each key and each registered client by itself.
#[derive(Debug, Clone)]
pub struct StackPlans {
    /// The plans to choose from.
    pub plans: UsagePlans,
    /// The stack that the usage keys are of: each carries its name in a tag.
    pub stack: String,
}

impl StackPlans {
    /// Reads `USAGE_PLANS` and, with it, `STACK_NAME`. `None` without plans.
    ///
    /// # Errors
    /// When one is missing or malformed.
    pub fn read(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let Some(plans) = settings.parsed("USAGE_PLANS")? else {
            return Ok(None);
        };
        let stack = settings.required("STACK_NAME", "the stack whose tag usage keys carry")?;
        let stack = stack.to_owned();
        Ok(Some(Self { plans, stack }))
    }
}

/// The key table with, where usage plans are configured, its usage keys.
#[derive(Debug)]
pub struct Issuing {
    /// The key table, for whoever only reads.
    pub store: Store,
    pub(crate) metering: Option<Metering>,
    pub(crate) prefix: KeyPrefix,
}

impl Issuing {
    /// Keys in a table, without usage keys of their own: no call of API Gateway is ever made.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            metering: None,
            prefix: KeyPrefix::default(),
        }
    }

    /// Gives each key and each registered client a usage key of its own, on one of these plans, with
    /// the tag of this stack. Without any plan new ones get none, but those that others have got are
    /// still deleted.
    #[must_use]
    pub fn with_usage_keys(
        mut self,
        client: aws_sdk_apigateway::Client,
        plans: UsagePlans,
        stack: String,
    ) -> Self {
        self.metering = Some(Metering::new(client, plans, stack));
        self
    }

    /// Has new keys, and the new secrets of others, begin with these letters instead of `kg`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: KeyPrefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// The same on clients of one configuration, with their connections open unless that takes
    /// longer than `limit`.
    pub async fn connected(
        config: &SdkConfig,
        outbound: &Outbound,
        settings: &Settings,
        table: String,
        plans: Option<StackPlans>,
        limit: Duration,
    ) -> Self {
        let tables = aws_sdk_dynamodb::Client::new(config);
        let prewarmed = dynamodb::prewarm(&tables, outbound, settings, limit);
        match plans {
            None => {
                prewarmed.await;
                Self::new(Store::new(tables, table))
            }
            Some(StackPlans { plans, stack }) => {
                let client = aws_sdk_apigateway::Client::new(config);
                let api_gateway = apigateway::prewarm(&client, outbound, settings, limit);
                tokio::join!(prewarmed, api_gateway);
                Self::new(Store::new(tables, table)).with_usage_keys(client, plans, stack)
            }
        }
    }

    /// The plans that keys are issued on; `None` where keys get no usage key of their own.
    #[must_use]
    pub fn plans(&self) -> Option<&UsagePlans> {
        self.metering.as_ref().map(Metering::plans)
    }

    /// The stage that the plans cover, for a caller that is not told by a request.
    ///
    /// # Errors
    /// When API Gateway does not answer or refuses.
    pub async fn stage_of_plans(&self) -> Result<Option<Stage>, ApiGatewayError> {
        match &self.metering {
            Some(metering) => metering.stage().await,
            None => Ok(None),
        }
    }

    pub(crate) async fn flush(&self, stage: Option<&Stage>) -> Result<Flush, ApiGatewayError> {
        match (&self.metering, stage) {
            (Some(metering), Some(stage)) => metering.flush(stage).await,
            _ => Ok(Flush::NotAsked),
        }
    }
}
