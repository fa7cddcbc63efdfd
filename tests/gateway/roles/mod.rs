//! Least privilege: the role of each function, as the deployed template has it, held against the calls that
//! the function makes.
//!
//! A new function of the template needs a role of its own and `functions/NAME/requests.http`, with requests by
//! which it makes every call that it can: to a path of the API, or to `{{lambda}}` where nothing but Lambda's
//! Invoke API reaches it. A call that is of no kind yet is added to `calls.rs`, with the rights that it needs,
//! and what the role may do to docs/security.md.

mod calls;
mod comparison;
mod deployed;
mod linked;
mod policy;
mod record;
mod requests;
mod right;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

use keygate_tests::target::Target;
use serde_json::json;

use comparison::findings;
use deployed::Deployed;
use policy::matches;
use record::Calls;

keygate_tests::tests! { for Target:
    each_role_grants_what_its_function_calls_and_nothing_else needs "own-gateway";
    the_requests_of_a_function_make_every_call_that_it_links needs "own-gateway", "symbols";
    a_right_that_is_missing_or_not_used_is_named needs "own-gateway";
    each_role_is_one_functions_own needs "own-gateway";
    the_docs_say_what_each_function_may_do needs "own-gateway";
}

/// Parameters by which roles, or what Lambda does with them, differ. The tables that are there are those of
/// the gateway, so the calls stay the same.
const CONFIGURATIONS: [&[(&str, &str)]; 2] = [
    &[],
    &[
        ("ExistingKeyTable", "keygate-local-KeyTable"),
        ("ExistingItemsTable", "keygate-local-ItemsTable"),
        ("Tracing", "true"),
    ],
];

/// The roles that are no function's: API Gateway's for its logs, `CodeDeploy`'s for gradual deployments, and that
/// by which a schedule calls `upkeep`.
const OF_SERVICES: [&str; 3] = ["ApiGatewayLogRole", "DeploymentRole", "UpkeepScheduleRole"];

/// What each function calls; asked of one gateway, for all tests here.
fn recorded(target: &Target) -> &'static Calls {
    static CALLS: OnceLock<Calls> = OnceLock::new();
    CALLS.get_or_init(|| record::calls(target))
}

fn each_role_grants_what_its_function_calls_and_nothing_else(target: &Target) {
    for parameters in CONFIGURATIONS {
        let found = findings(&Deployed::with(parameters), recorded(target));
        assert_eq!(found, [""; 0], "with {parameters:?}");
    }
}

fn the_requests_of_a_function_make_every_call_that_it_links(target: &Target) {
    for function in Deployed::with(&[]).functions() {
        let called = recorded(target).get(&function.id).into_iter().flatten();
        let called: BTreeSet<String> = called.map(|call| call.operation.clone()).collect();
        let linked = linked::operations(&target.build().directory.join(&function.binary));
        // Names that are found no more would leave nothing to compare.
        if function.binary == "authorizer" {
            assert!(linked.contains("dynamodb.GetItem"), "{linked:?}");
        }
        let missing: Vec<&String> = linked.difference(&called).collect();
        let file = format!("functions/{}/requests.http", function.binary);
        assert_eq!(missing, [""; 0], "no request of {file} makes these calls");
    }
}

fn a_right_that_is_missing_or_not_used_is_named(target: &Target) {
    let text = Deployed::text();
    // What stands in the template, what in its place, and of which rights it is said then that they are
    // missing, and that nothing needs them.
    for (passage, replacement, missing, needless) in [
        (
            "\"dynamodb:UpdateItem\"",
            "\"dynamodb:BatchWriteItem\"",
            "dynamodb:UpdateItem on arn:aws:dynamodb:us-east-1:123456789012:table/keygate-local-KeyTable",
            "dynamodb:BatchWriteItem on arn:aws:dynamodb:us-east-1:123456789012:table/keygate-local-KeyTable",
        ),
        (
            "/usageplans/${PartnerUsagePlan}/keys\"",
            "/usageplans/${UnregisteredUsagePlan}/keys\"",
            "/usageplans/partnerusageplan/keys",
            "/usageplans/unregisteredusageplan/keys",
        ),
        (
            "\"client#*\"",
            "\"other#*\"",
            "\"client#mobile\"",
            "other#* (dynamodb:LeadingKeys)",
        ),
        (
            "\"aws:ResourceTag/keygate:stack\"",
            "\"aws:ResourceTag/another\"",
            "apigateway:DELETE on arn:aws:apigateway:us-east-1::/apikeys/",
            "(aws:ResourceTag/another)",
        ),
        (
            "\"logs:PutLogEvents\"",
            "\"logs:PutRetentionPolicy\"",
            "PreflightFunction: logs:PutLogEvents",
            "PreflightFunction: logs:PutRetentionPolicy",
        ),
    ] {
        assert!(text.contains(passage), "{passage} is not in the template");
        let changed = Deployed::of(&text.replace(passage, replacement), &[]);
        let found = findings(&changed, recorded(target));
        for (words, what) in [
            (missing, "is called and not granted"),
            (needless, "is granted and not called"),
        ] {
            let mut found = found.iter();
            let is_said = found.any(|one| one.contains(words) && one.ends_with(what));
            assert!(is_said, "{words} {what} is not among {found:#?}");
        }
    }
    let changed = text.replace("\"dynamodb:UpdateItem\"", "\"dynamodb:Update*\"");
    let found = findings(&Deployed::of(&changed, &[]), recorded(target));
    let named = "KeysFunction: dynamodb:Update* is more than one action";
    assert!(found.iter().any(|one| one == named), "{found:#?}");
}

