//! The signature of a call by hand, for services of which one or two calls are needed: their SDK clients
//! have over a hundred, and all would be compiled.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::Url;

/// Why a call cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsigned(String);

/// The headers by which `service` knows a POST for ours, besides these `headers` of its own.
///
/// # Errors
/// Without a region or credentials.
pub async fn signature(
    config: &SdkConfig,
    service: &str,
    url: &Url,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Vec<(String, String)>, Unsigned> {
    let lacking = |what: &str| Unsigned(what.to_owned());
    let region = config.region().ok_or_else(|| lacking("no region is set"))?;
    let provider = config.credentials_provider();
    let provider = provider.ok_or_else(|| lacking("no credentials are configured"))?;
    let credentials = provider.provide_credentials().await;
    let credentials = credentials.map_err(|error| Unsigned(error.to_string()))?;
    let identity = credentials.into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| Unsigned(error.to_string()))?;
    let body = SignableBody::Bytes(body.as_bytes());
    let signed = SignableRequest::new("POST", url.as_str(), headers.iter().copied(), body)
        .and_then(|request| sign(request, &parameters.into()))
        .map_err(|error| Unsigned(error.to_string()))?;
    let (instructions, _) = signed.into_parts();
    let headers = instructions.headers();
    Ok(headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
