//! Resolved values as JSON, with numbers and booleans where the template has them unquoted.

use serde_json::{Number, Value as Json};

use super::yaml::{Node, Value};

/// A node as JSON; `None` where a part of it could not be resolved, which is reported already.
pub(super) fn of(node: &Node) -> Option<Json> {
    Some(match &node.value {
        Value::Null => Json::Null,
        Value::Text(text) if node.is_plain => plain(text),
        Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(of).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let fields = entries
                .iter()
                .map(|entry| Some((entry.name.clone(), of(&entry.node)?)));
            Json::Object(fields.collect::<Option<_>>()?)
        }
        Value::Call { .. } | Value::Unknown => return None,
    })
}

/// What an unquoted text is.
fn plain(text: &str) -> Json {
    match text {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        _ => match text.parse::<Number>() {
            Ok(number) => Json::Number(number),
            Err(_) => Json::String(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml::parse;

    #[test]
    fn what_is_quoted_is_text() {
        let node = parse("{a: [1, 2.5, '1', true, \"true\", word, ~], b: {c: -3}}").unwrap();
        let expected = json!({"a": [1, 2.5, "1", true, "true", "word", null], "b": {"c": -3}});
        assert_eq!(of(&node), Some(expected));
    }
}
