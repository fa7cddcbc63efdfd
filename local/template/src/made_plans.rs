//! The usage plan that SAM makes of an API's `Auth.UsagePlan`, written out: a plan of the API's stage, and
//! one enabled key on it (SAM specification, `ApiUsagePlan`).

use super::globals;
use super::resources::{API, API_KEY, USAGE_PLAN, USAGE_PLAN_KEY};
use super::yaml::{Entry, Node, Value};

/// The template with each such plan as resources, under the names that SAM gives them.
pub(super) fn written_out(mut root: Node) -> Node {
    let path = ["Auth", "UsagePlan"];
    let of_all = root.get("Globals").and_then(|globals| globals.get("Api"));
    let of_all = of_all.and_then(|api| at(api, &path));
    let mut made = Vec::new();
    for resource in root.get("Resources").map_or(&[][..], Node::entries) {
        if resource.node.get("Type").and_then(Node::as_text) != Some(API) {
            continue;
        }
        let own = resource.node.get("Properties");
        let own = own.and_then(|properties| at(properties, &path));
        let plan = match (of_all, own) {
            (Some(global), Some(own)) => globals::merge(global, own),
            (Some(plan), None) | (None, Some(plan)) => plan.clone(),
            (None, None) => continue,
        };
        let prefix = match plan.get("CreateUsagePlan").and_then(Node::as_text) {
            Some("PER_API") => resource.name.as_str(),
            Some("SHARED") => "Serverless",
            _ => continue,
        };
        let condition = resource.node.get("Condition");
        made.extend(resources(prefix, &resource.name, &plan, condition));
    }
    if let Value::Map(sections) = &mut root.value
        && let Some(section) = sections.iter_mut().find(|entry| entry.name == "Resources")
        && let Value::Map(resources) = &mut section.node.value
    {
        resources.extend(made);
    }
    root
}

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, name| node.get(name))
}

fn resources(prefix: &str, api: &str, plan: &Node, condition: Option<&Node>) -> [Entry; 3] {
    let line = plan.line;
    let (plan_id, key_id) = (format!("{prefix}UsagePlan"), format!("{prefix}ApiKey"));
    let stage = Node::map(
        line,
        vec![
            ("ApiId", Node::reference(line, api)),
            ("Stage", Node::reference(line, &format!("{api}.Stage"))),
        ],
    );
    let stages = Node::of(line, Value::List(vec![stage]));
    let own = plan.entries().iter();
    let own = own.filter(|entry| entry.name != "CreateUsagePlan");
    let mut properties: Vec<_> = own
        .map(|entry| (entry.name.as_str(), entry.node.clone()))
        .collect();
    properties.push(("ApiStages", stages));
    let on_plan = vec![
        ("KeyId", Node::reference(line, &key_id)),
        ("KeyType", Node::text(line, "API_KEY")),
        ("UsagePlanId", Node::reference(line, &plan_id)),
    ];
    let enabled = vec![("Enabled", Node::text(line, "true"))];
    [
        (plan_id.clone(), USAGE_PLAN, properties),
        (key_id.clone(), API_KEY, enabled),
        (format!("{plan_id}Key"), USAGE_PLAN_KEY, on_plan),
    ]
    .map(|(name, kind, properties)| {
        let mut resource = vec![
            ("Type", Node::text(line, kind)),
            ("Properties", Node::map(line, properties)),
        ];
        resource.extend(condition.map(|condition| ("Condition", condition.clone())));
        Entry {
            name,
            line,
            node: Node::map(line, resource),
        }
    })
}
