//! The event that a handler gets ("Input format of a Lambda function for proxy integration", API
//! Gateway guide).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use keygate_model::deployment::{ACCOUNT_ID, DEPLOYMENT_ID};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::event_headers::headers;
use super::exchange::Exchange;
use super::stage::Stage;

/// The proxy-integration event of a request.
pub(super) fn build(exchange: &Exchange, stage: &Stage, path: &str, body: &Bytes) -> Bytes {
    let is_binary = stage
        .binary
        .has_content_type(exchange.header("content-type"));
    let is_base64 = is_binary && !body.is_empty();
    let text = match body.as_ref() {
        [] => Value::Null,
        body if is_base64 => json!(STANDARD.encode(body)),
        // What is no text comes garbled where its type is not said to be binary, as on AWS.
        body => json!(String::from_utf8_lossy(body)),
    };
    let (headers, multi_headers) = headers(exchange);
    let (query, multi_query) = query(exchange.query.as_deref());
    let variables = (!stage.variables.is_empty()).then_some(&stage.variables);
    let parameters: BTreeMap<_, _> = exchange.path_parameters.iter().cloned().collect();
    let event = json!({
        "resource": exchange.resource_path,
        "path": path,
        "httpMethod": exchange.method.as_str(),
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_query,
        "pathParameters": (!parameters.is_empty()).then_some(parameters),
        "stageVariables": variables,
        "requestContext": request_context(exchange, stage),
        "body": text,
        "isBase64Encoded": is_base64,
    });
    Bytes::from(event.to_string())
}

pub(super) fn request_context(exchange: &Exchange, stage: &Stage) -> Value {
    let mut context = json!({
        "accountId": ACCOUNT_ID,
        "apiId": stage.api_id,
        "deploymentId": DEPLOYMENT_ID,
        "domainName": exchange.domain,
        "domainPrefix": exchange.domain.split(['.', ':']).next(),
        "extendedRequestId": exchange.extended_request_id,
        "httpMethod": exchange.method.as_str(),
        "identity": {
            "accessKey": null, "accountId": null, "caller": null, "user": null, "userArn": null,
            "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null,
            "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null,
            "sourceIp": exchange.source_ip,
            "userAgent": exchange.header("user-agent"),
        },
        "path": exchange.full_path,
        "protocol": exchange.protocol,
        "requestId": exchange.request_id,
        "requestTime": exchange.request_time(),
        "requestTimeEpoch": exchange.received.as_millisecond(),
        "resourceId": exchange.resource_path,
        "resourcePath": exchange.resource_path,
        "stage": stage.name,
    });
    if let Some(key) = &exchange.usage_key {
        context["identity"]["apiKey"] = json!(key.value);
        context["identity"]["apiKeyId"] = json!(key.id);
    }
    if !exchange.authorizer.is_empty() {
        context["authorizer"] = json!(exchange.authorizer);
    }
    context
}

/// Query parameters with their last and with all values, `null` without any.
pub(super) fn query(query: Option<&str>) -> (Value, Value) {
    let mut multi: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in query_pairs(query) {
        multi.entry(name).or_default().push(value);
    }
    if multi.is_empty() {
        return (Value::Null, Value::Null);
    }
    let single: BTreeMap<_, _> = multi
        .iter()
        .map(|(name, values)| (name, values.last()))
        .collect();
    (json!(single), json!(multi))
}

/// The pairs of a query string, decoded; what is no UTF-8 is replaced.
pub(super) fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
