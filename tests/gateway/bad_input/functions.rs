//! Functions that write or answer without measure.

use keygate_tests::keygate::Keygate;
use keygate_tests::project::Project;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_flood_of_log_lines_takes_no_memory_and_holds_up_nobody needs "python", "own-gateway";
    an_answer_or_an_error_of_100_mb_is_refused_unread needs "python", "own-gateway";
    a_line_without_an_end_and_letters_that_are_none_are_shown_in_parts needs "python", "own-gateway";
    a_function_that_logs_for_ever_at_its_start_is_named needs "python", "own-gateway";
}

/// It does with each event what the query asks for.
const HANDLER: &str = r#"#!/usr/bin/env python3
import json, os, sys
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
if "FLOODS" in os.environ:
    while True:
        sys.stdout.buffer.write(b"x" * 1000 + b"\n")
while True:
    with urlopen(f"{api}/next") as event:
        invocation = event.headers["Lambda-Runtime-Aws-Request-Id"]
        asked = json.load(event)["queryStringParameters"] or {}
    output = {"stdout": sys.stdout, "stderr": sys.stderr}[asked.get("to", "stdout")].buffer
    piece = b"x" * 1000 + (b"\n" if "lines" in asked else b"")
    for _ in range(int(asked.get("log", 0)) * 1000):
        output.write(piece)
    if "odd" in asked:
        output.write(b"\xff\xfe \x1b[31mred\x1b]0;title\x07 \x00 odd\n")
    output.flush()
    answer, kind = {"statusCode": 200, "body": "y" * int(asked.get("size", 0))}, "response"
    if "error" in asked:
        answer, kind = {"errorType": "E", "errorMessage": "z" * int(asked["error"])}, "error"
    try:
        urlopen(Request(f"{api}/{invocation}/{kind}", json.dumps(answer).encode())).close()
    except OSError:
        pass
"#;

pub(super) fn project(more: &str) -> Project {
    let template = format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Api: {{Type: AWS::Serverless::Api, Properties: {{StageName: prod}}}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Timeout: 300
{more}      Events:
        Any: {{Type: Api, Properties: {{RestApiId: !Ref Api, Path: /fn, Method: any}}}}
"
    );
    Project::new(&template).with_executable("src/bootstrap", HANDLER)
}

/// The gateway, with outputs that nobody reads, so that no disk is filled.
fn unread(target: &Target, project: &Project) -> (Keygate, Target) {
    let gateway = target
        .build()
        .start_unread(&["--template", &project.template()]);
    let own = target.reaching(&gateway);
    (gateway, own)
}

fn a_flood_of_log_lines_takes_no_memory_and_holds_up_nobody(target: &Target) {
    let project = project("");
    let (gateway, own) = unread(target, &project);
    for how in [
        "to=stdout",
        "to=stderr",
        "to=stdout&lines",
        "to=stderr&lines",
    ] {
        // As much again as memory may grow.
        let flood = format!("/fn?log=100&{how}");
        std::thread::scope(|scope| {
            let flooding = scope.spawn(|| own.get(&flood).send().expect(200));
            own.get("/fn").send().expect(200);
            flooding.join().unwrap();
        });
    }
    let memory = gateway.most_memory() / 1024;
    assert!(memory < 100, "{memory} MiB");
    assert!(gateway.stop().success());
}

fn an_answer_or_an_error_of_100_mb_is_refused_unread(target: &Target) {
    let project = project("");
    let (gateway, own) = target.own(&["--template", &project.template()]);
    for _ in 0..2 {
        own.get("/fn?size=100000000").send().expect(502);
        own.get("/fn?error=100000000").send().expect(502);
        own.get("/fn").send().expect(200);
    }
    let log = gateway.logged("Response payload size exceeded maximum allowed payload size");
    assert!(log.len() < 64 * 1024, "{} bytes of log", log.len());
    // Shorter, and yet no line for a person.
    own.get("/fn?error=200000").send().expect(502);
    let log = gateway.logged("bytes more)");
    assert!(log.len() < 64 * 1024, "{} bytes of log", log.len());
    let memory = gateway.most_memory() / 1024;
    assert!(memory < 150, "{memory} MiB");
}

fn a_line_without_an_end_and_letters_that_are_none_are_shown_in_parts(target: &Target) {
    let project = project("");
    let (gateway, own) = target.own(&["--template", &project.template()]);
    own.get("/fn?log=1&odd").send().expect(200);
    let log = gateway.logged(" odd\n");
    let lines = log.lines().filter(|line| line.starts_with("[Fn] x"));
    let parts: Vec<usize> = lines.map(|line| line.matches('x').count()).collect();
    // 256 KiB each, as CloudWatch Logs has them, and none of them lost.
    assert_eq!(parts.iter().sum::<usize>(), 1_000_000, "{parts:?}");
    assert!(parts.iter().all(|part| *part <= 256 * 1024), "{parts:?}");
    assert!(log.contains(r"\u{1b}[31mred\u{1b}]0;title\u{7} \u{0} odd"));
    assert!(!log.contains('\u{1b}') && !log.contains('\0'));
}

fn a_function_that_logs_for_ever_at_its_start_is_named(target: &Target) {
    let project = project("      Environment: {Variables: {FLOODS: 1}}\n");
    let started = target
        .build()
        .try_start(&["--template", &project.template()]);
    let Err((status, said)) = started else {
        panic!("keygate starts");
    };
    assert_eq!(status.code(), Some(1));
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("Fn") && last.contains("within 10 s"),
        "{last}"
    );
}
