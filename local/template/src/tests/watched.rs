//! What watches the API, `deploy/alarms.yaml` and `deploy/dashboard.yaml`: each alarm has its section in the
//! runbook and its place on the dashboard, and what `template.yaml` has is watched.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::json;
use crate::problems::Problems;
use crate::references::References;
use crate::resolve::Resolver;
use crate::yaml::{Node, Value, parse};

const TEMPLATE: &str = include_str!("../../../../template.yaml");
const ALARMS: &str = include_str!("../../../../deploy/alarms.yaml");
const DASHBOARD: &str = include_str!("../../../../deploy/dashboard.yaml");
const ALONE: &str = include_str!("../../../../deploy/authorizer.yaml");
const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");

fn resources(root: &Node) -> BTreeMap<&str, &Node> {
    let entries = root.get("Resources").unwrap().entries();
    let named = entries.iter();
    named
        .map(|entry| (entry.name.as_str(), &entry.node))
        .collect()
}

/// The names of a template's resources of a type.
fn of_type<'n>(root: &'n Node, kind: &str) -> BTreeSet<&'n str> {
    let is_one = |node: &Node| node.get("Type").and_then(Node::as_text) == Some(kind);
    let all = resources(root).into_iter();
    all.filter(|(_, node)| is_one(node))
        .map(|(name, _)| name)
        .collect()
}

/// A property of a resource with every function in it carried out; each parameter is its default, or its
/// own name, and two of a list.
fn property(root: &Node, resource: &str, name: &str) -> Json {
    let declared = root.get("Parameters").unwrap().entries().iter();
    let values = declared.map(|entry| {
        let own = match entry.name.as_str() {
            list if list.ends_with("Names") || list.ends_with("Arns") => {
                format!("{list}-1,{list}-2")
            }
            one => one.to_owned(),
        };
        let default = entry.node.get("Default").and_then(Node::as_text);
        let value = Value::Text(default.map_or(own, str::to_owned));
        (entry.name.clone(), value)
    });
    let problems = Problems::default();
    let references = References::of(&BTreeMap::new());
    let resolver = Resolver::new(root, values.collect(), references, &problems).unwrap();
    let properties = resources(root)[resource].get("Properties").unwrap();
    let property = resolver
        .resolve(properties.get(name).unwrap(), resource)
        .unwrap();
    let found = json::of(&property);
    assert_eq!(problems.into_list(), [], "{resource}.{name}");
    found.unwrap()
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap()
}

/// The sections of the runbook that are about an alarm, which each is named like.
fn sections() -> BTreeSet<&'static str> {
    let (_, alarms) = RUNBOOK.split_once("\n## Alarms\n").unwrap();
    let (alarms, _) = alarms.split_once("\n## ").unwrap_or((alarms, ""));
    let sections = alarms.lines();
    sections
        .filter_map(|line| line.strip_prefix("### "))
        .collect()
}

#[test]
fn each_alarm_has_its_section_in_the_runbook_and_each_section_its_alarm() {
    let alarms = parse(ALARMS).unwrap();
    let mut named = BTreeSet::new();
    for alarm in of_type(&alarms, "AWS::CloudWatch::Alarm") {
        let name = property(&alarms, alarm, "AlarmName");
        let name = text(&name).strip_prefix("Stack-").unwrap().to_owned();
        let description = property(&alarms, alarm, "AlarmDescription");
        let section = format!(" See docs/runbook.md#{name}");
        assert!(text(&description).ends_with(&section), "{description}");
        named.insert(name);
    }
    // It is about versions, which the nested alarms may not depend on.
    let new_versions = "\n      AlarmName: !Sub ${AWS::StackName}-new-versions\n";
    assert!(TEMPLATE.contains(new_versions));
    assert!(TEMPLATE.contains(" See docs/runbook.md#new-versions\n"));
    let template = parse(TEMPLATE).unwrap();
    assert_eq!(of_type(&template, "AWS::CloudWatch::Alarm").len(), 1);
    named.insert("new-versions".to_owned());
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(named, sections());
}

#[test]
fn the_alarms_of_the_authorizer_alone_name_sections_of_the_runbook() {
    let alone = parse(ALONE).unwrap();
    let alarms = of_type(&alone, "AWS::CloudWatch::Alarm");
    assert!(!alarms.is_empty());
    for alarm in alarms {
        let properties = resources(&alone)[alarm].get("Properties").unwrap();
        let description = properties.get("AlarmDescription").unwrap();
        let description = description.as_text().unwrap();
        let (_, section) = description.split_once("docs/runbook.md#").unwrap();
        assert!(sections().contains(section), "{description}");
    }
}

#[test]
fn each_alarm_tells_the_topic_and_says_what_silence_means() {
    let alarms = parse(ALARMS).unwrap();
    for alarm in of_type(&alarms, "AWS::CloudWatch::Alarm") {
        for actions in ["AlarmActions", "OKActions"] {
            let told = property(&alarms, alarm, actions);
            assert_eq!(told, serde_json::json!(["TopicArn"]), "{alarm}");
        }
        // The one that asks whether something runs at all takes silence for an alarm.
        let silence = property(&alarms, alarm, "TreatMissingData");
        let is_about_silence = alarm == "UpkeepMissingAlarm";
        assert_eq!(text(&silence) == "breaching", is_about_silence, "{alarm}");
        assert_eq!(
            text(&silence) == "notBreaching",
            !is_about_silence,
            "{alarm}"
        );
    }
}

