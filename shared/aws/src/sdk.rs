//! The AWS SDK over the function's own HTTP client ([`keygate_outbound`]), with time limits that
//! leave room to answer.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ReconnectMode;
use reqwest::Url;

use keygate_outbound::Outbound;
use keygate_settings::Settings;

/// How long one try may take. DynamoDB answers a key lookup in single-digit milliseconds, API
/// Gateway a change in some hundred.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long all tries together may take, below the functions' own time limits.
const OPERATION_TIMEOUT: Duration = Duration::from_millis(2500);
/// One call and two retries.
const MAX_ATTEMPTS: u32 = 3;

/// The configuration of every service's client, as the AWS SDK finds it: `AWS_REGION`, the shared
/// configuration files, `AWS_ENDPOINT_URL_DYNAMODB`, credentials of the environment, ... No call
/// is made.
pub async fn sdk_config(outbound: &Outbound) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(outbound))
        .timeout_config(timeouts)
        .retry_config(retries())
        .load()
        .await
}

/// How calls over [`http_client`] are tried again. Its pool drops connections that broke; the SDK
/// cannot, and would log an error each time that it wants to.
#[must_use]
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}

/// The function's own HTTP client as the SDK takes it.
#[must_use]
pub fn http_client(outbound: &Outbound) -> SharedHttpClient {
    SharedHttpClient::new(OutboundHttpClient(outbound.clone()))
}

/// Opens the connection that the first call to `endpoint` will use: any answer will do, so the
/// request is unsigned, needs no permission and reads nothing. At most `limit`; a failure is the
/// first real call's to report.
pub async fn open_connection(outbound: &Outbound, endpoint: Option<Url>, limit: Duration) {
    let attempt = async {
        let endpoint = endpoint?;
        let http = outbound.client(&endpoint).ok()?;
        http.get(endpoint).send().await.ok()?.bytes().await.ok()
    };
    let _ = tokio::time::timeout(limit, attempt).await;
}

/// The address of a service that is configured, by the service's own variable or the one for all.
/// One that is not UTF-8 is for the SDK to refuse.
#[must_use]
pub fn endpoint_override(settings: &Settings, variable: &'static str) -> Option<String> {
    [variable, "AWS_ENDPOINT_URL"]
        .into_iter()
        .find_map(|name| settings.optional(name).ok().flatten().map(str::to_owned))
}

/// What became of a call, in one line for a log or a terminal: the service's code and message with
/// the request's id, or else what kept the answer away. No service puts a credential in them.
pub fn words<E: Error + ProvideErrorMetadata>(error: &E) -> String {
    let Some(code) = error.code() else {
        // Without a code the error only says that it is unhandled; its causes say more.
        let mut words = String::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            let more = error.to_string();
            let more = more.lines().map(str::trim).collect::<Vec<_>>().join("; ");
            // Layers that only pass their cause on repeat its words.
            if words.is_empty() {
                words = more;
            } else if !words.ends_with(&more) {
                words = format!("{words}: {more}");
            }
            cause = error.source();
        }
        return words;
    };
    let message = error.message().unwrap_or("no message");
    match error.meta().extra("aws_request_id") {
        Some(id) => format!("{code}: {message} (request {id})"),
        None => format!("{code}: {message}"),
    }
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
    let is_dynamodb = parts.headers.contains_key("x-amz-target");
    let body = body
        .bytes()
        .ok_or_else(|| user(&"a streamed request body is not supported"))?
        .to_vec();
    let mut builder = client.request(parts.method, url).headers(parts.headers);
    if let Some(limit) = read_timeout {
        builder = builder.timeout(limit);
    }
    let response = builder.body(body).send().await.map_err(classify)?;
    let status = response.status();
    let mut answer = http::Response::builder().status(status);
    if let Some(headers) = answer.headers_mut() {
        headers.clone_from(response.headers());
    }
    let bytes = response.bytes().await.map_err(classify)?;
    // DynamoDB answers with a JSON object, be it `{}`. The SDK would take nothing for the same, and
    // so an answer that something in between has lost for an item that is not there.
    if is_dynamodb && status.is_success() && bytes.is_empty() {
        return Err(ConnectorError::io("the answer is empty".into()));
    }
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
