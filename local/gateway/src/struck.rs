//! Credentials struck out of what is kept of requests: those that came with the request, wherever they
//! stand; what stands under a name that credentials have; and what has the form of one.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::Value;

/// What stands in a credential's place.
pub const STRUCK: &str = "[struck out]";

/// A shorter text is a credential where it is the whole value alone: it may be a part of any other.
const MIN_PART: usize = 8;
/// How deep JSON is read that is a text of other JSON.
const MAX_TEXTS: usize = 3;

/// Names of members, parameters and headers that hold credentials, without case, hyphens and underscores.
const NAMES: [&str; 24] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apikeyvalue",
    "assertion",
    "authorization",
    "authorizationtoken",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "credential",
    "idtoken",
    "password",
    "privatekey",
    "proxyauthorization",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "sessiontoken",
    "setcookie",
    "token",
    "xamzsecuritytoken",
    "xapikey",
];

/// The forms of a JWT and of an API key, whatever its prefix.
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let (token, key) = (
        r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*",
        r"[A-Za-z]{1,16}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}",
    );
    Regex::new(&format!("{token}|{key}")).ok()
});

/// A value behind one of [`NAMES`] in a text, as in a log line, a header line or a form. The quotes may be
/// escaped, as they are in JSON within JSON.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // Between any two letters there may be a hyphen or an underscore.
    let spelt = |name: &str| {
        let letters: Vec<String> = name.chars().map(String::from).collect();
        letters.join("[-_]?")
    };
    let names: Vec<String> = NAMES.iter().map(|name| spelt(name)).collect();
    let names = names.join("|");
    let scheme = r"(?:(?:bearer|basic|apikey|digest|dpop|negotiate|token)\s+)?";
    let value = format!(r#"\[?\s*\\*"[^"]*"|\[?\s*\\*'[^']*'|{scheme}[^\s"'\\,;&{{}}\[\]]+"#);
    let text = format!(r#"(?i)(\b(?:x[-_]?)?(?:{names})\\*["']?\s*[:=]\s*)({value})"#);
    Regex::new(&text).ok()
});

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

    /// A header's or parameter's value.
    pub(crate) fn strike_member(&self, name: &str, value: &str) -> String {
        if is_name_of_credential(name) {
            return STRUCK.to_owned();
        }
        self.strike_text(value).into_owned()
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
                        *body = format!("[{} characters of base64, not shown]", body.len());
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

/// A text without what has the form of a credential, or the name of one before it.
#[must_use]
pub fn strike_forms(text: &str) -> Cow<'_, str> {
    let (Some(forms), Some(named)) = (FORMS.as_ref(), NAMED.as_ref()) else {
        // Better nothing than a credential.
        return STRUCK.into();
    };
    let without_forms = forms.replace_all(text, STRUCK);
    let replaced = named.replace_all(&without_forms, |found: &Captures<'_>| {
        format!("{}{STRUCK}", &found[1])
    });
    match replaced {
        Cow::Borrowed(_) => without_forms,
        Cow::Owned(other) => other.into(),
    }
}

/// Whether what stands under this name is a credential.
fn is_name_of_credential(name: &str) -> bool {
    let plain = name.chars().filter(|letter| !matches!(letter, '-' | '_'));
    let plain: String = plain.flat_map(char::to_lowercase).collect();
    NAMES.contains(&plain.as_str())
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
