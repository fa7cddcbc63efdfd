//! JSON bodies, field by field, so that one answer names everything that is wrong.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::request::ProxyRequest;
use keygate_json::{self as strict, JsonError};
use keygate_problem::{
    BAD_REQUEST, INVALID_BODY, PAYLOAD_TOO_LARGE, Problem, UNSUPPORTED_MEDIA_TYPE,
};

/// The largest body that a handler takes: 256 KiB.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How deep a body's arrays and objects may nest.
const MAX_DEPTH: usize = 100;

/// The fields of a JSON object, taken one by one. [`Fields::finish`] refuses the body when any was
/// wrong, missing or unknown, and names each.
#[derive(Debug)]
pub struct Fields {
    /// Each field's value, as the client wrote it.
    texts: BTreeMap<String, Box<RawValue>>,
    errors: Vec<Value>,
}

impl ProxyRequest {
    /// The body's fields.
    ///
    /// # Errors
    /// 413 over [`MAX_BODY_BYTES`], 415 when it does not say that it is JSON, 400 when it is not, has
    /// a member twice or nests too deeply, 422 when it is JSON and no object.
    pub fn fields(&self) -> Result<Fields, Problem> {
        let body = self.body();
        if body.len() > MAX_BODY_BYTES {
            return Err(Problem::new(
                &PAYLOAD_TOO_LARGE,
                format!(
                    "The body is {} bytes; at most {MAX_BODY_BYTES} are taken.",
                    body.len()
                ),
            ));
        }
        if !self.header(CONTENT_TYPE.as_str()).is_some_and(is_json) {
            return Err(Problem::new(
                &UNSUPPORTED_MEDIA_TYPE,
                "Send the body as Content-Type: application/json.",
            ));
        }
        strict::object(body, MAX_DEPTH).map_err(unreadable)?;
        Ok(Fields {
            texts: serde_json::from_slice(body).map_err(|_| unreadable(JsonError::NotObject))?,
            errors: Vec::new(),
        })
    }
}

/// 422 for JSON that is no object, and 400 for what is no JSON that every reader takes alike.
fn unreadable(error: JsonError) -> Problem {
    let detail = match error {
        JsonError::NotObject => {
            return Problem::new(&INVALID_BODY, "The body is not a JSON object.").with(
                "errors",
                json!([{"field": "", "detail": "is not an object"}]),
            );
        }
        JsonError::NotJson { line: 0, .. } => "The body is not UTF-8.".to_owned(),
        JsonError::NotJson { line, column } => {
            format!("The body is not JSON that can be read: line {line}, column {column}.")
        }
        JsonError::DuplicateMember => "A member of the body is there twice.".to_owned(),
        JsonError::TooDeep(levels) => format!("The body nests deeper than {levels} levels."),
    };
    Problem::new(&BAD_REQUEST, detail)
}

