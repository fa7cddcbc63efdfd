//! The strict reader takes nothing that `serde_json` does not, reads it as that does, and no member
//! twice.
#![no_main]

use std::collections::BTreeSet;
use std::fmt;

use keygate_json::{JsonError, object};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

const DEPTH: usize = 16;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let plain = serde_json::from_slice::<Value>(data);
    let shape = serde_json::from_slice::<Shape>(data);
    match object(data, DEPTH) {
        Ok(strict) => {
            let strict = Value::Object(strict);
            assert_eq!(strict, plain.expect("it is JSON"));
            let shape = shape.expect("it has a shape");
            assert!(!shape.has_duplicates && shape.depth <= DEPTH);
            let written = strict.to_string();
            let again = object(written.as_bytes(), DEPTH).map(Value::Object);
            assert_eq!(again, Ok(strict));
        }
        // Each reason is so, and where nothing is wrong there is none.
        Err(JsonError::NotJson { line, column }) => {
            assert!(plain.is_err());
            assert_eq!(line == 0, std::str::from_utf8(data).is_err());
            assert!(column <= data.len() + 1);
        }
        Err(JsonError::NotObject) => assert!(!plain.expect("it is JSON").is_object()),
        Err(JsonError::DuplicateMember) => {
            assert!(shape.map_or(plain.is_err(), |shape| shape.has_duplicates));
        }
        Err(JsonError::TooDeep(_)) => {
            assert!(shape.map_or(plain.is_err(), |shape| shape.depth > DEPTH));
        }
    }
});

/// How deep a text nests, and whether a name appears twice in one object.
#[derive(Default)]
struct Shape {
    depth: usize,
    has_duplicates: bool,
}

impl Shape {
    fn hold(&mut self, inner: &Self) {
        self.depth = self.depth.max(inner.depth + 1);
        self.has_duplicates |= inner.has_duplicates;
    }

    fn around() -> Self {
        Self {
            depth: 1,
            has_duplicates: false,
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(ShapeOf)
    }
}

struct ShapeOf;

impl<'de> Visitor<'de> for ShapeOf {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::around();
        while let Some(element) = elements.next_element::<Shape>()? {
            shape.hold(&element);
        }
        Ok(shape)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::around();
        let mut names = BTreeSet::new();
        while let Some((name, value)) = members.next_entry::<String, Shape>()? {
            shape.has_duplicates |= !names.insert(name);
            shape.hold(&value);
        }
        Ok(shape)
    }
}
