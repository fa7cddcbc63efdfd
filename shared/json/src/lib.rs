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

/// The first number of a JSON text that is altered by being read: beyond 64 bits as a whole number,
/// and with more digits than a double holds otherwise (RFC 8259 section 6).
#[must_use]
pub fn inexact_number(text: &str) -> Option<&str> {
    numbers(text).find(|literal| {
        let read = serde_json::from_str::<serde_json::Number>(literal);
        read.is_ok_and(|read| digits(literal) != digits(&read.to_string()))
    })
}

/// The number literals of a JSON text.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        loop {
            match *bytes.get(at)? {
                b'"' => at = behind_string(bytes, at),
                byte if byte == b'-' || byte.is_ascii_digit() => {
                    let rest = bytes.get(at..)?;
                    let length = rest.iter().take_while(|byte| of_number(**byte)).count();
                    let literal = text.get(at..at + length);
                    at += length;
                    return literal;
                }
                _ => at += 1,
            }
        }
    })
}

/// Where a string ends that begins at `start`.
fn behind_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// A number's significant digits, and the power of ten that the first of them counts.
fn digits(literal: &str) -> (String, i64) {
    let literal = literal.trim_start_matches('-').to_ascii_lowercase();
    let (number, exponent) = literal.split_once('e').unwrap_or((&literal, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let leading = i64::try_from(all.len() - significant.len()).unwrap_or(i64::MAX);
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX);
    let significant = significant.trim_end_matches('0').to_owned();
    let power = if significant.is_empty() {
        0
    } else {
        exponent.saturating_add(point).saturating_sub(leading)
    };
    (significant, power)
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

    #[test]
    fn a_number_that_reading_would_alter_is_found() {
        for text in [
            "123456789012345678901234567890",
            "18446744073709551617",
            "-9223372036854775809",
            "0.1234567890123456789",
            "1.00000000000000000001",
            "4.9e-325",
        ] {
            let text = format!("{{\"a\": [\"1e999\\\"\", 1, {text}]}}");
            assert!(inexact_number(&text).is_some(), "{text}");
        }
        let kept = r#"[0, -0, 0.0, 1, 1.0, 1.50, 1e2, 1E+2, 100e-2, 0.1, 1.7976931348623157e308,
            18446744073709551615, -9223372036854775808, 9007199254740993, 2.5e-8, 5e-324,
            "123456789012345678901234567890", "\\", "\"0.1234567890123456789"]"#;
        assert_eq!(inexact_number(kept), None);
    }

    proptest! {
        #[test]
        fn every_double_is_kept(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let text = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(inexact_number(&text), None);
        }

        #[test]
        fn looking_for_numbers_never_panics(text in "[0-9.eE+\\-\"\\\\ ,é]{0,48}") {
            let _ = inexact_number(&text);
        }

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
