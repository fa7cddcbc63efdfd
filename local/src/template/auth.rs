//! An API's `Auth` (SAM specification, `ApiAuth`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::Fields;
use super::functions::ByArn;
use super::parameters::whole;
use crate::model::Authorizer;

/// What API Gateway keeps an answer for when the template does not say, in seconds.
const DEFAULT_TTL: u64 = 300;

/// What the API's `Auth` sets for methods that do not say themselves.
#[derive(Debug, Default)]
pub(super) struct AuthDefaults {
    pub(super) authorizer: Option<String>,
    pub(super) authorizer_on_preflight: bool,
    pub(super) api_key_required: bool,
    pub(super) api_key_on_preflight: bool,
}

/// Reads the authorizers by name, and the defaults of methods.
pub(super) fn read(
    mut auth: Fields<'_>,
    functions: &ByArn,
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
        plan.only("CreateUsagePlan", &["NONE"]);
        plan.end();
    }
    auth.end();
    (authorizers, defaults)
}

fn authorizer(mut fields: Fields<'_>, functions: &ByArn) -> Authorizer {
    fields.no_meaning(&["DisableFunctionDefaultPermissions", "FunctionInvokeRole"]);
    fields.only("FunctionPayloadType", &["TOKEN"]);
    let function = fields.required_text("FunctionArn").and_then(|arn| {
        let found = functions.get(&arn).cloned();
        if found.is_none() {
            fields.report(format!(
                "FunctionArn `{arn}` is no function of this template"
            ));
        }
        found
    });
    let mut identity_header = None;
    let mut expression = None;
    let mut ttl = None;
    if let Some(mut identity) = fields.fields("Identity") {
        identity_header = identity.text("Header").filter(|name| !name.is_empty());
        expression = identity
            .text_at("ValidationExpression")
            .filter(|(text, _)| !text.is_empty());
        ttl = identity.number("ReauthorizeEvery", &(0..=3600));
        identity.end();
    }
    let identity_header = identity_header.unwrap_or_else(|| "Authorization".to_owned());
    if http::HeaderName::from_bytes(identity_header.as_bytes()).is_err() {
        fields.report(format!("`{identity_header}` is no header's name"));
    }
    let validation_expression = expression.and_then(|(text, line)| {
        whole(&text)
            .inspect_err(|error| {
                let message = format!("is no expression that the local gateway can match: {error}");
                fields.report_at(line, "Identity.ValidationExpression", message);
            })
            .ok()
    });
    fields.end();
    Authorizer {
        // An unknown function is reported; the methods that name this authorizer are not wrong.
        function: function.unwrap_or_default(),
        identity_header,
        validation_expression,
        result_ttl: Duration::from_secs(ttl.unwrap_or(DEFAULT_TTL)),
    }
}
