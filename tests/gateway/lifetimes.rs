//! How many processes of a function there are, for how long, and what API Gateway says where there is none
//! for a request.

use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use serde_json::json;
use tempfile::TempDir;

use crate::invoke::{call, invoke, served, worker};
use crate::processes::functions_of;
use crate::runtimes::refused;

keygate_tests::tests! { for Target:
    no_more_invocations_are_under_way_than_a_function_has_reserved needs "python", "own-gateway";
    a_function_that_has_reserved_nothing_is_never_invoked needs "python", "own-gateway";
    an_event_waits_until_its_function_has_room needs "python", "own-gateway";
    a_function_without_a_limit_of_its_own_has_further_requests_wait needs "python", "own-gateway";
    processes_without_work_are_ended_but_for_one needs "python", "own-gateway";
    a_request_that_becomes_too_large_an_event_is_refused needs "python", "own-gateway";
    an_answer_that_is_too_large_is_a_bad_gateway needs "python", "own-gateway";
    a_start_that_fails_is_said_as_lambda_says_it needs "python", "own-gateway";
    a_start_that_fails_later_is_an_answer_that_says_so needs "python", "own-gateway";
    which_of_lambdas_lines_are_shown_is_a_choice needs "python", "own-gateway";
    api_gateway_does_not_wait_as_long_as_a_function_may_take needs "python", "own-gateway";
}

/// Has an invocation under way while `then` runs.
pub(crate) fn meanwhile<T>((gateway, own): &(Keygate, Target), then: impl FnOnce() -> T) -> T {
    let folder = TempDir::new().unwrap();
    let end = folder.path().join("end");
    std::thread::scope(|scope| {
        let event = json!({"until": end, "print": "under way"});
        let busy = scope.spawn(move || invoke(gateway, own, &event));
        let begun = || gateway.stderr().contains("under way").then_some(());
        wait_for(begun).expect("the invocation begins");
        let outcome = then();
        std::fs::write(end, "").unwrap();
        busy.join().unwrap().expect(200);
        outcome
    })
}

fn no_more_invocations_are_under_way_than_a_function_has_reserved(target: &Target) {
    let project = worker("      ReservedConcurrentExecutions: 1\n");
    let running = served(target, &project, &[]);
    let (gateway, own) = &running;
    meanwhile(&running, || {
        let reply = invoke(gateway, own, &json!({})).expect(429);
        assert_eq!(
            reply.must_header("x-amzn-errortype"),
            "TooManyRequestsException"
        );
        let error = json!({
            "Type": "User", "message": "Rate Exceeded.",
            "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
        });
        assert_eq!(reply.json(), error);
        // API Gateway makes nothing of it but an error of its integration.
        let reply = own.get("/greeting").send().expect(500);
        assert_eq!(reply.json(), json!({"message": "Internal server error"}));
    });
    invoke(gateway, own, &json!({})).expect(200);
    own.get("/greeting").send().expect(200);
}

fn a_function_that_has_reserved_nothing_is_never_invoked(target: &Target) {
    let project = worker("      ReservedConcurrentExecutions: 0\n");
    let (gateway, own) = served(target, &project, &[]);
    invoke(&gateway, &own, &json!({})).expect(429);
    own.get("/greeting").send().expect(500);
    let call = call(&gateway, &own, "Greeting").header("x-amz-invocation-type", "Event");
    call.body("{}").send().expect(202);
    let lost = || gateway.stderr().contains("an event is lost").then_some(());
    wait_for(lost).expect("that the event is lost is said");
}

fn an_event_waits_until_its_function_has_room(target: &Target) {
    let project = worker("      ReservedConcurrentExecutions: 1\n");
    let running = served(target, &project, &[]);
    let (gateway, own) = &running;
    meanwhile(&running, || {
        let call = call(gateway, own, "Greeting").header("x-amz-invocation-type", "Event");
        call.json(&json!({"print": "it had room"}))
            .send()
            .expect(202);
        assert!(!gateway.stderr().contains("it had room"));
    });
    let done = || gateway.stderr().contains("it had room").then_some(());
    wait_for(done).expect("the event is worked on");
}

fn a_function_without_a_limit_of_its_own_has_further_requests_wait(target: &Target) {
    let project = worker("");
    let (gateway, own) = served(target, &project, &[]);
    let end = project.folder().join("end");
    let path = format!("/greeting?until={}", end.display());
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| own.get(&path).send().status))
            .collect();
        let at_work = || (gateway.stderr().matches("nothing asked").count() == 16).then_some(());
        wait_for(at_work).expect("as many as may be are at work");
        assert_eq!(processes(&gateway), 16);
        std::fs::write(&end, "").unwrap();
        for request in requests {
            assert_eq!(request.join().unwrap(), 200, "{}", gateway.stderr());
        }
    });
}

/// How many processes the one function has.
fn processes(gateway: &Keygate) -> usize {
    functions_of(gateway).len()
}

fn processes_without_work_are_ended_but_for_one(target: &Target) {
    let project = worker("");
    let running = served(target, &project, &["--keep-idle", "1"]);
    let (gateway, own) = &running;
    meanwhile(&running, || {
        invoke(gateway, own, &json!({})).expect(200);
        assert_eq!(processes(gateway), 2);
    });
    wait_for(|| (processes(gateway) == 1).then_some(())).expect("one of them is ended");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let left = functions_of(gateway);
    assert_eq!(left.len(), 1);
    // And it is the one that answers.
    let reply = invoke(gateway, own, &json!({})).expect(200);
    let words = format!("\\\"pid\\\": {}", left[0].0);
    assert!(reply.body.contains(&words), "{words}: {}", reply.body);
}

