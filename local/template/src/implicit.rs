//! The API that SAM makes for events that name none (SAM specification, "Api" event source): a template of
//! functions alone has one, named `ServerlessRestApi`, with the stage `Prod`.

use super::resources::{API, FUNCTION};
use super::yaml::{Entry, Node, Value};

/// The logical id that SAM gives it.
pub(super) const ID: &str = "ServerlessRestApi";
/// The stage that SAM gives it.
const STAGE: &str = "Prod";

/// The template with that API written out, where an event stands on it.
pub(super) fn written_out(mut root: Node) -> Node {
    let resources = entry(&mut root, "Resources");
    let Some(Value::Map(resources)) = resources.map(|node| &mut node.value) else {
        return root;
    };
    let mut first = None;
    for resource in resources.iter_mut() {
        let kind = resource.node.get("Type").and_then(Node::as_text);
        if kind == Some(FUNCTION) {
            let line = name_in_events(&mut resource.node);
            first = first.or(line);
        }
    }
    let is_there = resources.iter().any(|resource| resource.name == ID);
    if let Some(line) = first.filter(|_| !is_there) {
        let stage = Node::map(line, vec![("StageName", Node::text(line, STAGE))]);
        let api = vec![("Type", Node::text(line, API)), ("Properties", stage)];
        resources.push(Entry {
            name: ID.to_owned(),
            line,
            node: Node::map(line, api),
        });
    }
    root
}

/// Names the API in each event of a function that names none; the line of the first.
fn name_in_events(function: &mut Node) -> Option<usize> {
    let properties = entry(function, "Properties")?;
    let Value::Map(events) = &mut entry(properties, "Events")?.value else {
        return None;
    };
    let mut first = None;
    for event in events {
        let is_api = event.node.get("Type").and_then(Node::as_text) == Some("Api");
        let properties = entry(&mut event.node, "Properties").filter(|_| is_api);
        let Some(properties) = properties else {
            continue;
        };
        let line = properties.line;
        let Value::Map(properties) = &mut properties.value else {
            continue;
        };
        if properties
            .iter()
            .all(|property| property.name != "RestApiId")
        {
            properties.push(Entry {
                name: "RestApiId".to_owned(),
                line,
                node: Node::reference(line, ID),
            });
            first = first.or(Some(line));
        }
    }
    first
}

/// The value of an entry, to be changed.
fn entry<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let mut entries = entries.iter_mut();
    let found = entries.find(|entry| entry.name == name);
    found.map(|entry| &mut entry.node)
}
