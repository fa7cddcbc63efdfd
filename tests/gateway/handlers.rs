//! Handlers in any language, added with lines of the template alone: those of `docs/handlers.md` as
//! they stand there, and others.

use std::process::ExitStatus;

use serde_json::json;

use keygate_tests::keygate::wait_for;
use keygate_tests::node::Packages;
use keygate_tests::page::blocks;
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use keygate_tests::venv;

use crate::processes::is_running;

keygate_tests::tests! { for Target:
    a_handler_in_another_language_is_added_with_lines_of_the_template needs "python", "own-gateway";
    the_handler_of_the_page_runs_in_python needs "python-client", "own-gateway";
    the_handler_of_the_page_runs_in_javascript needs "node-client", "own-gateway";
    the_handler_of_the_page_runs_in_rust needs "own-gateway";
    a_template_that_knows_nothing_of_keygate_is_served needs "python-client", "own-gateway";
    a_handler_that_throws_is_a_bad_gateway_and_goes_on needs "python-client", "own-gateway";
    a_handler_that_cannot_be_imported_is_named_with_its_error needs "python-client", "own-gateway";
    layers_are_searched_as_in_lambda needs "python-client", "own-gateway";
    a_layer_that_cannot_be_had_here_is_named needs "own-gateway";
    a_missing_client_is_named_with_the_command_that_installs_it needs "node", "own-gateway";
    what_is_missing_is_named_for_every_function needs "node", "own-gateway";
    a_bootstrap_leaves_no_process_of_its_own_behind needs "python", "own-gateway";
    a_function_that_make_builds_is_served needs "python", "own-gateway";
    a_function_that_make_does_not_build_is_named needs "own-gateway";
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
const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
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

/// A template of somebody who has never heard of Keygate, with a function behind one route.
fn foreign(properties: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties: {{StageName: prod}}
  Greeting:
    Type: AWS::Serverless::Function
{properties}
      Events:
        Greet:
          Type: Api
          Properties: {{RestApiId: !Ref Shop, Path: /greeting, Method: GET}}
"
    )
}

const IN_PYTHON: &str = "    Properties:\n      CodeUri: src/greeting\n      Handler: app.handler\n      Runtime: python3.13";

/// A project whose one function is this Python, with the client in an environment beside the template.
fn foreign_in_python(program: &str) -> Project {
    let programs = venv::programs("awslambdaric");
    Project::new(&foreign(IN_PYTHON))
        .with("src/greeting/app.py", program)
        .with_link(".venv", programs.parent().unwrap())
}

/// The template with what is beside its API.
fn beside(template: &str) -> String {
    let event = "        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}\n";
    let queue = "  Orders: {Type: AWS::SQS::Queue}\n";
    let events = "      Events:\n";
    template.replacen(events, &format!("{events}{event}"), 1) + queue
}

fn a_template_that_knows_nothing_of_keygate_is_served(target: &Target) {
    let program = "import os\n\ndef handler(event, context):\n    \
                   seen = [event['path'], context.function_name, os.environ['AWS_EXECUTION_ENV'],\n            \
                   os.environ['_HANDLER'], os.environ['LAMBDA_TASK_ROOT'], os.environ['TZ']]\n    \
                   return {'statusCode': 200, 'body': ' '.join(seen)}\n";
    let project = foreign_in_python(program).with("template.yaml", &beside(&foreign(IN_PYTHON)));
    let (gateway, own) = target.own(&["--template", &project.template()]);
    assert!(own.url.ends_with("/prod"), "{}", own.url);
    let said = gateway.stderr();
    for left_out in [
        "Orders (AWS::SQS::Queue, line ",
        "Greeting.Events.Nightly (Schedule, line ",
    ] {
        assert_eq!(said.matches(left_out).count(), 1, "{left_out}: {said}");
    }
    let folder = project.folder().canonicalize().unwrap();
    let expected = format!(
        "/greeting Greeting AWS_Lambda_python3.13 app.handler {}/src/greeting :UTC",
        folder.display()
    );
    assert_eq!(own.get("/greeting").send().expect(200).body, expected);
}