fn a_request_that_becomes_too_large_an_event_is_refused(target: &Target) {
    let project = worker("");
    let template = std::fs::read_to_string(project.template()).unwrap();
    let project = project.with(
        "template.yaml",
        &template.replace("Method: GET", "Method: POST"),
    );
    let (gateway, own) = served(target, &project, &[]);
    let send = |length: usize| own.post("/greeting?size=2").body("x".repeat(length)).send();
    send(6_000_000).expect(200);
    let reply = send(6 * 1024 * 1024).expect(413);
    assert_eq!(reply.json(), json!({"message": "Request Too Long"}));
    // API Gateway's own limit, which is another.
    send(11_000_000).expect(413);
    assert_eq!(gateway.stderr().matches("nothing asked").count(), 1);
}

fn an_answer_that_is_too_large_is_a_bad_gateway(target: &Target) {
    let project = worker("");
    let (_gateway, own) = served(target, &project, &[]);
    for size in [6 * 1024 * 1024 + 100, 100_000_000] {
        let reply = own
            .get(&format!("/greeting?size={size}"))
            .send()
            .expect(502);
        assert_eq!(reply.json(), json!({"message": "Internal server error"}));
        own.get("/greeting").send().expect(200);
    }
}

/// A function with these lines at the start of its handler.
fn beginning_with(lines: &str) -> Project {
    let lines = json!(lines);
    worker(&format!(
        "      Environment: {{Variables: {{INIT: {lines}}}}}\n"
    ))
}

/// Tells the Runtime API of an error, and ends.
const INIT_ERROR: &str =
    "post('init/error', {'errorMessage': 'no', 'errorType': 'Refused'}); time.sleep(60)";

fn a_start_that_fails_is_said_as_lambda_says_it(target: &Target) {
    for (lines, words, report) in [
        (
            "sys.exit(4)",
            "does not start: Runtime exited with error: exit status 4",
            "\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n",
        ),
        (
            INIT_ERROR,
            "does not start: Refused: no",
            "\tPhase: init\tStatus: error\tError Type: Refused\n",
        ),
        (
            "time.sleep(60)",
            "does not start: it does not ask for an invocation within 10 s",
            "\tPhase: init\tStatus: timeout\n",
        ),
    ] {
        let (status, said) = refused(target, &beginning_with(lines));
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{words}: {said}");
        assert!(
            said.contains("[Greeting] INIT_REPORT Init Duration: "),
            "{said}"
        );
        assert!(said.contains(report), "{report}: {said}");
    }
}

fn a_start_that_fails_later_is_an_answer_that_says_so(target: &Target) {
    for (lines, document) in [
        ("sys.exit(4)", None),
        (
            INIT_ERROR,
            Some(json!({"errorMessage": "no", "errorType": "Refused"})),
        ),
    ] {
        let project = beginning_with(&format!(
            "import pathlib\nif pathlib.Path('bad').exists():\n  {lines}"
        ));
        let (gateway, own) = served(target, &project, &[]);
        std::fs::write(project.folder().join("src/bad"), "").unwrap();
        invoke(&gateway, &own, &json!({"exit": 1})).expect(200);
        let reply = invoke(&gateway, &own, &json!({})).expect(200);
        assert_eq!(reply.must_header("x-amz-function-error"), "Unhandled");
        let id = reply.must_header("x-amzn-requestid");
        let message = format!("RequestId: {id} Error: Runtime exited with error: exit status 4");
        let exited = json!({"errorType": "Runtime.ExitError", "errorMessage": message});
        assert_eq!(reply.json(), document.unwrap_or(exited));
        own.get("/greeting").send().expect(502);
        std::fs::remove_file(project.folder().join("src/bad")).unwrap();
        own.get("/greeting").send().expect(200);
    }
}

fn which_of_lambdas_lines_are_shown_is_a_choice(target: &Target) {
    let start = "INIT_START Runtime Version: provided\n";
    let project = worker("      Timeout: 1\n");
    for (choice, shows_start, shows_report) in [
        ("failures", false, false),
        ("report", false, true),
        ("all", true, true),
    ] {
        let (gateway, own) = served(target, &project, &["--platform-lines", choice]);
        let reply = invoke(&gateway, &own, &json!({})).expect(200);
        let id = reply.must_header("x-amzn-requestid");
        invoke(&gateway, &own, &json!({"sleep": 5})).expect(200);
        let failed = || {
            gateway
                .stderr()
                .contains("\tStatus: timeout\n")
                .then_some(())
        };
        wait_for(failed).expect("the timeout is shown");
        let said = gateway.stderr();
        assert!(said.contains("Task timed out after 1.00 seconds"), "{said}");
        for (line, is_shown) in [
            (start, shows_start),
            (
                &format!("START RequestId: {id} Version: $LATEST\n"),
                shows_start,
            ),
            (&format!("END RequestId: {id}\n"), shows_start),
            (&format!("REPORT RequestId: {id}\t"), shows_report),
        ] {
            assert_eq!(said.contains(line), is_shown, "{choice}: {line}: {said}");
        }
    }
}

fn api_gateway_does_not_wait_as_long_as_a_function_may_take(target: &Target) {
    let project = worker("      Timeout: 60\n");
    let (gateway, own) = served(target, &project, &[]);
    let reply = own
        .get("/greeting?sleep=30&print=slowly")
        .send()
        .expect(504);
    assert_eq!(
        reply.json(),
        json!({"message": "Endpoint request timed out"})
    );
    // The function has gone on.
    let report = || gateway.stderr().contains("REPORT RequestId").then_some(());
    wait_for(report).expect("the function comes to its end");
    assert!(!gateway.stderr().contains("Status: timeout"));
}