#[test]
fn the_dashboard_is_given_every_alarm() {
    let root = parse(ALARMS).unwrap();
    let outputs = root.get("Outputs").unwrap();
    let given = outputs.get("AlarmArns").unwrap().get("Value").unwrap();
    let mut found = BTreeSet::new();
    mentioned(given, &mut found);
    // In place of an alarm that is not asked for.
    found.remove("AWS::NoValue");
    let alarms = of_type(&root, "AWS::CloudWatch::Alarm").into_iter();
    let arns: BTreeSet<String> = alarms.map(|alarm| format!("{alarm}.Arn")).collect();
    assert_eq!(found, arns);
}

/// What a value refers to, as `Name` or `Name.Attribute`.
fn mentioned(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Call { function, argument } if function == "Ref" || function == "Fn::GetAtt" => {
            found.extend(argument.as_text().map(str::to_owned));
        }
        Value::Call { argument, .. } => mentioned(argument, found),
        Value::List(items) => items.iter().for_each(|item| mentioned(item, found)),
        Value::Map(entries) => entries
            .iter()
            .for_each(|entry| mentioned(&entry.node, found)),
        Value::Text(_) | Value::Null | Value::Unknown => {}
    }
}

/// The parameters that `template.yaml` gives a nested stack.
fn given<'n>(root: &'n Node, stack: &str) -> &'n Node {
    let properties = resources(root)[stack].get("Properties").unwrap();
    properties.get("Parameters").unwrap()
}

#[test]
fn every_function_table_and_log_is_watched() {
    let root = parse(TEMPLATE).unwrap();
    for (stack, list, kind) in [
        ("Alarms", "FunctionNames", "AWS::Serverless::Function"),
        ("Alarms", "TableNames", "AWS::DynamoDB::Table"),
        ("Dashboard", "FunctionNames", "AWS::Serverless::Function"),
        ("Dashboard", "TableNames", "AWS::DynamoDB::Table"),
        ("Dashboard", "LogGroupNames", "AWS::Logs::LogGroup"),
    ] {
        let mut watched = BTreeSet::new();
        mentioned(given(&root, stack).get(list).unwrap(), &mut watched);
        let missing: Vec<&str> = of_type(&root, kind)
            .into_iter()
            .filter(|name| !watched.contains(*name))
            .collect();
        assert_eq!(missing, [""; 0], "{stack}.{list}");
    }
}

#[test]
fn nested_stacks_are_given_what_they_ask_for() {
    let root = parse(TEMPLATE).unwrap();
    for (stack, nested) in [("Alarms", ALARMS), ("Dashboard", DASHBOARD)] {
        let nested = parse(nested).unwrap();
        let given: BTreeSet<&str> = given(&root, stack)
            .entries()
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        let asked = nested.get("Parameters").unwrap().entries().iter();
        let asked = asked.filter(|entry| entry.node.get("Default").is_none());
        let asked: BTreeSet<&str> = asked.map(|entry| entry.name.as_str()).collect();
        assert_eq!(given, asked, "{stack}");
    }
}

#[test]
fn the_dashboard_is_json_with_widgets_beside_one_another() {
    let dashboard = parse(DASHBOARD).unwrap();
    let body = property(&dashboard, "Overview", "DashboardBody");
    let body: Json = serde_json::from_str(text(&body)).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let mut taken = BTreeSet::new();
    for widget in widgets {
        let at = |name: &str| widget[name].as_u64().unwrap();
        assert!(at("x") + at("width") <= 24, "{widget}");
        for x in at("x")..at("x") + at("width") {
            for y in at("y")..at("y") + at("height") {
                assert!(taken.insert((x, y)), "two widgets at {x}, {y}: {widget}");
            }
        }
        let properties = &widget["properties"];
        match text(&widget["type"]) {
            "text" => assert!(text(&properties["markdown"]).contains("docs/runbook.md")),
            "alarm" => assert_eq!(
                properties["alarms"],
                serde_json::json!(["AlarmArns-1", "AlarmArns-2"])
            ),
            "log" => {
                let query = text(&properties["query"]);
                assert!(query.starts_with("SOURCE '"), "{query}");
                assert!(query.contains("LogGroupName' | "), "{query}");
            }
            kind => {
                assert_eq!(kind, "metric", "{widget}");
                metrics_are_right(properties);
            }
        }
    }
    assert!(widgets.iter().any(|widget| widget["type"] == "metric"));
}

/// A metric is its namespace, its name, pairs of dimensions, and how it is shown.
fn metrics_are_right(properties: &Json) {
    assert!(text(&properties["region"]).len() > 1);
    for metric in properties["metrics"].as_array().unwrap() {
        let metric = metric.as_array().unwrap();
        let names = metric.iter().filter(|part| part.is_string()).count();
        assert!(names == 0 || (names >= 2 && names % 2 == 0), "{metric:?}");
        let shown: Vec<&Json> = metric.iter().filter(|part| part.is_object()).collect();
        assert!(
            shown.len() <= 1 && names + shown.len() == metric.len(),
            "{metric:?}"
        );
        assert!(
            names > 0 || shown[0]["expression"].is_string(),
            "{metric:?}"
        );
    }
}
