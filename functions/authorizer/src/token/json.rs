//! JSON objects as a token may hold them: UTF-8, no member named twice at any level, bounded
//! nesting (RFC 8725 section 2.4; RFC 7515 section 4 lets a parser refuse duplicates).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object whose member names are unique at every level.
pub(crate) type Object = Map<String, Value>;

/// How deep arrays and objects may nest, the outermost included. Keycloak's `resource_access`
/// reaches four.
const MAX_DEPTH: usize = 16;

/// Why bytes are no acceptable JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("it is not UTF-8 JSON")]
    NotJson,
    #[error("it is not a JSON object")]
    NotObject,
    #[error("a member name appears twice")]
    DuplicateMember,
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Reads one object and nothing after it.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotJson)?;
    let found = Cell::new(JsonError::NotJson);
    let strict = Strict {
        depth: 0,
        found: &found,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = strict.deserialize(&mut reader).map_err(|_| found.get())?;
    reader.end().map_err(|_| JsonError::NotJson)?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(JsonError::NotObject),
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// Which rule was broken, since a serde error carries text only.
    found: &'a Cell<JsonError>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.broken(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn broken<E: serde::de::Error>(self, rule: JsonError) -> E {
        self.found.set(rule);
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_object_reads_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,null,true,"\u00e9"],"b":{"c":{}}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), expected);
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
                object(text.as_bytes()),
                Err(JsonError::DuplicateMember),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_object_and_what_follows_one_is_refused() {
        assert_eq!(object(b"[]"), Err(JsonError::NotObject));
        assert_eq!(object(b"\"a\""), Err(JsonError::NotObject));
        for text in [
            "{} {}",
            "{}x",
            "{\"a\":NaN}",
            "{\"a\":1e999}",
            "",
            "{\"a\":\"\\ud800\"}",
        ] {
            assert_eq!(object(text.as_bytes()), Err(JsonError::NotJson), "{text}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(JsonError::NotJson));
        assert_eq!(object(b"\xef\xbb\xbf{}"), Err(JsonError::NotJson));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert_eq!(
            object(nested(MAX_DEPTH).as_bytes()),
            Err(JsonError::TooDeep)
        );
        assert_eq!(object(nested(4_000).as_bytes()), Err(JsonError::TooDeep));
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = object(&bytes);
        }

        #[test]
        fn reading_json_like_text_never_panics(text in "[\\[\\]{}\",:0-9a-e.\\\\u+-]{0,64}") {
            let _ = object(text.as_bytes());
        }
    }
}
