//! What a handler's answer means ("Output format of a Lambda function for proxy integration", API
//! Gateway guide). Anything else is 502.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// A handler's answer that is no proxy response.
#[derive(Debug, thiserror::Error)]
pub(super) enum MalformedResponse {
    #[error("the answer is not JSON of a proxy response: {0}")]
    Json(#[from] serde_json::Error),
    #[error("statusCode {0} is no HTTP status")]
    Status(u16),
    #[error("the header {0} is not valid")]
    Header(String),
    #[error("isBase64Encoded is true and the body is not base64")]
    Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProxyResponse {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<Value>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response to send.
pub(super) fn read(answer: &[u8]) -> Result<Response<Bytes>, MalformedResponse> {
    let answer: ProxyResponse = serde_json::from_slice(answer)?;
    let status = StatusCode::from_u16(answer.status_code)
        .ok()
        .filter(|status| status.as_u16() >= 200)
        .ok_or(MalformedResponse::Status(answer.status_code))?;
    let body = answer.body.unwrap_or_default();
    let body = if answer.is_base64_encoded {
        STANDARD
            .decode(body)
            .map_err(|_| MalformedResponse::Base64)?
            .into()
    } else {
        Bytes::from(body)
    };
    let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let mut response = Response::new(if bodiless { Bytes::new() } else { body });
    *response.status_mut() = status;
    let multi = answer.multi_value_headers.unwrap_or_default();
    // Of a header in both maps only the values of multiValueHeaders count.
    let single = answer.headers.unwrap_or_default().into_iter();
    let single =
        single.filter(|(name, _)| !multi.keys().any(|other| other.eq_ignore_ascii_case(name)));
    let single = single.map(|(name, value)| (name, vec![value]));
    let all: Vec<_> = single.chain(multi.clone()).collect();
    for (name, values) in all {
        let invalid = || MalformedResponse::Header(name.clone());
        let header = HeaderName::try_from(&name).map_err(|_| invalid())?;
        // The connection is the gateway's own matter.
        if [
            "connection",
            "content-length",
            "keep-alive",
            "transfer-encoding",
            "upgrade",
        ]
        .contains(&header.as_str())
        {
            continue;
        }
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return Err(invalid()),
            };
            let value = HeaderValue::from_str(&text).map_err(|_| invalid())?;
            response.headers_mut().append(&header, value);
        }
    }
    if !bodiless && !response.headers().contains_key(CONTENT_TYPE) {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_becomes_the_response() {
        let response = read(
            br#"{"statusCode":201,"headers":{"ETag":"\"1\"","X":"a"},
                 "multiValueHeaders":{"x":["b","c"]},"body":"aGk=","isBase64Encoded":true}"#,
        )
        .unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["etag"], "\"1\"");
        let values: Vec<_> = response.headers().get_all("x").iter().collect();
        assert_eq!(values, ["b", "c"]);
        assert_eq!(response.body(), "hi");
    }

    #[test]
    fn what_is_no_proxy_response_is_refused() {
        for answer in [
            "",
            "null",
            "{}",
            r#""hello""#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":"200"}"#,
            r#"{"statusCode":200,"body":{}}"#,
            r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"b\r\nc: d"}}"#,
        ] {
            assert!(read(answer.as_bytes()).is_err(), "{answer}");
        }
    }
}
