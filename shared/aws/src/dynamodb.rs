//! The DynamoDB client, and what a call that a table did not carry out means.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::CancellationReason;
use reqwest::Url;

use crate::sdk;
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings};

/// How long [`connected`] may hold up a start.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// A client of its own for a function that calls nothing else, with the connection open. A failure of
/// that is the first call's to report.
///
/// # Errors
/// When the settings of outgoing HTTP are wrong.
pub async fn connected(settings: &Settings) -> Result<Client, SettingError> {
    let outbound = Outbound::new(settings)?;
    let client = client(&outbound).await;
    prewarm(&client, &outbound, settings, CONNECT_LIMIT).await;
    Ok(client)
}

/// A client configured as the AWS SDK does it (`AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB`,
/// credentials of the environment, ...). No call is made.
pub async fn client(outbound: &Outbound) -> Client {
    Client::new(&sdk::sdk_config(outbound).await)
}

/// Opens the connection that the client's first call will use, in at most `limit`. A failure is
/// that call's to report.
pub async fn prewarm(client: &Client, outbound: &Outbound, settings: &Settings, limit: Duration) {
    sdk::open_connection(outbound, endpoint(client, settings).await, limit).await;
}

/// A call that a table did not carry out, for a reason that is not the caller's.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The table does not answer, or has no capacity now; later it may.
    #[error("the table is not available: {0}")]
    Unavailable(String),
    /// The table refuses the call: a fault of the function or of its permissions.
    #[error("the table refuses the call: {0}")]
    Refused(String),
}

impl TableError {
    /// Tells the two apart. The SDK's words name tables and codes, and no credential.
    pub fn of<E>(error: E) -> Self
    where
        E: Into<aws_sdk_dynamodb::Error>,
    {
        let error = error.into();
        let words = sdk::words(&error);
        match error {
            aws_sdk_dynamodb::Error::InternalServerError(_)
            | aws_sdk_dynamodb::Error::ProvisionedThroughputExceededException(_)
            | aws_sdk_dynamodb::Error::RequestLimitExceeded(_)
            | aws_sdk_dynamodb::Error::ThrottlingException(_)
            | aws_sdk_dynamodb::Error::TransactionConflictException(_)
            | aws_sdk_dynamodb::Error::TransactionInProgressException(_) => {
                Self::Unavailable(words)
            }
            aws_sdk_dynamodb::Error::TransactionCanceledException(cancelled)
                if cancelled.cancellation_reasons().iter().any(is_throttled) =>
            {
                Self::Unavailable(words)
            }
            // Without an error code no answer came at all: refused, timed out, broken off.
            other if other.code().is_none_or(is_passing) => Self::Unavailable(words),
            _ => Self::Refused(words),
        }
    }

    /// 503 with `Retry-After`, or 500. What the table said is for the log alone.
    #[must_use]
    pub fn into_problem(self) -> keygate_problem::Problem {
        use keygate_problem::{INTERNAL_ERROR, Problem, SERVICE_UNAVAILABLE};

        tracing::error!(error = %self);
        match self {
            Self::Unavailable(_) => {
                Problem::new(&SERVICE_UNAVAILABLE, "The database is not available now.")
                    .with_header(http::header::RETRY_AFTER, "1")
            }
            Self::Refused(_) => Problem::new(&INTERNAL_ERROR, "The database refuses the call."),
        }
    }
}

/// Whether one part of a transaction found no capacity (API reference, `TransactWriteItems`).
fn is_throttled(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        Some("ProvisionedThroughputExceeded" | "ThrottlingError")
    )
}

/// Codes of DynamoDB's common errors that the SDK has no type for and that pass by themselves.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "InternalFailure" | "ServiceUnavailable" | "ServiceUnavailableException"
    )
}

/// Where the client's calls go: the override of the environment, or the region's own address.
async fn endpoint(client: &Client, settings: &Settings) -> Option<Url> {
    use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    let config = client.config();
    let params = Params::builder()
        .set_region(config.region().map(ToString::to_string))
        .set_endpoint(sdk::endpoint_override(
            settings,
            "AWS_ENDPOINT_URL_DYNAMODB",
        ))
        .build()
        .ok()?;
    let resolved = DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .ok()?;
    Url::parse(resolved.url()).ok()
}
