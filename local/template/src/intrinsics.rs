//! Which intrinsic functions there are, and where a template has others.

use super::problems::Problems;
use super::yaml::{Node, Value};

/// The functions that give a value. `Condition` and the logical ones are known too, but only
/// within `Conditions`.
const VALUE_FUNCTIONS: &[&str] = &[
    "Ref",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::FindInMap",
    "Fn::GetAZs",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];
/// Those that a template has only with the transform of this name.
const EXTENSION_FUNCTIONS: &[&str] = &["Fn::Length", "Fn::ToJsonString"];
/// The transform that they come with.
pub(super) const EXTENSIONS: &str = "AWS::LanguageExtensions";
/// Those of conditions.
pub(super) const LOGICAL_FUNCTIONS: &[&str] =
    &["Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"];

/// Whether a template has the functions of `AWS::LanguageExtensions`.
pub(super) fn has_extensions(root: &Node) -> bool {
    let transforms = root.get("Transform").map(|node| &node.value);
    match transforms {
        Some(Value::List(names)) => names.iter().any(|name| name.as_text() == Some(EXTENSIONS)),
        Some(Value::Text(name)) => name == EXTENSIONS,
        _ => false,
    }
}

/// Reports every function in the template that this gateway does not know, those in branches
/// that are never taken included.
pub(super) fn check_functions(root: &Node, node: &Node, place: &str, problems: &Problems) {
    match &node.value {
        Value::Call { function, argument } => {
            let name = function.as_str();
            let is_extension = EXTENSION_FUNCTIONS.contains(&name);
            if is_extension && !has_extensions(root) {
                let message = format!("`{name}` needs the transform {EXTENSIONS}");
                problems.report(node.line, place, message);
            } else if !is_extension
                && !VALUE_FUNCTIONS.contains(&name)
                && !LOGICAL_FUNCTIONS.contains(&name)
            {
                let tag = name.trim_start_matches("Fn::");
                problems.report(
                    node.line,
                    place,
                    format!(
                        "the local gateway does not know the intrinsic function `{name}` (`!{tag}`)"
                    ),
                );
            }
            check_functions(root, argument, place, problems);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_functions(root, item, &format!("{place}[{index}]"), problems);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let place = if place.is_empty() {
                    entry.name.clone()
                } else {
                    format!("{place}.{}", entry.name)
                };
                check_functions(root, &entry.node, &place, problems);
            }
        }
        Value::Null | Value::Text(_) | Value::Unknown => {}
    }
}
