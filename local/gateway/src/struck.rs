//! Credentials struck out of what is kept of requests: those that came with the request, wherever they
//! stand; what stands under a name that credentials have; and what has the form of one.

mod found;
mod names;
mod short;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub use self::found::strike_forms;
pub use self::names::STRUCK;
use self::names::is_name_of_credential;

/// A shorter text is a credential where it is the whole value alone: it may be a part of any other.
const MIN_PART: usize = 8;
/// How deep JSON is read that is a text of other JSON.
const MAX_TEXTS: usize = 3;

/// The credentials that came with a request.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// The longest first, so that none is left for a part of it.
    values: Vec<String>,
}

impl Secrets {
    /// Those in these values of headers and parameters, with and without their scheme.
    pub(crate) fn new<'v>(values: impl Iterator<Item = &'v str>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for value in values.filter(|value| !value.is_empty()) {
            all.push(value.to_owned());
            let behind_scheme = value.split_once(' ').map(|(_, behind)| behind.trim());
            let cookies = value.split(';').filter_map(|pair| pair.split_once('='));
            let cookies = cookies.map(|(_, cookie)| cookie.trim());
            let parts = behind_scheme.into_iter().chain(cookies);
            for part in parts.filter(|part| part.len() >= MIN_PART) {
                all.push(part.to_owned());
                all.extend(password(part));
            }
        }
        all.retain(|value| !value.is_empty());
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all.dedup();
        Self { values: all }
    }

    /// A JSON document, with its members in order, or else the text, without credentials.
    pub(crate) fn strike(&self, text: &str) -> String {
        match container(text) {
            Some(mut value) => {
                self.strike_value(&mut value, 0);
                serde_json::to_string_pretty(&value).unwrap_or_default()
            }
            None => self.strike_text(text).into_owned(),
        }
    }

    /// The beginning of a header's value.
    pub(crate) fn strike_member(&self, name: &str, value: &str) -> String {
        if is_name_of_credential(name) {
            return STRUCK.to_owned();
        }
        self.strike_short(value)
    }

    /// A line or another text.
    pub(crate) fn strike_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut struck = Cow::Borrowed(text);
        for secret in &self.values {
            if secret.len() < MIN_PART {
                if *secret == text {
                    return STRUCK.into();
                }
            } else if struck.contains(secret) {
                struck = struck.replace(secret, STRUCK).into();
            }
        }
        match strike_forms(&struck) {
            Cow::Borrowed(_) => struck,
            Cow::Owned(other) => other.into(),
        }
    }

    fn strike_value(&self, value: &mut Value, texts: usize) {
        match value {
            Value::String(text) => {
                let inner = (texts < MAX_TEXTS).then(|| container(text)).flatten();
                *text = match inner {
                    Some(mut inner) => {
                        self.strike_value(&mut inner, texts + 1);
                        inner.to_string()
                    }
                    None => self.strike_text(text).into_owned(),
                };
            }
            Value::Array(values) => {
                for value in values {
                    self.strike_value(value, texts);
                }
            }
            Value::Object(members) => {
                if members.get("isBase64Encoded") == Some(&Value::Bool(true)) {
                    let body = members.get_mut("body");
                    if let Some(Value::String(body)) = body {
                        *body = base64_not_shown(body.len());
                    }
                }
                let names: Vec<String> = members.keys().cloned().collect();
                for name in names {
                    let Some(mut value) = members.remove(&name) else {
                        continue;
                    };
                    if is_name_of_credential(&name) && !value.is_null() {
                        value = STRUCK.into();
                    } else {
                        self.strike_value(&mut value, texts);
                    }
                    members.insert(self.strike_text(&name).into_owned(), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// What stands in the place of a body in base64.
pub(crate) fn base64_not_shown(length: usize) -> String {
    format!("[{length} characters of base64, not shown]")
}

/// An object or a list.
fn container(text: &str) -> Option<Value> {
    let is_one = text.trim_start().starts_with(['{', '[']);
    is_one.then(|| serde_json::from_str(text).ok()).flatten()
}

/// The password of HTTP's basic authentication (RFC 7617).
fn password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests;
