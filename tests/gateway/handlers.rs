//! Handlers in any language, added with lines of the template alone: those of `docs/handlers.md` as
//! they stand there.

use serde_json::json;

use keygate_tests::node::Packages;
use keygate_tests::page::blocks;
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use keygate_tests::venv;

keygate_tests::tests! { for Target:
    a_handler_in_another_language_is_added_with_lines_of_the_template needs "python", "own-gateway";
    the_handler_of_the_page_runs_in_python needs "python-client", "own-gateway";
    the_handler_of_the_page_runs_in_javascript needs "node-client", "own-gateway";
    the_handler_of_the_page_runs_in_rust needs "own-gateway";
}

/// How to put a handler behind the gateway.
const PAGE: &str = include_str!("../../docs/handlers.md");
/// The page's handler in Rust, as it is built.
const RUST: [&str; 2] = [
    include_str!("../reports/Cargo.toml"),
    include_str!("../reports/src/main.rs"),
];
/// A page that the template lets read.
const ORIGIN: &str = "http://localhost:5173";

/// It asks the Lambda Runtime API for events, and answers each with its caller.
pub(crate) const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as event:
        invocation = event.headers["Lambda-Runtime-Aws-Request-Id"]
        caller = json.load(event)["requestContext"]["authorizer"]["principal"]
    answer = {"statusCode": 200, "body": f"{caller} by Python"}
    urlopen(Request(f"{api}/{invocation}/response", json.dumps(answer).encode())).close()
"#;

fn a_handler_in_another_language_is_added_with_lines_of_the_template(target: &Target) {
    let line = "        ROUTES: |\n";
    let listed = format!("{line}          GET /greeting books:read\n");
    let outputs = "\nOutputs:\n";
    let function = format!(
        "  GreetingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: greeting
      Runtime: provided.al2023
      Events:
        Greet:
          Type: Api
          Properties: {{RestApiId: !Ref Api, Path: /greeting, Method: GET}}
{outputs}"
    );
    let changes = [(line, listed.as_str()), (outputs, &function)];
    let template = target.build().changed_template(&changes);
    let project = Project::new(&template).with_executable("greeting/bootstrap", BOOTSTRAP);
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let token = own.token_with(&[("client_id", "somebody"), ("scope", "books:read")]);
    for _ in 0..3 {
        let greeted = own.get("/greeting").bearer(&token).send().expect(200);
        assert_eq!(greeted.body, "somebody by Python");
    }
    let other = own.token_with(&[("scope", "keys:admin")]);
    let refused = own.get("/greeting").bearer(&other).send();
    refused.problem(403, "insufficient-scope");
}

/// The template with the page's route and the page's entry, whose last lines are these.
fn with_reports(target: &Target, last_lines: &str) -> Project {
    let (line, outputs) = ("        ROUTES: |\n", "\nOutputs:\n");
    let yaml = blocks(PAGE, "yaml");
    let listed = format!("{line}{}", yaml[0]);
    let function = format!("\n{}{last_lines}{outputs}", yaml[1]);
    let changes = [(line, listed.as_str()), (outputs, &function)];
    Project::new(&target.build().changed_template(&changes))
}

/// The last lines of the entry that stand under a heading of the page.
fn last_lines(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(heading).unwrap();
    blocks(section, "yaml")[0]
}

/// The page's handler does what the page says of it: it knows its caller, and its errors have the
/// shape of all others.
#[track_caller]
fn answers_as_the_page_says(target: &Target, project: &Project) {
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let token = own.token_with(&[("client_id", "somebody"), ("scope", "reports:read")]);
    let read =
        |path: &str, origin: &str| own.get(path).bearer(&token).header("Origin", origin).send();
    for _ in 0..2 {
        let report = read("/reports/latest", ORIGIN).expect(200);
        assert_eq!(report.json(), json!({"owner": "somebody"}));
        assert_eq!(report.must_header("content-type"), "application/json");
        assert_eq!(report.must_header("access-control-allow-origin"), ORIGIN);
    }
    let missing = read("/reports/other", ORIGIN);
    let problem = missing.problem(404, "not-found");
    assert_eq!(problem["type"], format!("{}/problems/not-found", own.url));
    assert_eq!(problem["title"], "Not found");
    assert_eq!(problem["instance"], missing.must_header("x-amzn-requestid"));
    assert_eq!(
        problem["extended_request_id"],
        missing.must_header("x-amz-apigw-id")
    );
    assert_eq!(missing.must_header("access-control-allow-origin"), ORIGIN);
    let elsewhere = read("/reports/latest", "https://elsewhere.example");
    assert_eq!(elsewhere.header("access-control-allow-origin"), None);
    assert_eq!(elsewhere.list("vary"), ["origin"]);
    own.get("/reports/latest")
        .send()
        .problem(401, "unauthorized");
    let other = own.token_with(&[("scope", "keys:admin")]);
    let refused = own.get("/reports/latest").bearer(&other).send();
    refused.problem(403, "insufficient-scope");
    assert!(gateway.stop().success());
}

fn the_handler_of_the_page_runs_in_python(target: &Target) {
    let programs = venv::programs("awslambdaric");
    let project = with_reports(target, last_lines("### In Python"))
        .with("reports/app.py", blocks(PAGE, "python")[0])
        .with_link("reports/.venv", programs.parent().unwrap());
    answers_as_the_page_says(target, &project);
}

fn the_handler_of_the_page_runs_in_javascript(target: &Target) {
    let modules = Packages::of_runtime_client().modules();
    let project = with_reports(target, last_lines("### In JavaScript"))
        .with("reports/app.mjs", blocks(PAGE, "javascript")[0])
        .with_link("reports/node_modules", &modules);
    answers_as_the_page_says(target, &project);
}

fn the_handler_of_the_page_runs_in_rust(target: &Target) {
    let page = [blocks(PAGE, "toml")[0], blocks(PAGE, "rust,no_run")[0]];
    assert_eq!(RUST, page, "tests/reports is not what the page has");
    let project = with_reports(target, last_lines("### In Rust"));
    answers_as_the_page_says(target, &project);
}
