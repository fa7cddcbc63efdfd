//! Where two fates of one request differ.

use std::fmt;

use serde_json::Value;

/// One difference: a line of `differences.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The request's name.
    pub(crate) request: String,
    /// Names of members from the outermost on, a slash before each.
    pub(crate) aspect: String,
    /// What it is here.
    pub(crate) here: String,
    /// What it is there.
    pub(crate) there: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            aspect,
            here,
            there,
        } = self;
        write!(formatter, "{request} | {aspect} | {here} | {there}")
    }
}

/// Where they differ, as far inside as can be said. Of two responses that have not even the same status the
/// rest is told with it.
pub(crate) fn differences(request: &str, here: &Value, there: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |aspect: &str, one: Option<&Value>, other: Option<&Value>| {
        found.push(Difference {
            request: request.to_owned(),
            aspect: aspect.to_owned(),
            here: shown(one),
            there: shown(other),
        });
    };
    compare("", Some(here), Some(there), &mut add);
    found
}

fn compare(
    aspect: &str,
    here: Option<&Value>,
    there: Option<&Value>,
    add: &mut impl FnMut(&str, Option<&Value>, Option<&Value>),
) {
    match (here, there) {
        (Some(one), Some(other)) if one == other => {}
        (Some(Value::Object(one)), Some(Value::Object(other)))
            if one.get("status") == other.get("status") =>
        {
            let more = other.keys().filter(|name| !one.contains_key(*name));
            for name in one.keys().chain(more) {
                let inner = format!("{aspect}/{name}");
                compare(&inner, one.get(name), other.get(name), add);
            }
        }
        (None, None) => {}
        _ => add(aspect, here, there),
    }
}

/// A value in a line: `-` where there is none, a response by its status, its error type and its body, an event
/// by nothing but that.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::Object(members)) if members.contains_key("status") => {
            let kind = value.and_then(|value| value.pointer("/headers/x-amzn-errortype/0"));
            let kind = kind.and_then(Value::as_str).unwrap_or("-");
            format!("{} {kind} {}", members["status"], members["body"])
        }
        Some(Value::Object(members)) if members.contains_key("methodArn") => "an event".to_owned(),
        Some(Value::Object(members)) if members.contains_key("resource") => "an event".to_owned(),
        Some(value) => value.to_string(),
    }
}
