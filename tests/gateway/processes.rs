//! The functions' processes: a crash, a timeout, the gateway's end, and a restart.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::keys::{issue, text};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_function_that_crashed_is_started_again needs "crash", "own-gateway";
    a_crash_in_flight_is_a_bad_gateway needs "crash", "own-gateway";
    a_function_that_exceeds_its_timeout_is_ended needs "crash", "own-gateway";
    an_authorizer_that_crashes_in_flight_is_a_fault_of_the_service needs "crash", "own-gateway";
    ctrl_c_leaves_no_process_behind needs "own-gateway";
    a_termination_signal_leaves_no_process_behind needs "own-gateway";
    the_end_of_standard_input_leaves_no_process_behind needs "own-gateway";
    keys_outlive_a_restart_with_data needs "restart", "own-gateway";
}

/// The executable of a process; `None` once it is gone.
pub(crate) fn executable(pid: u32) -> Option<String> {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let program = command.split(|byte| *byte == 0).next()?;
    (!program.is_empty()).then(|| String::from_utf8_lossy(program).into_owned())
}

/// The processes of a gateway's functions, each with its executable.
pub(crate) fn functions_of(gateway: &Keygate) -> Vec<(u32, String)> {
    let parent = format!("PPid:\t{}", gateway.pid());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = pids.filter(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
        status.is_ok_and(|status| status.lines().any(|line| line == parent))
    });
    children
        .filter_map(|pid| Some((pid, executable(pid)?)))
        .collect()
}

/// The processes of one function.
fn processes_of(gateway: &Keygate, function: &str) -> Vec<u32> {
    let is_function = |path: &str| {
        Path::new(path)
            .file_name()
            .is_some_and(|name| name == function)
    };
    functions_of(gateway)
        .into_iter()
        .filter(|(_, path)| is_function(path))
        .map(|(pid, _)| pid)
        .collect()
}

/// Sends a signal to processes that this suite has started.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    for pid in pids {
        let kill = Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .status();
        assert!(kill.unwrap().success(), "no process {pid}");
    }
}

/// Whether the process has been handed an invocation that it does not take: a stopped one sleeps
/// in state T.
fn is_stopped(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| status.contains("State:\tT"))
}

fn stop(pids: &[u32]) {
    signal("STOP", pids);
    let stopped = wait_for(|| pids.iter().all(|pid| is_stopped(*pid)).then_some(()));
    stopped.expect("the processes stop");
}

