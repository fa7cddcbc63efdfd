//! API Gateway's management API: its connection, and what a call that it did not carry out means.

use std::time::Duration;

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::error::ProvideErrorMetadata as _;
use reqwest::Url;

use crate::pages::PagesError;
use keygate_aws as aws;
use keygate_outbound::Outbound;
use keygate_settings::Settings;

/// Opens the connection that the client's first call will use, in at most `limit`. A failure is
/// that call's to report.
pub(crate) async fn prewarm(
    client: &Client,
    outbound: &Outbound,
    settings: &Settings,
    limit: Duration,
) {
    aws::open_connection(outbound, endpoint(client, settings).await, limit).await;
}

/// A call that API Gateway did not carry out, for a reason that is not the caller's.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiGatewayError {
    /// It does not answer, throttles (an account makes 5 usage keys a second), or is changing the
    /// same thing already. Whether the call was carried out is not known.
    #[error("API Gateway is not available: {0}")]
    Unavailable(String),
    /// It refuses the call: a fault of the function, of its permissions, or a quota that is used
    /// up, such as that of API keys.
    #[error("API Gateway refuses the call: {0}")]
    Refused(String),
}

impl ApiGatewayError {
    /// Tells the two apart. The SDK's words name resources and codes, and no credential.
    pub(crate) fn of<E>(error: E) -> Self
    where
        E: Into<aws_sdk_apigateway::Error>,
    {
        let error = error.into();
        let words = aws::words(&error);
        // Without an error code no answer came at all: refused, timed out, broken off.
        if error.code().is_none_or(is_passing) {
            Self::Unavailable(words)
        } else {
            Self::Refused(words)
        }
    }
}

impl<E> From<PagesError<E>> for ApiGatewayError
where
    E: Into<aws_sdk_apigateway::Error>,
{
    fn from(error: PagesError<E>) -> Self {
        match error {
            PagesError::Failed(error) => Self::of(error),
            PagesError::Endless(error) => Self::Refused(error.to_string()),
        }
    }
}

/// Codes of errors that pass by themselves. Most calls may answer more than the SDK's types say,
/// `ServiceUnavailableException` for one.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "ConflictException"
            | "InternalFailure"
            | "InternalServerError"
            | "LimitExceededException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "ThrottlingException"
            | "TooManyRequestsException"
    )
}

/// Where the client's calls go: the override of the environment, or the region's own address.
async fn endpoint(client: &Client, settings: &Settings) -> Option<Url> {
    use aws_sdk_apigateway::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    let config = client.config();
    let params = Params::builder()
        .set_region(config.region().map(ToString::to_string))
        .set_endpoint(aws::endpoint_override(
            settings,
            "AWS_ENDPOINT_URL_API_GATEWAY",
        ))
        .build()
        .ok()?;
    let resolved = DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .ok()?;
    Url::parse(resolved.url()).ok()
}
