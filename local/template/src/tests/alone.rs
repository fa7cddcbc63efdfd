//! `deploy/authorizer.yaml`, the authorizer alone, says of it what `template.yaml` says. CloudFormation
//! has no way for the one to read the other: as a nested application the function would be none of
//! `template.yaml`'s own, which `cargo run` and cargo-lambda look for there.

use std::collections::{BTreeMap, BTreeSet};

use crate::globals::merge;
use crate::yaml::{Node, Value, parse};

const WHOLE: &str = include_str!("../../../../template.yaml");
const ALONE: &str = include_str!("../../../../deploy/authorizer.yaml");

/// What one of them says by itself: its API's routes and usage key here, what is given or chosen there.
const OWN: [&str; 14] = [
    "Function/Properties/CodeUri",
    "Function/Properties/Environment/Variables/ROUTES",
    "Function/Properties/Environment/Variables/ROUTES_FILE",
    "Function/Properties/Environment/Variables/KEY_TABLE",
    "Function/Properties/Environment/Variables/DEFAULT_USAGE_KEY",
    "Function/Properties/Environment/Variables/SIMPLE_RESPONSES",
    "Role/Properties/Policies/1",
    "KeyTable/Condition",
    // It is called by its name, which the page to copy from gives: it has no alias.
    "Function/Properties/Description",
    "Function/DependsOn",
    "Function/Properties/AutoPublishAlias",
    "Function/Properties/AutoPublishAliasAllProperties",
    "Function/Properties/VersionDescription",
    "Function/Properties/DeploymentPreference",
];

/// Each text of a template, by where it stands.
type Said = BTreeMap<String, String>;

fn say(at: &str, node: &Node, said: &mut Said) {
    match &node.value {
        Value::Text(text) => {
            said.insert(at.to_owned(), text.clone());
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                say(&format!("{at}/{index}"), item, said);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                say(&format!("{at}/{}", entry.name), &entry.node, said);
            }
        }
        Value::Call { function, argument } => say(&format!("{at}/{function}"), argument, said),
        Value::Null | Value::Unknown => {}
    }
}

fn resource<'n>(root: &'n Node, name: &str) -> &'n Node {
    root.get("Resources").unwrap().get(name).unwrap()
}

/// What a template says about the authorizer's function, log and key table, which has this name.
fn about_the_authorizer(root: &Node, key_table: &str) -> Said {
    let mut said = Said::new();
    let global = root.get("Globals").and_then(|node| node.get("Function"));
    let function = resource(root, "AuthorizerFunction");
    say("Function", function, &mut said);
    if let Some(global) = global {
        let merged = merge(global, function.get("Properties").unwrap());
        say("Function/Properties", &merged, &mut said);
    }
    say("Role", resource(root, "AuthorizerRole"), &mut said);
    say("Log", resource(root, "AuthorizerLogGroup"), &mut said);
    say("KeyTable", resource(root, key_table), &mut said);
    said
}

/// What both templates have of a section, such as its parameters.
fn common(section: &str, of: &Node, other: &Node) -> Said {
    let [of, other] = [of, other].map(|root| root.get(section).unwrap());
    let mut said = Said::new();
    for entry in of.entries() {
        if other.get(&entry.name).is_some() {
            say(&format!("{section}/{}", entry.name), &entry.node, &mut said);
        }
    }
    said
}

/// Each place at which the two say different things, or only one says something.
fn differences(whole: &str, alone: &str) -> BTreeSet<String> {
    let (whole, alone) = (parse(whole).unwrap(), parse(alone).unwrap());
    let mut sides = [
        about_the_authorizer(&whole, "KeyTable"),
        about_the_authorizer(&alone, "CreatedKeyTable"),
    ];
    for section in ["Parameters", "Conditions"] {
        sides[0].extend(common(section, &whole, &alone));
        sides[1].extend(common(section, &alone, &whole));
    }
    let [whole, alone] = sides;
    let places: BTreeSet<&String> = whole.keys().chain(alone.keys()).collect();
    let differing = places
        .into_iter()
        .filter(|place| whole.get(*place) != alone.get(*place));
    differing.cloned().collect()
}

fn is_own(place: &str) -> bool {
    OWN.into_iter().any(|own| is_within(place, own))
}

fn is_within(place: &str, own: &str) -> bool {
    let rest = place.strip_prefix(own);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a template lets the authorizer do, whatever it does it to.
fn actions(text: &str) -> Vec<String> {
    let root = parse(text).unwrap();
    let mut said = Said::new();
    let properties = resource(&root, "AuthorizerRole").get("Properties").unwrap();
    say("", properties.get("Policies").unwrap(), &mut said);
    let rights = said.iter().filter(|(place, _)| {
        let mut names = place.split('/').rev();
        names.any(|name| ["Action", "Condition", "Effect"].contains(&name))
    });
    rights.map(|(_, text)| text.clone()).collect()
}

#[test]
fn the_authorizer_alone_is_the_one_of_the_whole_template() {
    let differing = differences(WHOLE, ALONE);
    let unexpected: Vec<_> = differing.iter().filter(|place| !is_own(place)).collect();
    assert_eq!(unexpected, [""; 0]);
    for own in OWN {
        let differs = differing.iter().any(|place| is_within(place, own));
        assert!(differs, "{own} is the same in both");
    }
    let rights = [
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "Allow",
        "dynamodb:GetItem",
        "key#*",
        "client#*",
        "jti#*",
        "Allow",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "Allow",
    ];
    assert_eq!(actions(WHOLE), rights);
    assert_eq!(actions(ALONE), rights);
}

#[test]
fn a_change_of_either_template_alone_is_a_difference() {
    for (from, to) in [
        ("Default: RS256,PS256,ES256,EdDSA", "Default: RS256"),
        ("Accepted `aud` values", "Accepted audiences"),
        ("MemorySize: 256", "MemorySize: 512"),
        ("LOG_LEVEL: !Ref LogLevel", "LOG_LEVEL: INFO"),
        ("OAUTH_RULE: !Ref OAuthRule", "OAUTH_LEEWAY_SECONDS: '30'"),
        (
            "PointInTimeRecoveryEnabled: true",
            "PointInTimeRecoveryEnabled: false",
        ),
        (
            "RetentionInDays: !Ref LogRetentionDays",
            "RetentionInDays: 1",
        ),
        (
            "[!Equals [!Ref OAuthIssuers, '']]",
            "[!Equals [!Ref OAuthIssuers, '[]']]",
        ),
    ] {
        for (whole, alone) in [
            (WHOLE.replace(from, to), ALONE.to_owned()),
            (WHOLE.to_owned(), ALONE.replace(from, to)),
        ] {
            let differing = differences(&whole, &alone);
            assert!(differing.iter().any(|place| !is_own(place)), "{from}");
        }
    }
}
