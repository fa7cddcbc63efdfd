//! Changes of functions' code and of the template, taken up while requests are served.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use serde_json::json;

use crate::builds::in_rust;
use crate::invoke::{invoke, worker};
use crate::lifetimes::meanwhile;
use crate::processes::functions_of;
use crate::runtimes::foreign;

keygate_tests::tests! { for Target:
    a_changed_source_is_built_and_swapped_without_dropping_a_request needs "own-gateway";
    a_build_that_fails_keeps_what_was_there needs "own-gateway";
    changed_code_that_is_not_built_runs_anew needs "python", "own-gateway";
    an_invocation_ends_with_the_former_process_and_counts_until_then needs "python", "own-gateway";
    a_function_that_make_builds_is_made_anew needs "python", "own-gateway";
    a_change_of_the_template_is_served_anew needs "python", "own-gateway";
    parameters_of_samconfig_are_taken_up needs "python", "own-gateway";
    a_template_that_cannot_be_served_keeps_what_was_there needs "python", "own-gateway";
    without_watching_nothing_is_taken_up needs "python", "own-gateway";
}

/// A handler of the standard library alone, which answers this text.
fn handler(text: &str) -> String {
    const PROGRAM: &str = r#"use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let ask = |request: String| {
        let mut stream = TcpStream::connect(&api).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = BufReader::new(stream);
        let (mut id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() { break; }
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "lambda-runtime-aws-request-id" => id = value.to_owned(),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body).unwrap();
        id
    };
    loop {
        let path = "/2018-06-01/runtime/invocation";
        let end = "Host: localhost\r\nConnection: close\r\n";
        let id = ask(format!("GET {path}/next HTTP/1.1\r\n{end}\r\n"));
        let body = r"{'statusCode': 200, 'body': 'TEXT'}".replace('\'', "\"");
        let length = body.len();
        ask(format!("POST {path}/{id}/response HTTP/1.1\r\n{end}Content-Length: {length}\r\n\r\n{body}"));
    }
}
"#;
    PROGRAM.replace("TEXT", text)
}

#[track_caller]
pub(crate) fn start(target: &Target, project: &Project, more: &[&str]) -> (Keygate, Target) {
    let template = project.template();
    let arguments = [&["--template", &template], more].concat();
    let started = target.build().try_start_building(&arguments);
    let gateway = started.unwrap_or_else(|(status, said)| panic!("{status}: {said}"));
    let own = target.reaching(&gateway);
    (gateway, own)
}

/// Waits until the route answers this.
#[track_caller]
pub(crate) fn answers(own: &Target, path: &str, text: &str, gateway: &Keygate) {
    let answered = wait_for(|| (own.get(path).send().body == text).then_some(()));
    let last = own.get(path).send().body;
    assert!(
        answered.is_some(),
        "it is {last}, not {text}:\n{}",
        gateway.stderr()
    );
}

#[track_caller]
pub(crate) fn says(gateway: &Keygate, words: &str) {
    let said = wait_for(|| gateway.stderr().contains(words).then_some(()));
    assert!(
        said.is_some(),
        "it does not say {words}:\n{}",
        gateway.stderr()
    );
}

