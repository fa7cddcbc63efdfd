//! JSON objects read strictly: UTF-8, no member named twice at any level, bounded nesting, nothing
//! behind the object. What is read so means the same to every reader (RFC 8259 sections 4 and 8.1,
//! RFC 8725 section 2.4).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object whose member names are unique at every level.
pub type Object = Map<String, Value>;

/// Why bytes are no acceptable JSON object. Nothing of them is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON text, or no UTF-8.
    #[error("it is not UTF-8 JSON")]
    NotJson {
        /// Where, from 1; 0 when nobody can tell.
        line: usize,
        /// Where in the line, in bytes from 1.
        column: usize,
    },
    /// It is another JSON value.
    #[error("it is not a JSON object")]
    NotObject,
    /// Readers differ in which of the two counts.
    #[error("a member name appears twice")]
    DuplicateMember,
    /// Arrays and objects nest too deeply.
    #[error("it nests deeper than {0} levels")]
    TooDeep(usize),
}

/// Reads one object and nothing after it. Arrays and objects may nest to `max_depth`, the outermost
/// included; that of `serde_json` itself is 127.
///
/// # Errors
/// When the bytes are anything else.
pub fn object(bytes: &[u8], max_depth: usize) -> Result<Object, JsonError> {
    let nowhere = JsonError::NotJson { line: 0, column: 0 };
    let text = std::str::from_utf8(bytes).map_err(|_| nowhere)?;
    let found = Cell::new(None);
    let strict = Strict {
        depth: 0,
        max_depth,
        found: &found,
    };
    let not_json = |error: serde_json::Error| JsonError::NotJson {
        line: error.line(),
        column: error.column(),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = strict
        .deserialize(&mut reader)
        .map_err(|error| found.get().unwrap_or_else(|| not_json(error)))?;
    reader.end().map_err(not_json)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotObject),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    max_depth: usize,
    /// Which rule was broken, since a serde error carries text only.
    found: &'a Cell<Option<JsonError>>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == self.max_depth {
            return Err(self.broken(JsonError::TooDeep(self.max_depth)));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn broken<E: serde::de::Error>(self, rule: JsonError) -> E {
        self.found.set(Some(rule));
        E::custom(rule)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.broken(JsonError::DuplicateMember));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod cases;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEPTH: usize = 16;

    fn is_no_json(bytes: &[u8]) -> bool {
        matches!(object(bytes, DEPTH), Err(JsonError::NotJson { .. }))
    }

    #[test]
    fn an_object_reads_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,null,true,"\u00e9"],"b":{"c":{}}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            Value::Object(object(text.as_bytes(), DEPTH).unwrap()),
            expected
        );
    }

    #[test]
    fn a_member_named_twice_is_refused_at_any_level_and_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
        ] {
            assert_eq!(
                object(text.as_bytes(), DEPTH),
                Err(JsonError::DuplicateMember),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_object_and_what_follows_one_is_refused() {
        assert_eq!(object(b"[]", DEPTH), Err(JsonError::NotObject));
        assert_eq!(object(b"\"a\"", DEPTH), Err(JsonError::NotObject));
        for text in [
            "{} {}",
            "{}x",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            "",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert!(is_no_json(text.as_bytes()), "{text}");
        }
        assert!(is_no_json(b"{\"a\":\"\xff\"}"));
        assert!(is_no_json(b"\xef\xbb\xbf{}"));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(DEPTH - 1).as_bytes(), DEPTH).is_ok());
        assert_eq!(
            object(nested(DEPTH).as_bytes(), DEPTH),
            Err(JsonError::TooDeep(DEPTH))
        );
        assert_eq!(
            object(nested(4_000).as_bytes(), DEPTH),
            Err(JsonError::TooDeep(DEPTH))
        );
    }

    #[test]
    fn where_a_text_goes_wrong_is_said() {
        let error = object(b"{\n  \"a\": tru }", DEPTH).unwrap_err();
        assert_eq!(
            error,
            JsonError::NotJson {
                line: 2,
                column: 11
            }
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = object(&bytes, DEPTH);
        }

        #[test]
        fn reading_json_like_text_never_panics(text in "[\\[\\]{}\",:0-9a-e.\\\\u+-]{0,64}") {
            let _ = object(text.as_bytes(), DEPTH);
        }
    }
}
