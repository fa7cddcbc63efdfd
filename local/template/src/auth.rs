//! An API's `Auth` (SAM specification, `ApiAuth`).

use std::collections::BTreeMap;

use keygate_model::{Authorizer, AuthorizerEvents, IdentitySource};

use super::authorizers::{self, is_header_name};
use super::fields::Fields;
use super::permissions::Call;

/// What the API's `Auth` sets for methods that do not say themselves.
#[derive(Debug, Default)]
pub(super) struct AuthDefaults {
    pub(super) authorizer: Option<String>,
    pub(super) authorizer_on_preflight: bool,
    pub(super) api_key_required: bool,
    pub(super) api_key_on_preflight: bool,
}

/// What an API's `Auth` comes to.
#[derive(Debug, Default)]
pub(super) struct Auth {
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    pub(super) defaults: AuthDefaults,
    /// The authorizers that SAM makes no permission for.
    pub(super) calls: Vec<Call>,
}

/// Reads the authorizers by name, and the defaults of methods. `functions` has the logical ids by ARN.
pub(super) fn read(mut auth: Fields<'_>, functions: &BTreeMap<String, String>) -> Auth {
    let mut calls = Vec::new();
    let authorizers: BTreeMap<String, Authorizer> = auth
        .fields("Authorizers")
        .map_or_else(Vec::new, Fields::named)
        .into_iter()
        .map(|(name, fields)| (name, authorizer(fields, functions, &mut calls)))
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
    auth.pass_over(&["InvokeRole"]);
    if let Some(mut plan) = auth.fields("UsagePlan") {
        plan.only("CreateUsagePlan", &["NONE", "PER_API", "SHARED"]);
        // Read where they are written out.
        plan.no_meaning(&["Description", "Quota", "Tags", "Throttle", "UsagePlanName"]);
        plan.end();
    }
    auth.end();
    Auth {
        authorizers,
        defaults,
        calls,
    }
}

fn authorizer(
    mut fields: Fields<'_>,
    functions: &BTreeMap<String, String>,
    calls: &mut Vec<Call>,
) -> Authorizer {
    let is_without_permission = fields.flag("DisableFunctionDefaultPermissions") == Some(true);
    let role = fields.node("FunctionInvokeRole");
    let has_role = role.is_some_and(|role| role.as_text() != Some("NONE"));
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
    let result_ttl = authorizers::result_ttl(identity.as_mut(), "ReauthorizeEvery");
    // SAM takes what belongs to the other events as well, and leaves it out of the API that it makes: so
    // a template can choose the events by a parameter.
    let token = token(&mut identity);
    let sources = sources(&mut identity);
    if let Some(identity) = identity {
        identity.end();
    }
    let events = if kind.as_deref() == Some("REQUEST") {
        let missing = "Identity must have one of Headers, QueryStrings, StageVariables and Context, unless \
                       ReauthorizeEvery is 0: SAM refuses it";
        authorizers::requests(&fields, sources, result_ttl, missing)
    } else {
        token
    };
    if let Some(function) = function
        .as_ref()
        .filter(|_| is_without_permission && !has_role)
    {
        calls.push(Call {
            function: function.clone(),
            place: fields.place().to_owned(),
            line: fields.line(),
        });
    }
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
        expression = authorizers::expression(identity, "ValidationExpression");
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
