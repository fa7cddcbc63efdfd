//! JSON schemas of a template, each with those that it refers to and no others: a template may have
//! thousands, and each would be compiled with all of them.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use keygate_model::BodySchema;

/// Where a document has schemas that others refer to.
const PLACES: [&str; 2] = ["#/definitions/", "#/components/schemas/"];
/// How many values of JSON are compiled in all.
const MAX_VALUES: usize = 200_000;

/// The schemas of a document, at the places where others refer to them.
#[derive(Debug)]
pub(super) struct Schemas {
    whole: Json,
    compiled: Cell<usize>,
}

impl Schemas {
    pub(super) fn of(whole: Json) -> Self {
        Self {
            whole,
            compiled: Cell::default(),
        }
    }

    /// Compiles a schema, with those that it refers to beside it.
    pub(super) fn compile(&self, schema: &Json) -> Result<BodySchema, String> {
        let mut document = json!({"allOf": [schema]});
        let mut left = vec![schema];
        let mut reached = BTreeSet::new();
        while let Some(value) = left.pop() {
            let compiled = self.compiled.get() + 1;
            self.compiled.set(compiled);
            if compiled > MAX_VALUES {
                return Err("it, with those before it, refers to too many others".to_owned());
            }
            match value {
                Json::Array(items) => left.extend(items),
                Json::Object(members) => {
                    left.extend(members.values());
                    let reference = members.get("$ref").and_then(Json::as_str);
                    let found = reference.and_then(|reference| self.find(reference));
                    if let Some((keys, schema)) = found
                        && reached.insert(keys.clone())
                    {
                        put(&mut document, &keys, schema);
                        left.push(schema);
                    }
                }
                _ => {}
            }
        }
        BodySchema::of(&document).map_err(|error| error.to_string())
    }

    /// The schema that a reference is to, or that it stands in, with the keys that lead to it.
    fn find<'s>(&'s self, reference: &str) -> Option<(Vec<String>, &'s Json)> {
        let place = PLACES.iter().find(|place| reference.starts_with(*place))?;
        let name = reference.strip_prefix(place)?.split('/').next()?;
        let place = place.trim_start_matches("#/").trim_end_matches('/');
        // As JSON pointers have it (RFC 6901 section 3).
        let name = name.replace("~1", "/").replace("~0", "~");
        let keys: Vec<String> = place
            .split('/')
            .map(ToOwned::to_owned)
            .chain([name])
            .collect();
        let found = keys
            .iter()
            .try_fold(&self.whole, |value, key| value.get(key))?;
        Some((keys, found))
    }
}

/// Puts a value where these keys lead.
fn put(document: &mut Json, keys: &[String], value: &Json) {
    let mut place = document;
    for key in keys {
        let Json::Object(members) = place else {
            return;
        };
        place = members
            .entry(key.clone())
            .or_insert_with(|| Json::Object(Map::new()));
    }
    *place = value.clone();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_those_that_it_reaches_beside_it() {
        for place in ["definitions", "components/schemas"] {
            let reference = |name: &str| json!({"$ref": format!("#/{place}/{name}")});
            let named = json!({
                "a": {"type": "object", "properties": {"b": reference("b~1c")}},
                "b/c": {"type": "object", "required": ["d"], "properties": {"a": reference("a")}},
                "broken": {"type": "frobnicate"},
            });
            let whole = match place {
                "definitions" => json!({"definitions": named}),
                _ => json!({"components": {"schemas": named}}),
            };
            let schemas = Schemas::of(whole);
            let schema = schemas.compile(&reference("a")).unwrap();
            assert_eq!(schema.first_error(&json!({"b": {"d": 1, "a": {}}})), None);
            assert!(schema.first_error(&json!({"b": {"a": {}}})).is_some());
            assert!(
                schema
                    .first_error(&json!({"b": {"d": 1, "a": {"b": {}}}}))
                    .is_some()
            );
            assert!(schemas.compile(&reference("broken")).is_err());
            assert!(schemas.compile(&reference("nowhere")).is_err());
        }
    }

    #[test]
    fn schemas_that_all_refer_to_all_are_refused_before_they_take_for_ever() {
        let count = 1000;
        let all = |prefix: &str| -> Vec<Json> {
            (0..count)
                .map(|number| json!({"$ref": format!("{prefix}{number}")}))
                .collect()
        };
        let named: Map<String, Json> = (0..count)
            .map(|number| (number.to_string(), json!({"anyOf": all("#/definitions/")})))
            .collect();
        let schemas = Schemas::of(json!({"definitions": named}));
        assert!(
            schemas
                .compile(&json!({"$ref": "#/definitions/0"}))
                .is_err()
        );
    }
}
