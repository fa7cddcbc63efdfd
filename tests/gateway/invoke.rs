//! Lambda's Invoke API, by which the functions are reached one by one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keygate_tests::call::{Call, Reply};
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use reqwest::Method;
use serde_json::{Value, json};

use crate::runtimes::foreign;

keygate_tests::tests! { for Target:
    a_function_is_invoked_by_each_of_its_names needs "python", "own-gateway";
    a_function_that_is_not_here_is_not_found needs "python", "own-gateway";
    the_end_of_the_log_comes_back_with_the_answer needs "python", "own-gateway";
    an_error_of_the_function_is_an_answer_that_says_so needs "python", "own-gateway";
    a_functions_end_and_its_timeout_are_said_as_lambda_says_them needs "python", "own-gateway";
    an_event_is_taken_without_anybody_who_waits needs "python", "own-gateway";
    a_dry_run_runs_nothing needs "python", "own-gateway";
    what_is_no_event_is_refused needs "python", "own-gateway";
    an_event_over_its_limit_is_refused needs "python", "own-gateway";
    a_page_in_a_browser_invokes_nothing needs "python", "own-gateway";
    the_rest_of_lambdas_api_is_refused_by_name needs "python", "own-gateway";
    a_handler_invokes_another_function needs "python", "own-gateway";
}

/// A handler that does what its event asks for.
pub(crate) const WORKER: &str = include_str!("worker.py");

/// A project whose one function, `Greeting`, is that handler, with more lines of its properties. A machine
/// that is slow just now is no reason for a timeout.
pub(crate) fn worker(properties: &str) -> Project {
    let timeout = if properties.contains("Timeout:") {
        ""
    } else {
        "      Timeout: 60\n"
    };
    let all = format!(
        "    Properties:\n      CodeUri: src\n      Runtime: provided.al2023\n      MemorySize: 256\n{timeout}{properties}"
    );
    Project::new(&foreign(all.trim_end())).with_executable("src/bootstrap", WORKER)
}

/// A gateway that serves such a project.
pub(crate) fn served(target: &Target, project: &Project, more: &[&str]) -> (Keygate, Target) {
    let template = project.template();
    target.own(&[&["--template", &template], more].concat())
}

/// A call of `Invoke`.
pub(crate) fn call<'t>(gateway: &Keygate, own: &'t Target, name: &str) -> Call<'t> {
    let path = format!("2015-03-31/functions/{name}/invocations");
    own.absolute(Method::POST, &format!("{}/{path}", gateway.ready.lambda))
}

pub(crate) fn invoke(gateway: &Keygate, own: &Target, event: &Value) -> Reply {
    call(gateway, own, "Greeting").json(event).send()
}

