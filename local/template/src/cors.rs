//! An API's `Cors` (SAM specification, `CorsConfiguration`): on every path without a method `OPTIONS`, SAM
//! makes one that API Gateway answers by itself.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue,
};
use keygate_model::{Integration, Mock, Route, Validation};
use keygate_routes::{METHODS, RouteMethod};

use super::auth::AuthDefaults;
use super::fields::Fields;
use super::literal;
use super::yaml::{Node, Value};

/// What the preflight answers of an API carry.
#[derive(Debug)]
pub(super) struct Cors {
    line: usize,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// `None` answers the methods that a path has.
    methods: Option<HeaderValue>,
}

/// Reads `Cors`, in its form of an origin or of a mapping.
pub(super) fn read(properties: &mut Fields<'_>) -> Option<Cors> {
    let node = properties.node("Cors")?;
    let line = node.line;
    let mut fields = match node.value {
        Value::Text(text) if text.is_empty() => return None,
        Value::Text(text) => {
            let origin = Node::text(line, text);
            properties.nested("Cors", Node::map(line, vec![("AllowOrigin", origin)]))?
        }
        _ => properties.nested("Cors", node)?,
    };
    let origin = if fields.has("AllowOrigin") {
        value(&mut fields, "AllowOrigin")
    } else {
        Some(HeaderValue::from_static("*"))
    };
    let methods = value(&mut fields, "AllowMethods");
    let mut headers = Vec::new();
    headers.extend(
        origin
            .clone()
            .map(|value| (ACCESS_CONTROL_ALLOW_ORIGIN, value)),
    );
    for (name, header) in [
        ("AllowHeaders", ACCESS_CONTROL_ALLOW_HEADERS),
        ("MaxAge", ACCESS_CONTROL_MAX_AGE),
    ] {
        headers.extend(value(&mut fields, name).map(|value| (header, value)));
    }
    if fields.flag("AllowCredentials") == Some(true) {
        if origin.is_some_and(|origin| origin == "*") {
            fields.report("AllowCredentials needs another AllowOrigin than '*': SAM refuses it");
        }
        let value = HeaderValue::from_static("true");
        headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, value));
    }
    fields.end();
    Some(Cors {
        line,
        headers,
        methods,
    })
}

/// A header's value, which SAM hands to API Gateway as the mapping expression that it is.
fn value(fields: &mut Fields<'_>, name: &str) -> Option<HeaderValue> {
    let (text, line) = fields.text_at(name).filter(|(text, _)| !text.is_empty())?;
    let value = literal::header_value(&text);
    if value.is_none() {
        let message = format!(
            "`{text}` must be a text in single quotes within the value, such as \"'{text}'\": API \
             Gateway refuses it"
        );
        fields.report_at(line, name, message);
    }
    value
}

impl Cors {
    /// The preflights of the paths that have no method `OPTIONS`.
    pub(super) fn preflights(&self, routes: &[Route], defaults: &AuthDefaults) -> Vec<Route> {
        let options = RouteMethod::One(Method::OPTIONS);
        let mut seen = BTreeSet::new();
        let mut preflights = Vec::new();
        for route in routes {
            let of_path = || routes.iter().filter(|other| other.path == route.path);
            let has_own = of_path().any(|other| other.method == options);
            if has_own || !seen.insert(route.path.as_str()) {
                continue;
            }
            let methods = of_path().map(|other| &other.method);
            preflights.push(Route {
                method: options.clone(),
                path: route.path.clone(),
                integration: Integration::Mock(self.answer(methods)),
                authorizer: defaults
                    .authorizer
                    .clone()
                    .filter(|_| defaults.authorizer_on_preflight),
                api_key_required: defaults.api_key_required && defaults.api_key_on_preflight,
                throttle: None,
                throttles: BTreeMap::new(),
                validation: Validation::default(),
                line: self.line,
            });
        }
        preflights
    }

    /// The answer that SAM writes for a path with these methods.
    fn answer<'r>(&self, methods: impl Iterator<Item = &'r RouteMethod>) -> Mock {
        let mut headers = self.headers.clone();
        let methods = match &self.methods {
            Some(methods) => Some(methods.clone()),
            None => HeaderValue::from_str(&listed(methods)).ok(),
        };
        headers.extend(methods.map(|value| (ACCESS_CONTROL_ALLOW_METHODS, value)));
        Mock {
            refuses_others: false,
            takes: ["application/json".to_owned()].into(),
            status: 200,
            headers,
            body: "{}\n".to_owned(),
        }
    }
}

/// The methods of a path in SAM's order; `ANY` stands for all.
fn listed<'r>(methods: impl Iterator<Item = &'r RouteMethod>) -> String {
    let mut names = BTreeSet::from([Method::OPTIONS.as_str()]);
    for method in methods {
        match method {
            RouteMethod::Any => names.extend(METHODS.iter().map(Method::as_str)),
            RouteMethod::One(method) => {
                names.insert(method.as_str());
            }
        }
    }
    let names: Vec<&str> = names.into_iter().collect();
    names.join(",")
}
