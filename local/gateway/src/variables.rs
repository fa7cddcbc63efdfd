//! `$context` variables in gateway responses and in the access log ("Variables for access logging
//! for API Gateway", API Gateway guide). A variable that is not known here is refused at start.

use std::sync::LazyLock;

use keygate_model::deployment::{ACCOUNT_ID, DEPLOYMENT_ID};
use keygate_visible::{is_invisible, push_json};
use regex::Regex;

use super::exchange::Exchange;
use super::stage::Stage;

/// A name that follows `$`: segments of letters, digits, `_` and `-`, joined by dots.
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\$\{?((?:context|stageVariables)(?:\.[A-Za-z0-9_-]+)+)\}?").ok());

/// A variable that this gateway does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: the local gateway has no variable ${name}")]
pub struct UnknownVariable {
    place: String,
    name: String,
}

impl UnknownVariable {
    pub(super) fn new(place: &str, name: &str) -> Self {
        Self {
            place: place.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// A text with variables, read once.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Variable(String),
}

/// What stands for a variable without a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent {
    /// `-`, as in access logs.
    Dash,
    /// Nothing, as in gateway responses.
    Nothing,
}

impl Template {
    /// Reads a text; `place` says where it stands, for the error.
    pub(super) fn read(text: &str, place: &str) -> Result<Self, UnknownVariable> {
        let mut pieces = Vec::new();
        let mut done = 0;
        for found in REFERENCE.iter().flat_map(|regex| regex.captures_iter(text)) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else {
                continue;
            };
            if !is_known(name.as_str()) {
                return Err(UnknownVariable::new(place, name.as_str()));
            }
            pieces.push(Piece::Text(text[done..whole.start()].to_owned()));
            pieces.push(Piece::Variable(name.as_str().to_owned()));
            done = whole.end();
        }
        pieces.push(Piece::Text(text[done..].to_owned()));
        Ok(Self(pieces))
    }

    /// Puts the values in. They are escaped as inside a JSON string, so that nothing a client sends
    /// can break the text apart, or hide in it.
    pub(super) fn render(&self, exchange: &Exchange, stage: &Stage, absent: Absent) -> String {
        let mut text = String::with_capacity(512);
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Variable(name) => match (value(name, exchange, stage), absent) {
                    // The one variable that brings its own quotation marks.
                    (Some(value), _) if name == "context.error.messageString" => {
                        text.push('"');
                        escape(&value, &mut text);
                        text.push('"');
                    }
                    (Some(value), _) => escape(&value, &mut text),
                    (None, Absent::Dash) => text.push('-'),
                    (None, Absent::Nothing) if name == "context.error.messageString" => {
                        text.push_str("null");
                    }
                    (None, Absent::Nothing) => {}
                },
            }
        }
        text
    }
}

fn escape(value: &str, text: &mut String) {
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            hidden if is_invisible(hidden) => push_json(hidden, text),
            other => text.push(other),
        }
    }
}

/// Whether [`value`] knows a name.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 39] = [
        "accountId",
        "apiId",
        "authorizer.error",
        "authorizer.integrationLatency",
        "authorizer.latency",
        "authorizer.requestId",
        "authorizer.status",
        "deploymentId",
        "domainName",
        "domainPrefix",
        "error.message",
        "error.messageString",
        "error.responseType",
        "extendedRequestId",
        "httpMethod",
        "identity.apiKey",
        "identity.apiKeyId",
        "identity.sourceIp",
        "identity.userAgent",
        "integration.error",
        "integration.integrationStatus",
        "integration.latency",
        "integration.requestId",
        "integration.status",
        "integrationErrorMessage",
        "integrationLatency",
        "integrationStatus",
        "path",
        "protocol",
        "requestId",
        "requestTime",
        "requestTimeEpoch",
        "resourceId",
        "resourcePath",
        "responseLatency",
        "responseLength",
        "stage",
        "status",
        "error.validationErrorString",
    ];
    if name.starts_with("stageVariables.") {
        return true;
    }
    name.strip_prefix("context.").is_some_and(|name| {
        // Any other name below `authorizer` is a key of the authorizer's context.
        NAMES.contains(&name) || name.starts_with("authorizer.")
    })
}

/// A variable's value, or `None` where there is none for this request.
pub(super) fn value(name: &str, exchange: &Exchange, stage: &Stage) -> Option<String> {
    if let Some(name) = name.strip_prefix("stageVariables.") {
        return stage.variables.get(name).cloned();
    }
    let name = name.strip_prefix("context.")?;
    let owned = |text: &str| Some(text.to_owned());
    let authorizer = exchange.authorizer_call.as_ref();
    let integration = exchange.integration_call.as_ref();
    let milliseconds = |duration: std::time::Duration| duration.as_millis().to_string();
    match name {
        "accountId" => owned(ACCOUNT_ID),
        "apiId" => owned(&stage.api_id),
        "authorizer.error" => authorizer.and_then(|call| call.error.clone()),
        "authorizer.latency" | "authorizer.integrationLatency" => {
            authorizer.map(|call| milliseconds(call.latency))
        }
        "authorizer.status" => authorizer.and_then(|call| Some(call.status?.to_string())),
        "authorizer.requestId" => authorizer.and_then(|_| owned(&exchange.request_id)),
        "deploymentId" => owned(DEPLOYMENT_ID),
        "domainName" => owned(&exchange.domain),
        "domainPrefix" => exchange.domain.split(['.', ':']).next().map(str::to_owned),
        "error.message" | "error.messageString" => {
            exchange.fault.as_ref()?.said().map(ToOwned::to_owned)
        }
        "error.validationErrorString" => exchange.fault.as_ref()?.validation.clone(),
        "error.responseType" => exchange
            .fault
            .as_ref()
            .map(|fault| fault.kind.name().to_owned()),
        "extendedRequestId" => owned(&exchange.extended_request_id),
        "requestId" => owned(&exchange.request_id),
        "httpMethod" => owned(exchange.method.as_str()),
        "identity.apiKey" => exchange.usage_key.as_ref().map(|key| key.value.clone()),
        "identity.apiKeyId" => exchange.usage_key.as_ref().map(|key| key.id.clone()),
        "identity.sourceIp" => owned(&exchange.source_ip),
        "identity.userAgent" => exchange.header("user-agent").map(ToOwned::to_owned),
        "integration.error" | "integrationErrorMessage" => {
            integration.and_then(|call| call.error.clone())
        }
        "integration.latency" | "integrationLatency" => {
            integration.map(|call| milliseconds(call.latency))
        }
        "integration.requestId" => integration.and_then(|_| owned(&exchange.request_id)),
        "integration.status" | "integration.integrationStatus" | "integrationStatus" => {
            integration.and_then(|call| Some(call.status?.to_string()))
        }
        "path" => owned(&exchange.full_path),
        "protocol" => owned(&exchange.protocol),
        "requestTime" => Some(exchange.request_time()),
        "requestTimeEpoch" => Some(exchange.received.as_millisecond().to_string()),
        "resourceId" | "resourcePath" => exchange.resource_path.clone(),
        "responseLatency" => Some(milliseconds(exchange.started.elapsed())),
        "responseLength" => Some(exchange.response_length.to_string()),
        "stage" => owned(&stage.name),
        // Without an answer of an integration there is no status yet (measured on AWS).
        "status" => (exchange.status != 0).then(|| exchange.status.to_string()),
        other => exchange
            .authorizer
            .get(other.strip_prefix("authorizer.")?)
            .cloned(),
    }
}
