//! `Globals`: what SAM adds to every function and API before anything else is read.

use super::yaml::{Entry, Node, Value};

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
    use crate::template::yaml::parse;

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