fn a_changed_source_is_built_and_swapped_without_dropping_a_request(target: &Target) {
    let project = in_rust(&handler("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    own.get("/greeting").send().expect(200);
    let is_over = AtomicBool::new(false);
    let served = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (own, is_over) = (target.reaching(&gateway), &is_over);
            let served = Arc::clone(&served);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    own.get("/greeting").send().expect(200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for text in ["two", "three"] {
            project.save("src/main.rs", &handler(text));
            answers(&own, "/greeting", text, &gateway);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(served.load(Ordering::Relaxed) > 10);
    says(&gateway, "keygate: src/main.rs changed: Greeting anew");
}

fn a_build_that_fails_keeps_what_was_there(target: &Target) {
    let project = in_rust(&handler("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    project.save("src/main.rs", "fn main() { let number: u8 = \"a\"; }\n");
    says(&gateway, "error[E0308]");
    says(&gateway, "keygate: what was there goes on: Greeting");
    assert_eq!(own.get("/greeting").send().expect(200).body, "one");
    project.save("src/main.rs", &handler("two"));
    answers(&own, "/greeting", "two", &gateway);
    // It builds, and never asks for an invocation.
    project.save("src/main.rs", "fn main() { eprintln!(\"no more\"); }\n");
    says(&gateway, "the function Greeting does not start");
    assert_eq!(own.get("/greeting").send().expect(200).body, "two");
}

/// A bootstrap that answers this text.
pub(crate) fn bootstrap(text: &str) -> String {
    let program = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as event:
        invocation = event.headers["Lambda-Runtime-Aws-Request-Id"]
        event.read()
    answer = {"statusCode": 200, "body": "TEXT" + os.environ.get("MARK", "")}
    urlopen(Request(f"{api}/{invocation}/response", json.dumps(answer).encode())).close()
"#;
    program.replace("TEXT", text)
}

pub(crate) const PROVIDED: &str =
    "    Properties:\n      CodeUri: src\n      Runtime: provided.al2023";

fn in_python(text: &str) -> Project {
    Project::new(&foreign(PROVIDED)).with_executable("src/bootstrap", &bootstrap(text))
}

fn changed_code_that_is_not_built_runs_anew(target: &Target) {
    let project = in_python("one");
    let (gateway, own) = start(target, &project, &["--watch"]);
    assert_eq!(own.get("/greeting").send().expect(200).body, "one");
    project.save("src/bootstrap", &bootstrap("two"));
    answers(&own, "/greeting", "two", &gateway);
}

fn an_invocation_ends_with_the_former_process_and_counts_until_then(target: &Target) {
    let project = worker("      ReservedConcurrentExecutions: 1\n");
    let running = start(target, &project, &["--watch"]);
    let (gateway, own) = &running;
    let bootstrap = project.folder().join("src/bootstrap");
    let changed = fs::read_to_string(bootstrap).unwrap();
    let changed = changed.replace("nothing asked", "asked anew");
    meanwhile(&running, || {
        project.save("src/bootstrap", &changed);
        says(gateway, "changed: Greeting anew");
        // The one that is under way is the former's, and still the only one that may be.
        invoke(gateway, own, &json!({})).expect(429);
    });
    invoke(gateway, own, &json!({})).expect(200);
    says(gateway, "[Greeting] asked anew");
    let one = wait_for(|| (functions_of(gateway).len() == 1).then_some(()));
    assert!(one.is_some(), "the former's process is left");
}

fn a_function_that_make_builds_is_made_anew(target: &Target) {
    let made = PROVIDED.replacen(
        "    Prop",
        "    Metadata: {BuildMethod: makefile}\n    Prop",
        1,
    );
    // It writes beside the code as well.
    let makefile = "build-Greeting:\n\tcp program $(ARTIFACTS_DIR)/bootstrap\n\
                    \tchmod +x $(ARTIFACTS_DIR)/bootstrap\n\tdate +%N > made\n";
    let project = Project::new(&foreign(&made))
        .with("src/Makefile", makefile)
        .with("src/program", &bootstrap("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    for text in ["two", "three"] {
        project.save("src/program", &bootstrap(text));
        answers(&own, "/greeting", text, &gateway);
    }
    let runs = gateway.stderr().matches("Greeting anew").count();
    // Once besides, to learn what make writes.
    assert!(
        runs <= 3,
        "it is made again and again:\n{}",
        gateway.stderr()
    );
}

fn a_change_of_the_template_is_served_anew(target: &Target) {
    let project = in_python("one");
    let (gateway, own) = start(target, &project, &["--watch"]);
    own.get("/other").send().expect(403);
    let template = foreign(PROVIDED);
    let variable = "src\n      Environment: {Variables: {MARK: !}}";
    let template = template.replacen("src", &variable.replace('!', "'!'"), 1);
    let other = "        Other: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /other, Method: GET}}\n";
    project.save("template.yaml", &(template + other));
    answers(&own, "/other", "one!", &gateway);
    assert_eq!(own.get("/greeting").send().expect(200).body, "one!");
    says(&gateway, "keygate: template.yaml changed: ");
    // A function of the new template is watched as the former were.
    project.save("src/bootstrap", &bootstrap("two"));
    answers(&own, "/other", "two!", &gateway);
}

fn parameters_of_samconfig_are_taken_up(target: &Target) {
    let marked = PROVIDED.replacen(
        "src",
        "src\n      Environment: {Variables: {MARK: !Ref Mark}}",
        1,
    );
    let template = format!(
        "Parameters: {{Mark: {{Type: String, Default: '!'}}}}\n{}",
        foreign(&marked)
    );
    let project = Project::new(&template).with_executable("src/bootstrap", &bootstrap("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    assert_eq!(own.get("/greeting").send().expect(200).body, "one!");
    let parameters = "[default.deploy.parameters]\nparameter_overrides = 'Mark=?'\n";
    project.save("samconfig.toml", parameters);
    answers(&own, "/greeting", "one?", &gateway);
    says(&gateway, "keygate: samconfig.toml changed: ");
}

fn a_template_that_cannot_be_served_keeps_what_was_there(target: &Target) {
    let project = in_python("one");
    let (gateway, own) = start(target, &project, &["--watch"]);
    project.save(
        "template.yaml",
        &foreign(&PROVIDED.replace("src", "!Frobnicate src")),
    );
    says(&gateway, "Frobnicate");
    says(&gateway, "keygate: what was there goes on");
    assert_eq!(own.get("/greeting").send().expect(200).body, "one");
    project.save("template.yaml", &foreign(PROVIDED));
    says(&gateway, " is served anew");
}

fn without_watching_nothing_is_taken_up(target: &Target) {
    let project = in_python("one");
    for more in [&[][..], &["--watch", "--no-watch"]] {
        let (gateway, own) = start(target, &project, more);
        project.save("src/bootstrap", &bootstrap("two"));
        for _ in 0..10 {
            assert_eq!(own.get("/greeting").send().expect(200).body, "one");
            thread::sleep(std::time::Duration::from_millis(50));
        }
        project.save("src/bootstrap", &bootstrap("one"));
        assert!(gateway.stop().success());
    }
}
