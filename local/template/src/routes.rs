//! Events of type `Api` to the routes of the API (SAM specification, "Api" event source).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::str::FromStr;

use http::Method;
use keygate_model::{Api, Ignored, Integration, Route};
use keygate_routes::{ResourcePath, Resources, RouteMethod};

use super::api::Draft;
use super::auth::AuthDefaults;
use super::fields::Fields;
use super::ignored;
use super::method::{Checks, Event};
use super::problems::Problems;
use super::request_validation::Asked;

/// What calls a function.
#[derive(Debug)]
pub(super) enum Source {
    /// A request to the API.
    Api(Box<Event>),
    /// Something beside the API.
    Other(Ignored),
}

/// Reads one event of a function.
pub(super) fn event(function: &str, mut fields: Fields<'_>) -> Option<Source> {
    let kind = fields.required_text("Type")?;
    if ignored::is_event(&kind) {
        return Some(Source::Other(Ignored {
            line: fields.line(),
            place: fields.place().to_owned(),
            kind,
        }));
    }
    if kind != "Api" {
        fields.report(format!(
            "the local gateway does not support events of type {kind}"
        ));
        return None;
    }
    let properties = fields.fields("Properties");
    fields.end();
    let mut properties = properties?;
    let path = parsed(&mut properties, "Path");
    let method = parsed(&mut properties, "Method");
    let api = properties.text("RestApiId");
    let (authorizer, api_key_required) = match properties.fields("Auth") {
        Some(mut auth) => {
            // Scopes are Cognito's, the role is IAM's, and the last is about OpenAPI documents.
            auth.pass_over(&["InvokeRole", "OverrideApiAuth"]);
            let settings = (auth.text("Authorizer"), auth.flag("ApiKeyRequired"));
            auth.end();
            settings
        }
        None => (None, None),
    };
    let asked = Asked::read(&mut properties);
    properties.only("ResponseTransferMode", &["BUFFERED"]);
    let (place, line) = (properties.place().to_owned(), properties.line());
    properties.end();
    Some(Source::Api(Box::new(Event {
        place,
        line,
        api: api?,
        method: method?,
        path: path?,
        integration: Integration::Function(function.to_owned()),
        authorizer,
        api_key_required,
        checks: Checks::Asked(asked),
        has_role: false,
    })))
}

/// A text that must be there, read as what it is.
fn parsed<T>(properties: &mut Fields<'_>, name: &str) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    let text = properties.required_text(name)?;
    text.parse()
        .inspect_err(|error: &T::Err| properties.report(error.to_string()))
        .ok()
}

/// The routes of the API that the events make.
pub(super) fn routes(events: Vec<Event>, draft: &Draft, problems: &Problems) -> Vec<Route> {
    let Draft {
        api,
        defaults,
        models,
        ..
    } = draft;
    let mut seen: HashMap<(RouteMethod, ResourcePath), String> = HashMap::new();
    let mut resources = Resources::default();
    let mut routes = Vec::with_capacity(events.len());
    for event in events {
        let report = |message: String| problems.report(event.line, &event.place, message);
        if event.api != api.id {
            report("RestApiId names no AWS::Serverless::Api of this template".to_owned());
            continue;
        }
        if let Err(conflict) = resources.add(&event.path) {
            report(conflict.to_string());
            continue;
        }
        let key = (event.method.clone(), event.path.clone());
        if let Some(first) = seen.insert(key, event.place.clone()) {
            let (method, path) = (&event.method, &event.path);
            report(format!("{method} {path} is defined by {first} too"));
            continue;
        }
        routes.push(Route {
            authorizer: authorizer(&event, api, defaults, problems),
            api_key_required: api_key_required(&event, defaults, problems),
            method: event.method,
            path: event.path,
            throttle: None,
            throttles: BTreeMap::new(),
            validation: match event.checks {
                Checks::Asked(asked) => asked.validation(models, report),
                Checks::Read(validation) => validation,
            },
            integration: event.integration,
            line: event.line,
        });
    }
    routes
}

/// The method's authorizer: its own, or the API's default, which `NONE` takes away.
fn authorizer(
    event: &Event,
    api: &Api,
    defaults: &AuthDefaults,
    problems: &Problems,
) -> Option<String> {
    let report = |message: String| problems.report(event.line, &event.place, message);
    match event.authorizer.as_deref() {
        Some("NONE") => {
            if defaults.authorizer.is_none() {
                report(
                    "Authorizer NONE needs a DefaultAuthorizer on the API: SAM refuses it".into(),
                );
            }
            None
        }
        Some(name) => {
            if !api.authorizers.contains_key(name) {
                report(format!("the API has no authorizer `{name}`"));
            }
            Some(name.to_owned())
        }
        None if is_options(event) && !defaults.authorizer_on_preflight => None,
        None => defaults.authorizer.clone(),
    }
}

fn api_key_required(event: &Event, defaults: &AuthDefaults, problems: &Problems) -> bool {
    if event.api_key_required == Some(false) && !defaults.api_key_required {
        problems.report(
            event.line,
            &event.place,
            "ApiKeyRequired false needs ApiKeyRequired on the API: SAM refuses it",
        );
    }
    // SAM drops even the method's own setting here.
    if defaults.api_key_required && is_options(event) && !defaults.api_key_on_preflight {
        return false;
    }
    event.api_key_required.unwrap_or(defaults.api_key_required)
}

fn is_options(event: &Event) -> bool {
    event.method == RouteMethod::One(Method::OPTIONS)
}
