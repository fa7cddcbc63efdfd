//! An item: what a client writes, what the table holds, what a client reads.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use keygate_api_key::sha256;
use keygate_problem::Problem;
use keygate_proxy::ProxyRequest;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The longest that `attributes` may be as the table holds them: with the other fields at their
/// longest an item stays below `DynamoDB`'s 400 KB. A body of 256 KiB only gets there by numbers
/// that are written out, `1e15` as `1000000000000000.0`.
const MAX_ATTRIBUTES_BYTES: usize = 350 * 1024;

/// What a client writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Content {
    /// 1 to 256 characters.
    pub(crate) name: String,
    /// Up to 4,096 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Any JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<Map<String, Value>>,
}

/// An item as a client reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Item {
    /// Unique, and in order of creation.
    pub(crate) id: Uuid,
    /// What the client wrote last.
    #[serde(flatten)]
    pub(crate) content: Content,
    /// RFC 3339.
    pub(crate) created_at: Timestamp,
    /// RFC 3339.
    pub(crate) updated_at: Timestamp,
    /// Counts the writes; the entity tag.
    #[serde(skip)]
    pub(crate) version: u64,
}

/// An item of the table that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table's item has no usable attribute {0}")]
pub(crate) struct MalformedItem(&'static str);

impl Content {
    /// Reads a request's body.
    ///
    /// # Errors
    /// Whatever is wrong with the body, field by field.
    pub(crate) fn read(request: &ProxyRequest) -> Result<Self, Problem> {
        let mut fields = request.fields()?;
        let content = Self {
            name: fields.required_string("name", 1, 256),
            description: fields.string("description", 0, 4_096),
            attributes: fields.object("attributes"),
        };
        let json = content.attributes.as_ref().map(json);
        if json.is_some_and(|json| json.len() > MAX_ATTRIBUTES_BYTES) {
            let detail = format!(
                "must be at most {MAX_ATTRIBUTES_BYTES} bytes of JSON, with its numbers written out"
            );
            fields.wrong("attributes", detail);
        }
        fields.finish()?;
        Ok(content)
    }

    /// SHA-256 of the content, in hexadecimal: equal for bodies that mean the same, whatever their
    /// white space or the order of their members.
    pub(crate) fn fingerprint(&self) -> String {
        let mut canonical = json!([self.name, self.description, self.attributes]);
        // Where a crate of the build asks serde_json to keep the order of members, it does.
        canonical.sort_all_objects();
        sha256::hex(canonical.to_string().as_bytes())
    }

    /// The content's attributes in the table.
    pub(crate) fn to_attributes(&self) -> HashMap<String, AttributeValue> {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut attributes = HashMap::from([("name".to_owned(), text(&self.name))]);
        if let Some(description) = &self.description {
            attributes.insert("description".to_owned(), text(description));
        }
        if let Some(object) = &self.attributes {
            // As text: DynamoDB's own types would change numbers, and nest 32 levels at most.
            attributes.insert("attributes".to_owned(), AttributeValue::S(json(object)));
        }
        attributes
    }
}

/// An object as the table holds it: JSON without white space.
fn json(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

impl Item {
    /// The sort key of an item.
    pub(crate) fn sk(id: Uuid) -> String {
        format!("item#{id}")
    }

    /// Reads an item of the table.
    ///
    /// # Errors
    /// When an attribute is missing or has the wrong type.
    pub(crate) fn from_attributes(
        attributes: &HashMap<String, AttributeValue>,
    ) -> Result<Self, MalformedItem> {
        let text = |name: &'static str| {
            let value = attributes.get(name).and_then(|value| value.as_s().ok());
            value.ok_or(MalformedItem(name))
        };
        let time = |name: &'static str| text(name)?.parse().map_err(|_| MalformedItem(name));
        let id = text("sk")?.strip_prefix("item#");
        let version = attributes
            .get("item_version")
            .and_then(|value| value.as_n().ok());
        let json = attributes
            .get("attributes")
            .map(|_| text("attributes"))
            .transpose()?;
        let json = json.map(|json| serde_json::from_str(json)).transpose();
        Ok(Self {
            id: id
                .and_then(|id| id.parse().ok())
                .ok_or(MalformedItem("sk"))?,
            content: Content {
                name: text("name")?.clone(),
                description: attributes
                    .get("description")
                    .map(|_| text("description").cloned())
                    .transpose()?,
                attributes: json.map_err(|_| MalformedItem("attributes"))?,
            },
            created_at: time("created_at")?,
            updated_at: time("updated_at")?,
            version: version
                .and_then(|version| version.parse().ok())
                .ok_or(MalformedItem("item_version"))?,
        })
    }

    /// The item for the table.
    pub(crate) fn to_attributes(&self, owner: &str) -> HashMap<String, AttributeValue> {
        let mut attributes = self.content.to_attributes();
        attributes.extend([
            ("owner".to_owned(), AttributeValue::S(owner.to_owned())),
            ("sk".to_owned(), AttributeValue::S(Self::sk(self.id))),
            (
                "created_at".to_owned(),
                AttributeValue::S(self.created_at.to_string()),
            ),
            (
                "updated_at".to_owned(),
                AttributeValue::S(self.updated_at.to_string()),
            ),
            (
                "item_version".to_owned(),
                AttributeValue::N(self.version.to_string()),
            ),
        ]);
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(attributes: &Value) -> Content {
        Content {
            name: "first".into(),
            description: None,
            attributes: attributes.as_object().cloned(),
        }
    }

    #[test]
    fn an_item_reads_back_as_it_was_written() {
        let item = Item {
            id: Uuid::now_v7(),
            content: content(&json!({"n": 12_345_678_901_234_567_890_u64, "deep": [[[null]]]})),
            created_at: "2026-11-24T12:00:00Z".parse().unwrap(),
            updated_at: "2026-11-24T12:00:01.5Z".parse().unwrap(),
            version: 7,
        };
        assert_eq!(
            Item::from_attributes(&item.to_attributes("me")).unwrap(),
            item
        );
    }

    #[test]
    fn a_number_is_the_same_each_time_it_is_read() {
        for number in [
            "0.1",
            "1e15",
            "2.2250738585072014e-308",
            "5.4083849e-17",
            "1.7976931348623157e308",
            "9007199254740993.1",
            "-0.0",
        ] {
            let first: Value = serde_json::from_str(number).unwrap();
            assert_eq!(first.as_f64(), number.parse().ok(), "{number}");
            let again: Value = serde_json::from_str(&first.to_string()).unwrap();
            assert_eq!(again, first, "{number}");
        }
    }

    #[test]
    fn a_fingerprint_tells_apart_what_is_missing_and_what_is_empty() {
        let mut empty = content(&json!({}));
        assert_ne!(empty.fingerprint(), content(&Value::Null).fingerprint());
        empty.description = Some(String::new());
        assert_ne!(empty.fingerprint(), content(&json!({})).fingerprint());
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_members() {
        let first = content(&serde_json::from_str(r#"{"a":1,"b":2}"#).unwrap());
        let second = content(&serde_json::from_str(r#"{"b":2,  "a":1}"#).unwrap());
        assert_eq!(first.fingerprint(), second.fingerprint());
        assert_ne!(first.fingerprint(), content(&json!({"a": 2})).fingerprint());
    }
}