/// The project's function with two layers, of which the later one wins.
fn with_layers(project: Project, variables: &str) -> Project {
    let properties = format!(
        "{IN_PYTHON}
      Layers: [!Ref Base, !Ref Words]
      Environment: {{Variables: {{{variables}}}}}"
    );
    let layers = "  Base:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/base}
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/words}
";
    project
        .with("template.yaml", &(foreign(&properties) + layers))
        .with("layers/base/python/words.py", "GREETING = 'base'\n")
        .with("layers/words/python/words.py", "GREETING = 'hello'\n")
        .with("layers/base/text", "of the base")
}

fn layers_are_searched_as_in_lambda(target: &Target) {
    let program = "import os, subprocess, words\n\ndef handler(event, context):\n    \
                   text = open(os.environ['TEXT']).read()\n    \
                   said = subprocess.check_output(['whisper'], text=True)\n    \
                   return {'statusCode': 200, 'body': ' '.join([words.GREETING, text, said])}\n";
    let project = with_layers(foreign_in_python(program), "TEXT: /opt/text")
        .with_executable("layers/words/bin/whisper", "#!/bin/sh\nprintf quietly\n");
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let greeted = own.get("/greeting").send().expect(200);
    assert_eq!(greeted.body, "hello of the base quietly");
}