/// What a function has answered.
fn body(reply: &Reply) -> Value {
    let answer = reply.json();
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// An error of the API: its status, its type and a part of its text.
#[track_caller]
fn is_error(reply: &Reply, status: u16, kind: &str, words: &str) {
    assert_eq!(reply.status, status, "{reply:#?}");
    assert_eq!(reply.must_header("x-amzn-errortype"), kind);
    let error = reply.json();
    let text = error["message"].as_str().or(error["Message"].as_str());
    assert!(text.unwrap().contains(words), "{words}: {error}");
    assert_eq!(reply.header("x-amz-function-error"), None);
}

pub(crate) fn log_tail(reply: &Reply) -> String {
    let log = reply.must_header("x-amz-log-result");
    String::from_utf8(STANDARD.decode(log).unwrap()).unwrap()
}

fn a_function_is_invoked_by_each_of_its_names(target: &Target) {
    let project = worker("      FunctionName: greet-all\n      AutoPublishAlias: live\n");
    let (gateway, own) = served(target, &project, &[]);
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:greet-all";
    for name in [
        "Greeting",
        "greet-all",
        "greet-all:$LATEST",
        "greet-all:live",
        "123456789012:function:greet-all",
        arn,
        &arn.replace(':', "%3A"),
        &format!("{arn}:$LATEST"),
    ] {
        let event = json!({"from": name});
        let reply = call(&gateway, &own, name).json(&event).send().expect(200);
        assert_eq!(body(&reply)["event"], event);
        assert_eq!(reply.must_header("x-amz-executed-version"), "$LATEST");
        assert_eq!(reply.header("x-amz-function-error"), None);
        assert_eq!(reply.header("x-amz-log-result"), None);
        reply.must_header("x-amzn-requestid");
    }
    let context = STANDARD.encode(r#"{"client": {"app": "k\u00e9ygate"}}"#);
    let call = call(&gateway, &own, "Greeting").header("x-amz-client-context", &context);
    // And without an event.
    let said = body(&call.send().expect(200));
    assert_eq!(said["event"], json!({}));
    let context: Value = serde_json::from_str(said["context"].as_str().unwrap()).unwrap();
    assert_eq!(context["client"]["app"], "k\u{e9}ygate");
}

fn a_function_that_is_not_here_is_not_found(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    for (name, arn) in [
        ("Other", "function:Other"),
        ("Greeting:live", "function:Greeting:live"),
        ("Greeting?Qualifier=7", "function:Greeting:7"),
        ("a:b:c:d", "function:a:b:c:d"),
    ] {
        let path = name.replacen('?', "/invocations?", 1);
        let url = format!("{}/2015-03-31/functions/{path}", gateway.ready.lambda);
        let url = if path.contains('?') {
            url
        } else {
            url + "/invocations"
        };
        let reply = own.absolute(Method::POST, &url).body("{}").send();
        let text = format!("Function not found: arn:aws:lambda:us-east-1:123456789012:{arn}");
        is_error(&reply, 404, "ResourceNotFoundException", &text);
    }
}

fn the_end_of_the_log_comes_back_with_the_answer(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let tail = |event: &Value| {
        let call = call(&gateway, &own, "Greeting").header("x-amz-log-type", "Tail");
        let reply = call.json(event).send().expect(200);
        let id = reply.must_header("x-amzn-requestid").to_owned();
        (log_tail(&reply), id)
    };
    for number in 0..20 {
        let (log, id) = tail(&json!({"print": format!("number {number}")}));
        let lines: Vec<&str> = log.lines().collect();
        let [start, printed, end, report] = lines[..] else {
            panic!("{log}");
        };
        assert_eq!(start, format!("START RequestId: {id} Version: $LATEST"));
        assert_eq!(printed, format!("number {number}"));
        assert_eq!(end, format!("END RequestId: {id}"));
        assert!(
            report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")),
            "{log}"
        );
        assert!(report.contains(" ms\tBilled Duration: "), "{log}");
        assert!(
            report.contains("\tMemory Size: 256 MB\tMax Memory Used: "),
            "{log}"
        );
        // Of the first invocation of a process alone.
        assert_eq!(report.contains("\tInit Duration: "), number == 0, "{log}");
        // Of these lines the one that is of use to somebody who reads along.
        let line = format!("[Greeting] {report}\n");
        wait_for(|| gateway.stderr().contains(&line).then_some(())).expect("the report is shown");
        let said = gateway.stderr();
        assert!(!said.contains(start) && !said.contains(end), "{said}");
    }
    let (log, _) = tail(&json!({"print": "x".repeat(10_000)}));
    assert_eq!(log.len(), 4096);
    assert!(log.contains("xxx\nEND RequestId: "), "{log}");
}

fn an_error_of_the_function_is_an_answer_that_says_so(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let reply = invoke(&gateway, &own, &json!({"error": "not today"})).expect(200);
    assert_eq!(reply.must_header("x-amz-function-error"), "Unhandled");
    let document =
        json!({"errorMessage": "not today", "errorType": "Refused", "stackTrace": ["a"]});
    assert_eq!(reply.json(), document);
    let reply = invoke(&gateway, &own, &json!({"size": 6 * 1024 * 1024 + 100})).expect(200);
    assert_eq!(reply.must_header("x-amz-function-error"), "Unhandled");
    assert_eq!(reply.json()["errorType"], "Function.ResponseSizeTooLarge");
    invoke(&gateway, &own, &json!({"size": 6 * 1024 * 1024})).expect(200);
}

fn a_functions_end_and_its_timeout_are_said_as_lambda_says_them(target: &Target) {
    let project = worker("      Timeout: 1\n");
    let (gateway, own) = served(target, &project, &[]);
    for (event, kind, words, status) in [
        (
            json!({"exit": 3}),
            "Runtime.ExitError",
            "Runtime exited with error: exit status 3",
            "\tStatus: error\tError Type: Runtime.ExitError",
        ),
        (
            json!({"exit": 0}),
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
            "\tStatus: error\tError Type: Runtime.ExitError",
        ),
        (
            json!({"sleep": 60}),
            "Sandbox.Timedout",
            "Task timed out after 1.00 seconds",
            "\tStatus: timeout",
        ),
    ] {
        let call = call(&gateway, &own, "Greeting").header("x-amz-log-type", "Tail");
        let reply = call.json(&event).send().expect(200);
        assert_eq!(reply.must_header("x-amz-function-error"), "Unhandled");
        let id = reply.must_header("x-amzn-requestid");
        let message = format!("RequestId: {id} Error: {words}");
        let document = json!({"errorType": kind, "errorMessage": message});
        assert_eq!(reply.json(), document);
        let log = log_tail(&reply);
        assert!(log.contains("nothing asked\n"), "{log}");
        assert!(log.contains(words), "{log}");
        assert!(log.trim_end().ends_with(status), "{log}");
        // A start may take all of the second that the function has.
        let next = wait_for(|| {
            let next = invoke(&gateway, &own, &json!({})).expect(200);
            next.header("x-amz-function-error").is_none().then_some(())
        });
        assert!(next.is_some(), "no invocation after {event} is answered");
    }
}

fn an_event_is_taken_without_anybody_who_waits(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let end = project.folder().join("end");
    let event = json!({"print": "nobody waits", "until": end});
    let call = call(&gateway, &own, "Greeting").header("x-amz-invocation-type", "Event");
    let reply = call.json(&event).send().expect(202);
    assert_eq!(reply.body, "");
    // It would go on for ever, and is answered all the same.
    std::fs::write(end, "").unwrap();
    let is_done = || {
        let said = gateway.stderr();
        let id = reply.must_header("x-amzn-requestid");
        let report = format!("REPORT RequestId: {id}\t");
        (said.contains("nobody waits") && said.contains(&report)).then_some(())
    };
    wait_for(is_done).expect("the event is worked on");
}

fn a_dry_run_runs_nothing(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let dry = |name: &str| {
        let call = call(&gateway, &own, name).header("x-amz-invocation-type", "DryRun");
        call.json(&json!({"print": "not dry"})).send()
    };
    assert_eq!(dry("Greeting").expect(204).body, "");
    dry("Other").expect(404);
    invoke(&gateway, &own, &json!({})).expect(200);
    assert!(!gateway.stderr().contains("not dry"));
}

fn what_is_no_event_is_refused(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let greeting = || call(&gateway, &own, "Greeting");
    let (content, parameter) = (
        "InvalidRequestContentException",
        "InvalidParameterValueException",
    );
    for event in ["{", "hello", "{} {}"] {
        let reply = greeting().body(event).send();
        let words = "Could not parse request body into json";
        is_error(&reply, 400, content, words);
    }
    for (header, value, kind) in [
        ("x-amz-invocation-type", "Later", parameter),
        ("x-amz-log-type", "All", parameter),
        ("x-amz-client-context", "%%", content),
        ("x-amz-client-context", "W10=", content),
    ] {
        let reply = greeting().header(header, value).body("{}").send();
        let words = if kind == parameter {
            value
        } else {
            "X-Amz-Client-Context"
        };
        is_error(&reply, 400, kind, words);
    }
}

fn an_event_over_its_limit_is_refused(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    for (kind, limit, status) in [
        ("RequestResponse", 6 * 1024 * 1024, 200),
        ("Event", 1024 * 1024, 202),
    ] {
        let send = |length: usize| {
            let event = format!("\"{}\"", "x".repeat(length - 2));
            let call = call(&gateway, &own, "Greeting").header("x-amz-invocation-type", kind);
            call.body(event).send()
        };
        // What the handler answers would be too large, which is another matter.
        send(limit).expect(status);
        for length in [limit + 1, 20_000_000] {
            let (error, words) = ("RequestTooLargeException", limit.to_string());
            is_error(&send(length), 413, error, &words);
        }
    }
}

fn a_page_in_a_browser_invokes_nothing(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example:3004"),
    ] {
        let call = call(&gateway, &own, "Greeting").header(name, value);
        let reply = call.json(&json!({"print": "by a page"})).send();
        is_error(&reply, 403, "AccessDeniedException", "programs on this");
    }
    invoke(&gateway, &own, &json!({})).expect(200);
    assert!(!gateway.stderr().contains("by a page"));
}

fn the_rest_of_lambdas_api_is_refused_by_name(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    for (method, path) in [
        (Method::GET, "/2015-03-31/functions/"),
        (Method::GET, "/2015-03-31/functions/Greeting/invocations"),
        (
            Method::POST,
            "/2021-11-15/functions/Greeting/response-streaming-invocations",
        ),
    ] {
        let words = format!("does not support {method} {path} of Lambda's API");
        let url = format!("{}{path}", gateway.ready.lambda);
        let reply = own.absolute(method, &url).send();
        is_error(&reply, 501, "NotImplemented", &words);
    }
}

fn a_handler_invokes_another_function(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let said = body(&invoke(&gateway, &own, &json!({"call": "Greeting"})).expect(200));
    let called: Value = serde_json::from_str(said["called"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(called["event"]["print"], "called by another");
    assert_ne!(called["pid"], said["pid"]);
}
