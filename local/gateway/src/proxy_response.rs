//! What a handler's answer means ("Output format of a Lambda function for proxy integration", API
//! Gateway guide). Anything else is 502.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::binary::BinaryMediaTypes;
use super::exchange::Exchange;

/// The connection is the gateway's own matter.
const OF_THE_CONNECTION: [&str; 5] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
];

/// A handler's answer that is no proxy response.
#[derive(Debug, thiserror::Error)]
pub(super) enum MalformedResponse {
    #[error("the answer is not JSON of a proxy response: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the answer is no JSON object")]
    NoObject,
    #[error("statusCode {0} is no HTTP status")]
    Status(String),
    #[error("the header {0} is not valid")]
    Header(String),
    #[error("isBase64Encoded is true and the body is not base64")]
    Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProxyResponse {
    #[serde(default)]
    status_code: Option<GivenStatus>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// A status as a number, or the number as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum GivenStatus {
    Number(u16),
    Text(String),
}

impl GivenStatus {
    fn status(&self) -> Result<StatusCode, MalformedResponse> {
        let (status, text) = match self {
            Self::Number(number) => (Some(*number), number.to_string()),
            Self::Text(text) => (text.parse().ok(), text.clone()),
        };
        status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .filter(|status| status.as_u16() >= 200)
            .ok_or(MalformedResponse::Status(text))
    }
}

/// Marks a response whose body is base64 as the handler gave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StillBase64;

/// The response to send. A body in base64 goes out as it is where the request does not accept a type
/// that the API calls binary.
pub(super) fn read(
    answer: &[u8],
    exchange: &Exchange,
    binary: &BinaryMediaTypes,
) -> Result<Response<Bytes>, MalformedResponse> {
    // Serde would take a list for the values of the members.
    if answer.trim_ascii_start().first() != Some(&b'{') {
        return Err(MalformedResponse::NoObject);
    }
    let answer: ProxyResponse = serde_json::from_slice(answer)?;
    let status = answer.status_code.as_ref();
    let status = status.map_or(Ok(StatusCode::OK), GivenStatus::status)?;
    let body = answer.body.unwrap_or_default();
    let is_decoded = answer.is_base64_encoded && binary.has_accepted(exchange.header("accept"));
    let body = if is_decoded {
        STANDARD
            .decode(body)
            .map_err(|_| MalformedResponse::Base64)?
            .into()
    } else {
        Bytes::from(body)
    };
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = Response::new(if bodiless { Bytes::new() } else { body });
    if answer.is_base64_encoded && !is_decoded {
        response.extensions_mut().insert(StillBase64);
    }
    *response.status_mut() = status;
    *response.headers_mut() = merged(
        answer.headers.unwrap_or_default(),
        answer.multi_value_headers.unwrap_or_default(),
    )?;
    let headers = response.headers_mut();
    if !bodiless && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

/// The headers of both maps: of one in both, the single value comes last, unless it is there already.
fn merged(
    single: BTreeMap<String, Value>,
    multi: BTreeMap<String, Vec<Value>>,
) -> Result<HeaderMap, MalformedResponse> {
    let mut headers = HeaderMap::new();
    let single = single.into_iter();
    let single = single.map(|(name, value)| (name, vec![value]));
    for (is_single, (name, values)) in multi
        .into_iter()
        .map(|header| (false, header))
        .chain(single.map(|header| (true, header)))
    {
        let invalid = || MalformedResponse::Header(name.clone());
        let header = HeaderName::try_from(&name).map_err(|_| invalid())?;
        if OF_THE_CONNECTION.contains(&header.as_str()) {
            continue;
        }
        for value in values {
            let value = header_value(&value).ok_or_else(invalid)?;
            let is_there = || headers.get_all(&header).iter().any(|other| other == value);
            if !(is_single && is_there()) {
                headers.append(&header, value);
            }
        }
    }
    Ok(headers)
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => HeaderValue::from_str(text).ok(),
        Value::Number(_) | Value::Bool(_) => HeaderValue::try_from(value.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
