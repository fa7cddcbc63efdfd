//! The DynamoDB client: the SDK over the function's own HTTP client ([`crate::outbound`]), with
//! time limits that leave room to answer.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::CancellationReason;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::body::SdkBody;
use reqwest::Url;

use crate::outbound::Outbound;

/// How long one try may take. DynamoDB answers a key lookup in single-digit milliseconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long all tries together may take, below the functions' own time limits.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(2500);
/// One call and two retries.
const MAX_ATTEMPTS: u32 = 3;

/// A client configured as the AWS SDK does it (`AWS_REGION`, `AWS_ENDPOINT_URL_DYNAMODB`,
/// credentials of the environment, ...). No call is made.
pub async fn client(outbound: &Outbound) -> Client {
    Client::new(&sdk_config(outbound).await)
}

/// The SDK configuration behind [`client`], for other AWS services.
pub async fn sdk_config(outbound: &Outbound) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(outbound))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .load()
        .await
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
        let words = DisplayErrorContext(&error).to_string();
        match error {
            aws_sdk_dynamodb::Error::InternalServerError(_)
            | aws_sdk_dynamodb::Error::ProvisionedThroughputExceededException(_)
            | aws_sdk_dynamodb::Error::RequestLimitExceeded(_)
            | aws_sdk_dynamodb::Error::ThrottlingException(_)
            | aws_sdk_dynamodb::Error::TransactionConflictException(_) => Self::Unavailable(words),
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
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn into_problem(self) -> crate::problem::Problem {
        use crate::problem::{INTERNAL_ERROR, Problem, SERVICE_UNAVAILABLE};

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

/// The function's own HTTP client as the SDK takes it.
#[must_use]
pub fn http_client(outbound: &Outbound) -> SharedHttpClient {
    SharedHttpClient::new(OutboundHttpClient(outbound.clone()))
}

/// Opens the connection that the first call will use: any answer of the endpoint will do, so the
/// request is unsigned, needs no permission and reads nothing. At most `limit`; a failure is the
/// first real call's to report.
pub async fn prewarm(client: &Client, outbound: &Outbound, limit: Duration) {
    let attempt = async {
        let endpoint = endpoint(client).await?;
        let http = outbound.client(&endpoint).ok()?;
        http.get(endpoint).send().await.ok()?.bytes().await.ok()
    };
    let _ = tokio::time::timeout(limit, attempt).await;
}

/// Where the client's calls go: the override of the environment, or the region's own address.
async fn endpoint(client: &Client) -> Option<Url> {
    use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    let config = client.config();
    let overridden = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    let params = Params::builder()
        .set_region(config.region().map(ToString::to_string))
        .set_endpoint(overridden)
        .build()
        .ok()?;
    let resolved = DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .ok()?;
    Url::parse(resolved.url()).ok()
}

#[derive(Debug, Clone)]
struct OutboundHttpClient(Outbound);

impl HttpClient for OutboundHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(OutboundConnector {
            outbound: self.0.clone(),
            read_timeout: settings.read_timeout(),
        })
    }
}

#[derive(Debug)]
struct OutboundConnector {
    outbound: Outbound,
    read_timeout: Option<Duration>,
}

impl HttpConnector for OutboundConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let outbound = self.outbound.clone();
        let read_timeout = self.read_timeout;
        HttpConnectorFuture::new(async move { send(&outbound, request, read_timeout).await })
    }
}

async fn send(
    outbound: &Outbound,
    request: HttpRequest,
    read_timeout: Option<Duration>,
) -> Result<Response, ConnectorError> {
    let user = |error: &dyn ToString| ConnectorError::user(error.to_string().into());
    let url = Url::parse(request.uri()).map_err(|error| user(&error))?;
    let client = outbound
        .client(&url)
        .map_err(|error| ConnectorError::user(error.into()))?;
    let request = request.try_into_http1x().map_err(|error| user(&error))?;
    let (parts, body) = request.into_parts();
    let body = body
        .bytes()
        .ok_or_else(|| user(&"a streamed request body is not supported"))?
        .to_vec();
    let mut builder = client.request(parts.method, url).headers(parts.headers);
    if let Some(limit) = read_timeout {
        builder = builder.timeout(limit);
    }
    let response = builder.body(body).send().await.map_err(classify)?;
    let mut answer = http::Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    let bytes = response.bytes().await.map_err(classify)?;
    let answer = answer
        .body(SdkBody::from(bytes))
        .map_err(|error| user(&error))?;
    Response::try_from(answer).map_err(|error| user(&error))
}

/// Tells the SDK's retry policy what may be tried again.
fn classify(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