/// `application/json`, or a type with the `+json` suffix (RFC 6839 section 3.1); parameters do not
/// matter, since JSON is UTF-8 (RFC 8259 section 8.1).
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl Fields {
    /// Says that a field is wrong, in words that complete "the field ...".
    pub fn wrong(&mut self, field: &str, detail: impl Into<String>) {
        self.errors
            .push(json!({"field": field, "detail": detail.into()}));
    }

    /// Whether a field has been found wrong already.
    #[must_use]
    pub fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error["field"] == field)
    }

    /// A value of any type, or nothing, for a field that takes several types.
    pub fn value(&mut self, field: &str) -> Option<Value> {
        self.take(field)
    }

    /// A string that must be there, of `min` to `max` characters.
    pub fn required_string(&mut self, field: &str, min: usize, max: usize) -> String {
        let value = self.take(field);
        if value.is_none() {
            self.wrong(field, "is required");
        }
        self.bounded_string(field, value, min, max)
            .unwrap_or_default()
    }

    /// A string of `min` to `max` characters, or nothing; `null` is nothing.
    pub fn string(&mut self, field: &str, min: usize, max: usize) -> Option<String> {
        let value = self.take(field);
        self.bounded_string(field, value, min, max)
    }

    /// A whole number from `min` to `max`, or nothing.
    pub fn integer(&mut self, field: &str, min: u64, max: u64) -> Option<u64> {
        let value = self.take(field)?;
        let number = value.as_u64().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.wrong(field, format!("must be a whole number from {min} to {max}"));
        }
        number
    }

    /// An object of any content, or nothing, as the client wrote it: read into doubles (RFC 8259
    /// section 6) its numbers could change.
    pub fn object(&mut self, field: &str) -> Option<Box<RawValue>> {
        let text = self.texts.remove(field)?;
        match text.get().bytes().next() {
            Some(b'{') => return Some(text),
            Some(b'n') => {}
            _ => self.wrong(field, "must be an object"),
        }
        None
    }

    /// An array of strings, or nothing.
    pub fn strings(&mut self, field: &str) -> Option<Vec<String>> {
        let value = self.take(field)?;
        let strings = value.as_array().and_then(|values| {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        if strings.is_none() {
            self.wrong(field, "must be an array of strings");
        }
        strings
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When a field was wrong, missing, or is left over because nobody asked for it.
    pub fn finish(mut self) -> Result<(), Problem> {
        for field in std::mem::take(&mut self.texts).into_keys() {
            self.wrong(&field, "is not a field of this body");
        }
        if self.errors.is_empty() {
            return Ok(());
        }
        let named = self.errors.iter();
        let named = named.filter_map(|error| error["field"].as_str());
        let named: Vec<&str> = named.filter(|field| !field.is_empty()).collect();
        let detail = if named.is_empty() {
            "The body is wrong: errors says what.".to_owned()
        } else {
            format!("These fields are wrong: {}.", named.join(", "))
        };
        Err(Problem::new(&INVALID_BODY, detail).with("errors", self.errors))
    }

    fn bounded_string(
        &mut self,
        field: &str,
        value: Option<Value>,
        min: usize,
        max: usize,
    ) -> Option<String> {
        match value? {
            Value::String(text) if (min..=max).contains(&text.chars().count()) => {
                return Some(text);
            }
            Value::String(_) => {
                self.wrong(field, format!("must have {min} to {max} characters"));
            }
            _ => self.wrong(field, "must be a string"),
        }
        None
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        let value = serde_json::from_str(self.texts.remove(field)?.get());
        value.ok().filter(|value: &Value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &Value) -> Fields {
        Fields {
            texts: serde_json::from_str(&body.to_string()).unwrap(),
            errors: Vec::new(),
        }
    }

    #[test]
    fn every_wrong_missing_and_unknown_field_is_named_at_once() {
        let mut fields = fields(&json!({"size": "7", "colour": "red"}));
        fields.required_string("name", 1, 10);
        fields.integer("size", 1, 9);
        let problem = fields.finish().unwrap_err();
        let errors = problem.members["errors"].as_array().unwrap();
        let named: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(named, ["name", "size", "colour"]);
    }

    #[test]
    fn a_required_field_that_is_null_is_missing() {
        let mut fields = fields(&json!({"name": null}));
        fields.required_string("name", 1, 10);
        let problem = fields.finish().unwrap_err();
        let errors = json!([{"field": "name", "detail": "is required"}]);
        assert_eq!(problem.members["errors"], errors);
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let mut fields = fields(&json!({"name": "ééé"}));
        assert_eq!(fields.required_string("name", 1, 3), "ééé");
        assert!(fields.finish().is_ok());
    }

    #[test]
    fn an_object_of_any_content_is_taken_as_it_was_written() {
        for text in [r#"{"n": 1.0000000000000000000000000001}"#, "{}"] {
            let mut fields = Fields {
                texts: serde_json::from_str(&format!(r#"{{"any" : {text} }}"#)).unwrap(),
                errors: Vec::new(),
            };
            assert_eq!(fields.object("any").unwrap().get(), text);
            assert!(fields.finish().is_ok());
        }
        let mut fields = fields(&json!({"none": null, "list": [], "text": "{}"}));
        for field in ["missing", "none", "list", "text"] {
            assert!(fields.object(field).is_none(), "{field}");
        }
        let problem = fields.finish().unwrap_err();
        let errors = json!([
            {"field": "list", "detail": "must be an object"},
            {"field": "text", "detail": "must be an object"},
        ]);
        assert_eq!(problem.members["errors"], errors);
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["text/json", "application/jsonp", "text/plain", ""] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