fn a_function_that_crashed_is_started_again(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let key = issue(&own, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    for _ in 0..3 {
        let pids = processes_of(&gateway, "keys");
        assert!(!pids.is_empty(), "no process of keys");
        signal("KILL", &pids);
        let gone = wait_for(|| pids.iter().all(|pid| !is_running(*pid)).then_some(()));
        gone.expect("the processes end");
        let read = own.get(&path).bearer(&token).send().expect(200);
        assert_eq!(read.json()["name"], key["name"]);
    }
}

/// Whether a process is there. One that has ended and was not waited for yet is in state Z.
pub(crate) fn is_running(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

fn a_crash_in_flight_is_a_bad_gateway(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let reply = own.get("/books?exit=1").bearer(&token).send();
    reply.problem(502, "bad-gateway");
    own.get("/books").bearer(&token).send().expect(200);
    for words in [
        " Error: Runtime exited with error: exit status 1\n",
        "\tStatus: error\tError Type: Runtime.ExitError\n",
    ] {
        let _ = gateway.logged(words);
    }
}

/// A gateway whose function with this passage in the template has a timeout of a second.
fn impatient(target: &Target, passage: &str) -> (Keygate, Target) {
    let shorter = passage.replace("Timeout: 10", "Timeout: 1");
    let template = target.build().template_with(passage, &shorter);
    target.own(&["--template", template.path().to_str().unwrap()])
}

fn a_function_that_exceeds_its_timeout_is_ended(target: &Target) {
    let probe = "CodeUri: tests\n      Timeout: 10";
    let (gateway, own) = impatient(target, probe);
    let token = own.token();
    own.get("/books").bearer(&token).send().expect(200);
    let pids = processes_of(&gateway, "probe");
    stop(&pids);
    let reply = std::thread::scope(|scope| {
        let request = scope.spawn(|| own.get("/books").bearer(&token).send());
        // Another function's answer shows that the gateway goes on meanwhile.
        own.get("/keys").bearer(&token).send().expect(200);
        request.join().unwrap()
    });
    // That it was the function's own time that was over is said in its log alone.
    reply.problem(502, "bad-gateway");
    for words in [
        " Task timed out after 1.00 seconds\n",
        "\tStatus: timeout\n",
    ] {
        let _ = gateway.logged(words);
    }
    own.get("/books").bearer(&token).send().expect(200);
    assert!(pids.iter().any(|pid| !is_running(*pid)), "none was ended");
}

fn an_authorizer_that_crashes_in_flight_is_a_fault_of_the_service(target: &Target) {
    let authorizer = "Timeout: 10\n      ReservedConcurrentExecutions";
    let (gateway, own) = impatient(target, authorizer);
    stop(&processes_of(&gateway, "authorizer"));
    let credential = format!("Bearer {}", own.token());
    let reply = list(&own, &credential);
    reply.problem(503, "service-unavailable");
    reply.must_header("retry-after");
    list(&own, &credential).expect(200);
}

/// Ends a gateway by `end`, and looks for what it has left.
fn leaves_nothing(target: &Target, end: impl FnOnce(Keygate)) {
    let (gateway, own) = target.own(&[]);
    own.get("/books").bearer(&own.token()).send().expect(200);
    let functions = functions_of(&gateway);
    for name in ["authorizer", "probe", "keys", "preflight", "error-mapper"] {
        let runs = functions.iter().any(|(_, path)| path.ends_with(name));
        assert!(runs, "no process of {name}: {functions:?}");
    }
    end(gateway);
    for (pid, path) in functions {
        assert_ne!(executable(pid), Some(path), "process {pid} is left");
    }
}

fn ctrl_c_leaves_no_process_behind(target: &Target) {
    leaves_nothing(target, |gateway| {
        signal("INT", &[gateway.pid()]);
        assert!(gateway.ended().success());
    });
}

fn a_termination_signal_leaves_no_process_behind(target: &Target) {
    leaves_nothing(target, |gateway| {
        signal("TERM", &[gateway.pid()]);
        assert!(gateway.ended().success());
    });
}

fn the_end_of_standard_input_leaves_no_process_behind(target: &Target) {
    leaves_nothing(target, |gateway| assert!(gateway.stop().success()));
}

fn keys_outlive_a_restart_with_data(target: &Target) {
    let data = TempDir::new().unwrap();
    let arguments = ["--data", data.path().to_str().unwrap()];
    let client = ("client_id", "keeper");
    let (gateway, own) = target.own(&arguments);
    let token = own.token_with(&[client]);
    let mut key = issue(&own, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    let credential = format!("ApiKey {}", text(&key, "key"));
    assert!(gateway.stop().success());

    let (gateway, own) = target.own(&arguments);
    let token = own.token_with(&[client]);
    key.as_object_mut().unwrap().remove("key");
    let read = own.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json(), key);
    list(&own, &credential).expect(200);
    // And after a crash of the gateway itself.
    own.delete(&path).bearer(&token).send().expect(204);
    signal("KILL", &[gateway.pid()]);
    drop(gateway);
    let (_gateway, own) = target.own(&arguments);
    let read = own.get(&path).bearer(&own.token_with(&[client])).send();
    assert_eq!(read.expect(200).json()["status"], "revoked");
    is_unauthorized(&own, &list(&own, &credential));
}
