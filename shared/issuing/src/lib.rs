//! How an API key comes to be, gets another secret, and ends: in the key table and, where usage
//! plans are configured, at API Gateway. The function `keys` does it for its callers, `keygate
//! keys` for an operator.
//!
//! Two services cannot change in one transaction, so the order of the steps sees to it that what
//! is left half done harms nobody:
//!
//! - Issuing makes the usage key first, then the record: an active record never lacks its usage
//!   key, and a usage key without a record opens nothing. A step that fails is undone.
//! - Revoking marks the record first, then empties the stage's authorizer cache, then deletes the
//!   usage key. Sent again, it does again what is left.
//! - What even so was left is found by the [sweep](Issuing::sweep).
//!
//! Everything together ends within the function's 10 s.

pub mod apigateway;
pub mod expiry;
mod issue;
mod networks;
mod order;
mod representation;
mod revoke;
mod rotate;
mod store;
mod sweep;
mod usage_keys;
mod usage_plans;

use std::time::Duration;

use aws_config::SdkConfig;
use tokio::time::{Instant, timeout_at};

pub use issue::IssueError;
pub use networks::{MAX_NETWORKS, MalformedNetworks, Networks};
pub use order::{MAX_NAME_CHARACTERS, Order};
pub use representation::{Representation, WithKey};
pub use revoke::RevokeError;
pub use rotate::{DEFAULT_GRACE, MAX_GRACE, RotateError};
pub use store::{Position, Store, StoreError};
pub use sweep::Swept;
pub use usage_keys::{Flush, Stage, value_of};
pub use usage_plans::{MalformedUsagePlans, UsagePlan, UsagePlans};

use crate::apigateway::ApiGatewayError;
use keygate_api_key::{ApiKey, RandomnessUnavailable};
use keygate_aws::dynamodb;
use keygate_key_record::KeyRecord;
use keygate_outbound::Outbound;
use keygate_settings::Settings;
use usage_keys::UsageKeys;

/// How long an operation may take, below the 10 s that the function has.
const LIMIT: Duration = Duration::from_secs(9);
/// How much of it undoing may take.
const UNDO_LIMIT: Duration = Duration::from_millis(1500);

/// A service did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The key table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// API Gateway.
    #[error(transparent)]
    ApiGateway(#[from] ApiGatewayError),
    /// The system's random number generator.
    #[error(transparent)]
    Randomness(#[from] RandomnessUnavailable),
    /// One that took so long that no time is left.
    #[error("it took too long")]
    TimedOut,
}

/// A key as it is handed out, once.
#[derive(Debug)]
pub struct Issued {
    /// Its record, as it is now.
    pub record: KeyRecord,
    /// The whole key.
    pub key: ApiKey,
}

/// The key table with, where usage plans are configured, its usage keys.
#[derive(Debug)]
pub struct Issuing {
    /// The key table, for whoever only reads.
    pub store: Store,
    usage_keys: Option<UsageKeys>,
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

    async fn flush(&self, stage: Option<&Stage>) -> Result<Flush, ApiGatewayError> {
        match (&self.usage_keys, stage) {
            (Some(usage_keys), Some(stage)) => usage_keys.flush(stage).await,
            _ => Ok(Flush::NotAsked),
        }
    }
}

/// A step that must end by then.
async fn by<T, E>(deadline: Instant, step: impl Future<Output = Result<T, E>>) -> Result<T, Failure>
where
    E: Into<Failure>,
{
    // On the heap, as calls of the SDK are large and several are named in each operation.
    match timeout_at(deadline, Box::pin(step)).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(Failure::TimedOut),
    }
}