fn a_layer_that_cannot_be_had_here_is_named(target: &Target) {
    let project = || Project::new("").with("src/greeting/app.py", "");
    let with_extension =
        with_layers(project(), "").with_executable("layers/words/extensions/watch", "#!/bin/sh\n");
    let without_folder = with_layers(project(), "");
    std::fs::remove_dir_all(without_folder.folder().join("layers/base")).unwrap();
    for (project, words) in [
        (
            with_extension,
            ["Greeting", "layers/words holds extensions"],
        ),
        (without_folder, ["Greeting", "layers/base, is no folder"]),
        (
            with_layers(project(), "TEXT: /opt/other"),
            ["TEXT", "names /opt/other"],
        ),
        (
            with_layers(project(), "AWS_LAMBDA_EXEC_WRAPPER: /opt/text"),
            ["EXEC_WRAPPER", "not support"],
        ),
    ] {
        let (_, said) = refused(target, &project);
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}

fn a_handler_that_throws_is_a_bad_gateway_and_goes_on(target: &Target) {
    let program = "def handler(event, context):\n    \
                   if event['queryStringParameters']: raise ValueError('no such greeting')\n    \
                   return {'statusCode': 200, 'body': 'hello'}\n";
    let project = foreign_in_python(program);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    own.get("/greeting?fail=1").send().expect(502);
    own.get("/greeting").send().expect(200);
    let said = gateway.stderr();
    assert!(said.contains("no such greeting"), "{said}");
}

/// A gateway that builds what the template names does not start; what it said.
#[track_caller]
fn refused(target: &Target, project: &Project) -> (ExitStatus, String) {
    let template = project.template();
    match target
        .build()
        .try_start_building(&["--template", &template])
    {
        Ok(_) => panic!("keygate starts"),
        Err(refused) => refused,
    }
}

fn a_handler_that_cannot_be_imported_is_named_with_its_error(target: &Target) {
    let project = foreign_in_python("import no_such_module\n");
    let (status, said) = refused(target, &project);
    assert_eq!(status.code(), Some(1), "{said}");
    for words in [
        "No module named 'no_such_module'",
        "the function Greeting does not start",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

fn a_missing_client_is_named_with_the_command_that_installs_it(target: &Target) {
    let node = IN_PYTHON.replace("python3.13", "nodejs24.x");
    let without = Project::new(&foreign(&node)).with("src/greeting/app.mjs", "");
    // A Python that has nothing installed, with pip and, as `uv venv` makes it, without.
    let python = |project: Project| {
        project.with_executable(".venv/bin/python", "#!/bin/sh\necho 3.13\nexit 1\n")
    };
    let in_python = || python(Project::new(&foreign(IN_PYTHON)).with("src/greeting/app.py", ""));
    let with_pip = in_python().with_executable(".venv/bin/pip", "");
    for (project, before, after) in [
        (
            without,
            "npm install --prefix ",
            "/src/greeting aws-lambda-ric`",
        ),
        (with_pip, "", "/.venv/bin/pip install awslambdaric`"),
        (
            in_python(),
            "uv pip install --python ",
            "/.venv awslambdaric`",
        ),
    ] {
        let (status, said) = refused(target, &project);
        assert_eq!(status.code(), Some(1), "{said}");
        let folder = project.folder().canonicalize().unwrap();
        let command = format!("run `{before}{}{after}", folder.display());
        assert!(said.trim_end().ends_with(&command), "{command}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}

fn what_is_missing_is_named_for_every_function(target: &Target) {
    let node = IN_PYTHON.replace("python3.13", "nodejs24.x");
    let second = foreign(&node)
        .replace("Greeting:", "Other:")
        .replace("/greeting,", "/other,");
    let (_, second) = second.split_once("  Other:").unwrap();
    let template = format!("{}  Other:{second}", foreign(IN_PYTHON));
    let project = Project::new(&template)
        .with("src/greeting/app.py", "")
        .with_executable(".venv/bin/python", "#!/bin/sh\nexit 127\n");
    let (_, said) = refused(target, &project);
    let lines: Vec<&str> = said.trim_end().lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("keygate: Greeting: ") && lines[0].contains("no "),
        "{said}"
    );
    assert!(
        lines[1].starts_with("Other: ") && lines[1].contains("npm install"),
        "{said}"
    );
}

fn a_bootstrap_leaves_no_process_of_its_own_behind(target: &Target) {
    let shell = "#!/bin/sh\nsleep 600 &\nexport SLEEPER=$!\npython3 handler.py\n";
    let properties = "    Properties:\n      CodeUri: src\n      Runtime: provided.al2";
    let program = BOOTSTRAP
        .replace(
            "[\"requestContext\"][\"authorizer\"][\"principal\"]",
            "[\"path\"]",
        )
        .replace("{caller} by Python", "{os.environ['SLEEPER']}");
    let project = Project::new(&foreign(properties))
        .with_executable("src/bootstrap", shell)
        .with("src/handler.py", &program);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let process: u32 = own
        .get("/greeting")
        .send()
        .expect(200)
        .body
        .parse()
        .unwrap();
    assert!(is_running(process));
    assert!(gateway.stop().success());
    wait_for(|| (!is_running(process)).then_some(())).expect("the process of the script ends");
}

/// A function that make builds from a file of another name.
const MADE: &str = "    Metadata: {BuildMethod: makefile}
    Properties:
      CodeUri: src
      Runtime: provided.al2023";

fn a_function_that_make_builds_is_served(target: &Target) {
    let rule = "build-Greeting:\n\tcp greeting.py $(ARTIFACTS_DIR)/bootstrap\n";
    let program = BOOTSTRAP.replace(
        "[\"requestContext\"][\"authorizer\"][\"principal\"]",
        "[\"path\"]",
    );
    let project = Project::new(&foreign(MADE))
        .with("src/Makefile", rule)
        .with_executable("src/greeting.py", &program);
    let template = project.template();
    let gateway = target
        .build()
        .try_start_building(&["--template", &template]);
    let gateway = gateway.unwrap_or_else(|(status, said)| panic!("{status}: {said}"));
    let greeted = target.reaching(&gateway).get("/greeting").send();
    assert_eq!(greeted.expect(200).body, "/greeting by Python");
    let place = project.folder().join("src/bootstrap");
    assert!(!place.exists(), "it is built among the sources");
}

fn a_function_that_make_does_not_build_is_named(target: &Target) {
    for (rule, words) in [
        (
            "build-Greeting:\n\techo out of paper; exit 3\n",
            vec!["out of paper", "Greeting does not build"],
        ),
        ("build-Other:\n\ttrue\n", vec!["build-Greeting"]),
        (
            "build-Greeting:\n\ttrue\n",
            vec!["no executable file", "/Greeting/bootstrap"],
        ),
    ] {
        let project = Project::new(&foreign(MADE)).with("src/Makefile", rule);
        let (status, said) = refused(target, &project);
        assert_eq!(status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
