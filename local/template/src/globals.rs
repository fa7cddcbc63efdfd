//! `Globals`: what SAM adds to every function and API before anything else is read.

use super::problems::Problems;
use super::yaml::{Entry, Node, Value};

/// The properties that SAM takes for all APIs.
const OF_APIS: &[&str] = &[
    "AccessLogSetting",
    "AlwaysDeploy",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionUri",
    "Domain",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "SecurityPolicy",
    "TracingEnabled",
    "Variables",
];

/// What SAM does not take for all functions: it is each function's own.
const OF_ONE_FUNCTION: &[&str] = &[
    "AutoPublishCodeSha256",
    "Events",
    "FunctionName",
    "ImageConfig",
    "ImageUri",
    "InlineCode",
    "PackageType",
    "Policies",
    "Role",
    "VersionDescription",
];

/// Sections of types whose resources are refused or have no meaning where they stand.
const OTHER_SECTIONS: &[&str] = &[
    "CapacityProvider",
    "HttpApi",
    "LayerVersion",
    "SimpleTable",
    "StateMachine",
    "WebSocketApi",
];

/// Reports what SAM does not take in `Globals`.
pub(super) fn check(globals: Option<&Node>, problems: &Problems) {
    for section in globals.map_or(&[][..], Node::entries) {
        let is_taken: fn(&str) -> bool = match section.name.as_str() {
            "Api" => |name| OF_APIS.contains(&name),
            "Function" => |name| !OF_ONE_FUNCTION.contains(&name),
            other if OTHER_SECTIONS.contains(&other) => |_| true,
            _ => {
                let message = "the local gateway does not support this section";
                problems.report(section.line, &format!("Globals.{}", section.name), message);
                continue;
            }
        };
        for entry in section.node.entries() {
            if !is_taken(&entry.name) {
                let place = format!("Globals.{}.{}", section.name, entry.name);
                problems.report(
                    entry.line,
                    &place,
                    "SAM does not take this property for all",
                );
            }
        }
    }
}

/// The global properties under a resource's own (SAM specification, "Globals section"): mappings
/// are merged key by key, lists are joined with the global items first, anything else is the
/// resource's own. Not resolved yet, as in SAM: an intrinsic function is one opaque value.
pub(super) fn merge(global: &Node, own: &Node) -> Node {
    merge_at(global, own, "")
}

fn merge_at(global: &Node, own: &Node, property: &str) -> Node {
    let value = match (&global.value, &own.value) {
        (Value::Map(global), Value::Map(own)) => Value::Map(merge_entries(global, own)),
        // The one list that SAM replaces: a function has one architecture.
        (Value::List(_), Value::List(_)) if property == "Architectures" => own.value.clone(),
        (Value::List(global), Value::List(own)) => {
            Value::List(global.iter().chain(own).cloned().collect())
        }
        _ => own.value.clone(),
    };
    Node {
        line: own.line,
        value,
        is_plain: own.is_plain,
    }
}

fn merge_entries(global: &[Entry], own: &[Entry]) -> Vec<Entry> {
    let mut merged: Vec<Entry> = global.to_vec();
    for entry in own {
        match merged.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => {
                known.node = merge_at(&known.node, &entry.node, &entry.name);
                known.line = entry.line;
            }
            None => merged.push(entry.clone()),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn merged(global: &str, own: &str) -> Node {
        merge(&parse(global).unwrap(), &parse(own).unwrap())
    }

    #[test]
    fn mappings_merge_and_the_resources_own_scalar_wins() {
        let node = merged(
            "{Timeout: 3, Environment: {Variables: {A: global, B: global}}}",
            "{Environment: {Variables: {B: own, C: own}}}",
        );
        let variables = node.get("Environment").unwrap().get("Variables").unwrap();
        let text = |name| variables.get(name).unwrap().as_text().unwrap().to_owned();
        assert_eq!([text("A"), text("B"), text("C")], ["global", "own", "own"]);
        assert_eq!(node.get("Timeout").unwrap().as_text(), Some("3"));
    }

    #[test]
    fn lists_are_joined_except_architectures() {
        let node = merged(
            "{Layers: [a], Architectures: [x86_64]}",
            "{Layers: [b], Architectures: [arm64]}",
        );
        let lengths =
            ["Layers", "Architectures"].map(|name| match &node.get(name).unwrap().value {
                Value::List(items) => items.len(),
                other => panic!("{other:?}"),
            });
        assert_eq!(lengths, [2, 1]);
    }

    #[test]
    fn an_intrinsic_function_is_one_value_that_the_resource_replaces() {
        let node = merged("{Timeout: !Ref A}", "{Timeout: !Ref B}");
        let Value::Call { argument, .. } = &node.get("Timeout").unwrap().value else {
            panic!("not a call")
        };
        assert_eq!(argument.as_text(), Some("B"));
    }
}
