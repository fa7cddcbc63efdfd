//! The custom resource `Settings` of the repository's templates: every function that serves is given its
//! variables after they were checked, and it checks what the function is given.

use std::collections::BTreeMap;

use crate::yaml::{Node, Value, parse};

const WHOLE: &str = include_str!("../../../../template.yaml");
const ALONE: &str = include_str!("../../../../deploy/authorizer.yaml");

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, name| node.get(name))
}

/// A node without its lines.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Map(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|entry| format!("{}: {}", entry.name, written(&entry.node)));
            format!("{{{}}}", Vec::from_iter(entries).join(", "))
        }
        Value::List(items) => format!("{:?}", Vec::from_iter(items.iter().map(written))),
        Value::Call { function, argument } => format!("!{function} {}", written(argument)),
        other => format!("{other:?}"),
    }
}

/// The variables of each function that serves, by the name of its binary.
fn given(root: &Node) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    for resource in root.get("Resources").unwrap().entries() {
        let node = &resource.node;
        let is_of_api = |event: &crate::yaml::Entry| {
            event.node.get("Type").and_then(Node::as_text) == Some("Api")
        };
        let events = at(node, &["Properties", "Events"]).map_or(&[][..], Node::entries);
        if !events.iter().any(is_of_api) && resource.name != "AuthorizerFunction" {
            continue;
        }
        let depends_on = node.get("DependsOn").and_then(Node::as_text);
        // By its fingerprint it waits as well.
        let description = at(node, &["Properties", "Description"]).map(written);
        let waits = depends_on == Some("Settings")
            || description.is_some_and(|text| text.contains("${Settings."));
        assert!(waits, "{}", resource.name);
        let binary = at(node, &["Metadata", "BuildProperties", "Binary"]);
        let variables = at(node, &["Properties", "Environment", "Variables"]);
        let binary = binary.and_then(Node::as_text).unwrap();
        given.insert(binary.to_owned(), written(variables.unwrap()));
    }
    given
}

#[test]
fn what_is_checked_is_what_each_function_that_serves_is_given() {
    for (text, of_keygate) in [
        (
            WHOLE,
            &["authorizer", "error-mapper", "keys", "preflight"][..],
        ),
        (ALONE, &["authorizer"]),
    ] {
        let root = parse(text).unwrap();
        let settings = at(&root, &["Resources", "Settings", "Properties"]).unwrap();
        let sections = ["Functions", "Handlers"].map(|name| settings.get(name));
        let checked = sections.into_iter().flatten().flat_map(Node::entries);
        let checked: BTreeMap<_, _> = checked
            .map(|entry| (entry.name.clone(), written(&entry.node)))
            .collect();
        let given = given(&root);
        assert!(of_keygate.iter().all(|name| given.contains_key(*name)));
        assert_eq!(checked, given);
        let globals = at(&root, &["Globals", "Function", "Environment", "Variables"]);
        assert_eq!(
            settings.get("EveryFunction").map(written),
            globals.map(written)
        );
    }
}
