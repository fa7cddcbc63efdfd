//! The CDK stacks of `docs/adopt.md`, synthesised as they stand there by npm's `aws-cdk-lib`.

#![allow(
    clippy::unwrap_used,
    reason = "a suite that breaks is a test that fails"
)]

use std::process::{Command, ExitCode};

use keygate_tests::node::{self, Packages};
use keygate_tests::page::blocks;
use keygate_tests::project::Project;
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/adopt.md");
const SYNTH: &str = include_str!("../cdk/synth.ts");
const HANDLER: &str = include_str!("books/app.py");
/// The authorizer that SYNTH gives to the stacks, as API Gateway calls it.
const INVOKE_ARN: &str =
    "arn:aws:lambda:eu-west-1:123456789012:function:books-authorizer/invocations";

/// What the stacks are synthesised to, by their names.
fn synthesised() -> Value {
    let packages = Packages::installed(
        include_str!("../cdk/package.json"),
        include_str!("../cdk/package-lock.json"),
    );
    let [books, books_over_http_api] = blocks(PAGE, "typescript").try_into().unwrap();
    let project = Project::new("")
        .with("books.ts", books)
        .with("books-over-http-api.ts", books_over_http_api)
        .with("synth.ts", SYNTH)
        .with("books/app.py", HANDLER)
        .with_link("node_modules", &packages.modules());
    let options = "--strict --skipLibCheck --noEmitOnError --module commonjs --target es2022";
    let compiler = ["node_modules/typescript/bin/tsc", "synth.ts"];
    let arguments = compiler.into_iter().chain(options.split(' '));
    node(&project, &arguments.collect::<Vec<_>>());
    serde_json::from_slice(&node(&project, &["synth.js"])).unwrap()
}

/// What a program prints, which must succeed.
#[track_caller]
fn node(project: &Project, arguments: &[&str]) -> Vec<u8> {
    let mut node = Command::new("node");
    let output = node.args(arguments).current_dir(project.folder()).output();
    let output = output.unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // An error shows the line that threw, which of a packed library is all of it.
    let said: Vec<_> = said.lines().filter(|line| line.len() < 1000).collect();
    assert!(output.status.success(), "{said:#?}");
    output.stdout
}

/// The properties of each resource of a type, by its logical id.
fn resources<'t>(template: &'t Value, kind: &str) -> Vec<(&'t str, &'t Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    let of_kind = all.filter(|(_, resource)| resource["Type"] == kind);
    of_kind
        .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
        .collect()
}

#[track_caller]
fn only<'t>(template: &'t Value, kind: &str) -> (&'t str, &'t Value) {
    let [one] = resources(template, kind).try_into().unwrap();
    one
}

/// Has no permission of its own for the authorizer's function, whose stack gives one.
fn gives_no_permission_for_the_authorizer(template: &Value) {
    for (id, permission) in resources(template, "AWS::Lambda::Permission") {
        let function = permission["FunctionName"].to_string();
        assert!(!function.contains("books-authorizer"), "{id}: {function}");
    }
}

fn a_rest_api_asks_the_authorizer(template: &Value) {
    let (id, authorizer) = only(template, "AWS::ApiGateway::Authorizer");
    assert_eq!(authorizer["Type"], "TOKEN");
    let header = "method.request.header.Authorization";
    assert_eq!(authorizer["IdentitySource"], header);
    assert_eq!(authorizer["AuthorizerResultTtlInSeconds"], 60);
    let uri = authorizer["AuthorizerUri"].to_string();
    assert!(uri.contains(INVOKE_ARN), "{uri}");
    let methods = resources(template, "AWS::ApiGateway::Method");
    let asks: Vec<_> = methods
        .iter()
        .map(|(_, method)| (&method["AuthorizationType"], &method["AuthorizerId"]))
        .collect();
    let (custom, none) = (json!("CUSTOM"), json!("NONE"));
    assert_eq!(
        asks,
        [(&custom, &json!({"Ref": id})), (&none, &Value::Null)]
    );
    let responses = resources(template, "AWS::ApiGateway::GatewayResponse");
    let mut types = Vec::new();
    for (_, response) in responses {
        assert_eq!(response["StatusCode"], "503");
        types.push(response["ResponseType"].as_str().unwrap());
    }
    types.sort_unstable();
    assert_eq!(
        types,
        ["AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE"]
    );
    gives_no_permission_for_the_authorizer(template);
}

fn an_http_api_asks_the_authorizer(template: &Value) {
    let (id, authorizer) = only(template, "AWS::ApiGatewayV2::Authorizer");
    assert_eq!(authorizer["AuthorizerType"], "REQUEST");
    assert_eq!(authorizer["AuthorizerPayloadFormatVersion"], "1.0");
    let header = json!(["$request.header.Authorization"]);
    assert_eq!(authorizer["IdentitySource"], header);
    assert_eq!(authorizer["AuthorizerResultTtlInSeconds"], 60);
    assert_ne!(authorizer["EnableSimpleResponses"], true);
    let uri = authorizer["AuthorizerUri"].to_string();
    assert!(uri.contains(INVOKE_ARN), "{uri}");
    for (_, route) in resources(template, "AWS::ApiGatewayV2::Route") {
        match route["RouteKey"].as_str().unwrap() {
            "GET /books" => {
                assert_eq!(route["AuthorizationType"], "CUSTOM");
                assert_eq!(route["AuthorizerId"], json!({"Ref": id}));
            }
            open => {
                assert_eq!(open, "GET /health");
                assert_eq!(route["AuthorizationType"], "NONE");
            }
        }
    }
    gives_no_permission_for_the_authorizer(template);
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let lacking = node::lacking();
    if let Some(reason) = lacking {
        println!("skipped the_cdk_stacks_of_the_page_ask_the_authorizer: {reason}");
    }
    let trial = Trial::test("the_cdk_stacks_of_the_page_ask_the_authorizer", || {
        let templates = synthesised();
        a_rest_api_asks_the_authorizer(&templates["Books"]);
        an_http_api_asks_the_authorizer(&templates["BooksOverHttpApi"]);
        Ok(())
    });
    let trials = vec![trial.with_ignored_flag(lacking.is_some())];
    libtest_mimic::run(&arguments, trials).exit_code()
}
