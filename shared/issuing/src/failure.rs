//! Why a step failed that the caller could do nothing about.

use crate::apigateway::ApiGatewayError;
use crate::store::StoreError;
use keygate_api_key::RandomnessUnavailable;
use keygate_aws::dynamodb::TableError;

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

impl Failure {
    /// Whether the key table has refused the call, so that nothing was written.
    pub(crate) fn is_refused_by_table(&self) -> bool {
        matches!(self, Self::Store(StoreError::Table(TableError::Refused(_))))
    }
}