fn each_role_is_one_functions_own(_: &Target) {
    let deployed = Deployed::with(&[]);
    let mut roles = BTreeSet::from(OF_SERVICES);
    for function in deployed.functions() {
        let role = deployed.role(&function.id);
        assert!(roles.insert(role), "{role} is several functions'");
        let properties = deployed.role_properties(role).as_object().unwrap();
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        // No policy of AWS's, and no name, for which a deployment needs a further capability.
        assert_eq!(names, ["AssumeRolePolicyDocument", "Policies"], "{role}");
        let trusted = json!([{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }]);
        let document = &properties["AssumeRolePolicyDocument"];
        assert_eq!(document["Statement"], trusted, "{role}");
    }
    for (id, kind, attached) in deployed.identities() {
        let is_known = match &*kind {
            "AWS::IAM::Role" => roles.contains(&*id),
            "AWS::IAM::Policy" => attached.iter().all(|role| roles.contains(&**role)),
            _ => false,
        };
        assert!(is_known, "{id} ({kind}) is no role of a function's");
    }
}

/// The rows of a page's tables, as lists of their cells.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows = rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect());
    rows.collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn the_docs_say_what_each_function_may_do(_: &Target) {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## What each function may do\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (functions, wildcards) = section.split_once("| wildcard |").unwrap();

    let all = Deployed::with(&[]).functions();
    let mut said = BTreeSet::new();
    for row in rows(functions) {
        let names: Vec<&str> = match row[0] {
            "each" => all.iter().map(|function| &*function.binary).collect(),
            names => quoted(names).collect(),
        };
        for action in quoted(row[1]).filter(|text| text.contains(':')) {
            said.extend(names.iter().map(|name| format!("{name} {action}")));
        }
    }
    let mut granted = BTreeSet::new();
    let mut open = BTreeMap::new();
    for parameters in CONFIGURATIONS {
        for function in Deployed::with(parameters).functions() {
            for statement in function.statements {
                let actions = statement.actions.iter();
                granted.extend(actions.map(|action| format!("{} {action}", function.binary)));
                let resources = statement.resources.into_iter();
                let resources = resources.filter(|resource| resource.contains(['*', '?']));
                open.extend(resources.map(|resource| (resource, function.id.clone())));
            }
        }
    }
    assert_eq!(said, granted, "docs/security.md and what the roles grant");

    // `...` stands for what is another's in each deployment.
    let patterns = rows(wildcards)
        .into_iter()
        .filter_map(|row| quoted(row[0]).next());
    let patterns: Vec<&str> = patterns.collect();
    let is_said = |resource: &str| patterns.iter().any(|pattern| fits(pattern, resource));
    for (resource, function) in &open {
        assert!(
            is_said(resource),
            "docs/security.md has no reason for {resource} of {function}"
        );
    }
    for pattern in &patterns {
        let mut open = open.keys();
        assert!(
            open.any(|resource| fits(pattern, resource)),
            "no role has {pattern}"
        );
    }
}

/// Whether a pattern of the page, in which `...` is any text and a wildcard is itself, is this resource.
fn fits(pattern: &str, resource: &str) -> bool {
    let [pattern, resource] = [pattern, resource].map(|text| text.replace('*', "<any>"));
    matches(&pattern.replace("...", "*"), &resource)
}
