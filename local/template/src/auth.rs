//! An API's `Auth` (SAM specification, `ApiAuth`).

use std::collections::BTreeMap;
use std::time::Duration;

use keygate_model::{Authorizer, AuthorizerEvents, IdentitySource};

use super::fields::Fields;
use super::parameters::whole;

/// What API Gateway keeps an answer for when the template does not say, in seconds.
pub(super) const DEFAULT_TTL: u64 = 300;

/// What the API's `Auth` sets for methods that do not say themselves.
#[derive(Debug, Default)]
pub(super) struct AuthDefaults {
    pub(super) authorizer: Option<String>,
    pub(super) authorizer_on_preflight: bool,
    pub(super) api_key_required: bool,
    pub(super) api_key_on_preflight: bool,
}

/// Reads the authorizers by name, and the defaults of methods. `functions` has the logical ids by ARN.
pub(super) fn read(
    mut auth: Fields<'_>,
    functions: &BTreeMap<String, String>,
) -> (BTreeMap<String, Authorizer>, AuthDefaults) {
    let authorizers: BTreeMap<String, Authorizer> = auth
        .fields("Authorizers")
        .map_or_else(Vec::new, Fields::named)
        .into_iter()
        .map(|(name, fields)| (name, authorizer(fields, functions)))
        .collect();
    let default = auth.text_at("DefaultAuthorizer");
    if let Some((name, line)) = &default
        && !authorizers.contains_key(name)
    {
        let message = format!("the API has no authorizer `{name}`");
        auth.report_at(*line, "DefaultAuthorizer", message);
    }
    let defaults = AuthDefaults {
        authorizer: default.map(|(name, _)| name),
        authorizer_on_preflight: auth
            .flag("AddDefaultAuthorizerToCorsPreflight")
            .unwrap_or(true),
        api_key_required: auth.flag("ApiKeyRequired").unwrap_or(false),
        api_key_on_preflight: auth
            .flag("AddApiKeyRequiredToCorsPreflight")
            .unwrap_or(true),
    };
    // The role by which API Gateway calls functions.
    auth.no_meaning(&["InvokeRole"]);
    if let Some(mut plan) = auth.fields("UsagePlan") {
        plan.only("CreateUsagePlan", &["NONE", "PER_API", "SHARED"]);
        // Read where they are written out.
        plan.no_meaning(&["Description", "Quota", "Tags", "Throttle", "UsagePlanName"]);
        plan.end();
    }
    auth.end();
    (authorizers, defaults)
}

fn authorizer(mut fields: Fields<'_>, functions: &BTreeMap<String, String>) -> Authorizer {
    fields.no_meaning(&["DisableFunctionDefaultPermissions", "FunctionInvokeRole"]);
    let kind = fields.only("FunctionPayloadType", &["TOKEN", "REQUEST"]);
    let function = fields.required_text("FunctionArn").and_then(|arn| {
        let found = functions.get(&arn).cloned();
        if found.is_none() {
            fields.report(format!(
                "FunctionArn `{arn}` is no function of this template"
            ));
        }
        found
    });
    let mut identity = fields.fields("Identity");
    let ttl = identity
        .as_mut()
        .and_then(|identity| identity.number("ReauthorizeEvery", &(0..=3600)));
    let result_ttl = Duration::from_secs(ttl.unwrap_or(DEFAULT_TTL));
    // SAM takes what belongs to the other events as well, and leaves it out of the API that it makes: so
    // a template can choose the events by a parameter.
    let token = token(&mut identity);
    let sources = sources(&mut identity);
    if let Some(identity) = identity {
        identity.end();
    }
    let events = if kind.as_deref() == Some("REQUEST") {
        if sources.is_empty() && !result_ttl.is_zero() {
            fields.report(
                "Identity must have one of Headers, QueryStrings, StageVariables and Context, unless \
                 ReauthorizeEvery is 0: SAM refuses it",
            );
        }
        AuthorizerEvents::Request { sources }
    } else {
        token
    };
    fields.end();
    Authorizer {
        // An unknown function is reported; the methods that name this authorizer are not wrong.
        function: function.unwrap_or_default(),
        events,
        result_ttl,
    }
}

/// What TOKEN events take of a request.
fn token(identity: &mut Option<Fields<'_>>) -> AuthorizerEvents {
    let mut header = None;
    let mut expression = None;
    if let Some(identity) = identity {
        header = identity.text_at("Header").filter(|(name, _)| {
            if !name.is_empty() && !is_header_name(name) {
                identity.report(format!("`{name}` is no header's name"));
            }
            !name.is_empty()
        });
        expression = identity
            .text_at("ValidationExpression")
            .filter(|(text, _)| !text.is_empty())
            .and_then(|(text, line)| {
                let read = whole(&text).inspect_err(|error| {
                    let message =
                        format!("is no expression that the local gateway can match: {error}");
                    identity.report_at(line, "ValidationExpression", message);
                });
                read.ok()
            });
    }
    AuthorizerEvents::Token {
        header: header.map_or_else(|| "Authorization".to_owned(), |(name, _)| name),
        expression,
    }
}

/// The identity sources of REQUEST events, in SAM's order.
fn sources(identity: &mut Option<Fields<'_>>) -> Vec<IdentitySource> {
    let Some(identity) = identity else {
        return Vec::new();
    };
    let mut sources = Vec::new();
    for (list, source) in [
        (
            "Headers",
            IdentitySource::Header as fn(String) -> IdentitySource,
        ),
        ("QueryStrings", IdentitySource::Query),
        ("StageVariables", IdentitySource::StageVariable),
        ("Context", IdentitySource::Context),
    ] {
        for name in identity.scalars(list) {
            if name.is_empty() || list == "Headers" && !is_header_name(&name) {
                identity.report(format!("`{name}` is no name in {list}"));
            }
            sources.push(source(name));
        }
    }
    sources
}

/// Whether a text may be a header's name.
pub(super) fn is_header_name(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}
