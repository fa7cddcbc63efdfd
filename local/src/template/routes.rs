//! Events of type `Api` to the routes of the API (SAM specification, "Api" event source).

use std::collections::BTreeMap;

use http::Method;

use super::auth::AuthDefaults;
use super::fields::Fields;
use super::problems::Problems;
use crate::model::{Api, Route};

/// One method on one path, as its function asks for it.
#[derive(Debug)]
pub(super) struct Event {
    place: String,
    line: usize,
    api: String,
    method: Option<Method>,
    path: String,
    function: String,
    authorizer: Option<String>,
    api_key_required: Option<bool>,
}

/// Reads one event of a function.
pub(super) fn event(function: &str, mut fields: Fields<'_>) -> Option<Event> {
    let kind = fields.required_text("Type")?;
    if kind != "Api" {
        fields.report(format!(
            "the local gateway does not support events of type {kind}"
        ));
        return None;
    }
    let properties = fields.fields("Properties");
    fields.end();
    let mut properties = properties?;
    let path = properties.required_text("Path");
    let method = properties.required_text("Method");
    let method = method.and_then(|text| {
        parse_method(&text)
            .inspect_err(|message| properties.report(message.clone()))
            .ok()
    });
    if !properties.has("RestApiId") {
        properties.report(
            "RestApiId is required here: name the AWS::Serverless::Api, as in RestApiId: !Ref Api",
        );
    }
    let api = properties.text("RestApiId");
    let (authorizer, api_key_required) = match properties.fields("Auth") {
        Some(mut auth) => {
            // Scopes are Cognito's, the role is IAM's, and the last is about OpenAPI documents.
            auth.no_meaning(&["InvokeRole", "OverrideApiAuth"]);
            let settings = (auth.text("Authorizer"), auth.flag("ApiKeyRequired"));
            auth.end();
            settings
        }
        None => (None, None),
    };
    properties.only("ResponseTransferMode", &["BUFFERED"]);
    let (place, line) = (properties.place().to_owned(), properties.line());
    properties.end();
    Some(Event {
        place,
        line,
        api: api?,
        method: method?,
        path: path?,
        function: function.to_owned(),
        authorizer,
        api_key_required,
    })
}

/// `None` is `ANY`.
fn parse_method(text: &str) -> Result<Option<Method>, String> {
    match text.to_ascii_uppercase().as_str() {
        "ANY" => Ok(None),
        "DELETE" => Ok(Some(Method::DELETE)),
        "GET" => Ok(Some(Method::GET)),
        "HEAD" => Ok(Some(Method::HEAD)),
        "OPTIONS" => Ok(Some(Method::OPTIONS)),
        "PATCH" => Ok(Some(Method::PATCH)),
        "POST" => Ok(Some(Method::POST)),
        "PUT" => Ok(Some(Method::PUT)),
        _ => Err(format!("`{text}` is no method that API Gateway routes")),
    }
}

/// The routes of the API that the events make.
pub(super) fn routes(
    events: Vec<Event>,
    api: &Api,
    defaults: &AuthDefaults,
    problems: &Problems,
) -> Vec<Route> {
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut routes = Vec::with_capacity(events.len());
    for event in events {
        let report = |message: String| problems.report(event.line, &event.place, message);
        if event.api != api.id {
            report("RestApiId names no AWS::Serverless::Api of this template".to_owned());
            continue;
        }
        if let Err(message) = check_path(&event.path, &mut variables) {
            report(format!("the path `{}` {message}", event.path));
            continue;
        }
        let method = event.method.as_ref().map_or("ANY", Method::as_str);
        let key = (method.to_owned(), event.path.clone());
        if let Some(first) = seen.insert(key, event.place.clone()) {
            report(format!("{method} {} is defined by {first} too", event.path));
            continue;
        }
        routes.push(Route {
            authorizer: authorizer(&event, api, defaults, problems),
            api_key_required: api_key_required(&event, defaults, problems),
            method: event.method,
            path: event.path,
            function: event.function,
        });
    }
    routes
}

/// Whether API Gateway can make the resource: parts of letters, digits and `._:-`, `{name}`, and
/// `{name+}` at the end; siblings have one variable name between them, by which `variables`
/// remembers the path above to the name.
fn check_path(path: &str, variables: &mut BTreeMap<String, String>) -> Result<(), String> {
    if path == "/" {
        return Ok(());
    }
    let Some(parts) = path.strip_prefix('/') else {
        return Err("must begin with a slash".to_owned());
    };
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
    };
    let mut above = String::new();
    let mut parts = parts.split('/').peekable();
    while let Some(part) = parts.next() {
        let inner = part
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        if let Some(name) = inner.and_then(|name| name.strip_suffix('+')) {
            if !plain(name) {
                return Err(format!("has a part `{part}` that names no variable"));
            }
            if parts.peek().is_some() {
                return Err(format!(
                    "goes on after `{part}`, which takes the whole rest"
                ));
            }
        } else if let Some(name) = inner {
            if !plain(name) {
                return Err(format!("has a part `{part}` that names no variable"));
            }
            let known = variables
                .entry(above.clone())
                .or_insert_with(|| name.to_owned());
            if known != name {
                return Err(format!(
                    "has `{part}` where another path has `{{{known}}}`: use one name for both"
                ));
            }
        } else if !plain(part) {
            return Err(format!(
                "has a part `{part}` that API Gateway does not take"
            ));
        }
        above.push('/');
        above.push_str(part);
    }
    Ok(())
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
    event.method == Some(Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_api_gateway_cannot_make_are_refused() {
        let mut variables = BTreeMap::new();
        for path in [
            "/",
            "/items",
            "/items/{id}",
            "/{proxy+}",
            "/a/{b}/c.d",
            "/items/{rest+}",
        ] {
            assert_eq!(check_path(path, &mut variables), Ok(()), "{path}");
        }
        let wrong = [
            "",
            "items",
            "/items/",
            "//",
            "/{a+}/b",
            "/{}",
            "/{+}",
            "/x{id}",
            "/a b",
            "/items/{other}",
        ];
        for path in wrong {
            assert!(check_path(path, &mut variables).is_err(), "{path}");
        }
    }

    #[test]
    fn methods_are_read_in_any_case_and_others_are_refused() {
        assert_eq!(parse_method("get"), Ok(Some(Method::GET)));
        assert_eq!(parse_method("Any"), Ok(None));
        assert!(parse_method("TRACE").is_err());
        assert!(parse_method("*").is_err());
    }
}
