//! What handlers and builds have started ends with them, however they end.

use std::fs;

use keygate_tests::keygate::wait_for;
use keygate_tests::project::Project;
use keygate_tests::target::Target;

use crate::handlers::BOOTSTRAP;
use crate::processes::{is_running, signal};
use crate::runtimes::{MADE, foreign, refused};

keygate_tests::tests! { for Target:
    what_a_handler_has_started_ends_with_its_crash needs "python", "crash", "own-gateway";
    what_a_handler_has_started_ends_when_it_never_becomes_ready needs "own-gateway";
    what_a_build_has_started_ends_with_a_start_that_is_stopped needs "own-gateway";
}

const PROVIDED: &str = "    Properties:\n      CodeUri: src\n      Runtime: provided.al2";

#[track_caller]
fn ends(process: u32) {
    let ended = wait_for(|| (!is_running(process)).then_some(()));
    ended.expect("the process that was started ends");
}

/// Process ids, once they are in a file.
fn written(project: &Project, file: &str) -> Option<[u32; 2]> {
    let text = fs::read_to_string(project.folder().join(file)).ok()?;
    let (first, second) = text.strip_suffix('\n')?.split_once(' ')?;
    Some([first.parse().ok()?, second.parse().ok()?])
}

fn what_a_handler_has_started_ends_with_its_crash(target: &Target) {
    let shell = "#!/bin/sh\nsleep 600 &\nexport SLEEPER=$!\nexec python3 handler.py\n";
    let program = BOOTSTRAP
        .replace(
            "[\"requestContext\"][\"authorizer\"][\"principal\"]",
            "[\"queryStringParameters\"]",
        )
        .replace("    answer =", "    if caller: os._exit(3)\n    answer =")
        .replace(
            "{caller} by Python",
            "{os.environ['SLEEPER']} {os.getpid()}",
        );
    let project = Project::new(&foreign(PROVIDED))
        .with_executable("src/bootstrap", shell)
        .with("src/handler.py", &program);
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let processes = || {
        let body = own.get("/greeting").send().expect(200).body;
        let (sleeper, handler) = body.split_once(' ').unwrap();
        [sleeper, handler].map(|id| id.parse::<u32>().unwrap())
    };
    let [sleeper, _] = processes();
    assert!(is_running(sleeper));
    own.get("/greeting?exit=1").send().expect(502);
    ends(sleeper);

    // And one that ends while it is idle, as soon as that is seen.
    let [sleeper, handler] = processes();
    signal("KILL", &[handler]);
    ends(handler);
    assert!(is_running(sleeper));
    assert_ne!(processes(), [sleeper, handler]);
    ends(sleeper);
}

fn what_a_handler_has_started_ends_when_it_never_becomes_ready(target: &Target) {
    let shell = "#!/bin/sh\nsleep 600 &\necho $! $$ > started\nexit 3\n";
    let project = Project::new(&foreign(PROVIDED)).with_executable("src/bootstrap", shell);
    let (_, said) = refused(target, &project);
    assert!(said.contains("Greeting does not start"), "{said}");
    let [sleeper, _] = written(&project, "src/started").expect("it was started");
    ends(sleeper);
}

fn what_a_build_has_started_ends_with_a_start_that_is_stopped(target: &Target) {
    let rule = "build-Greeting:\n\tsleep 600 & echo $$! $$PPID > started; wait\n";
    let project = Project::new(&foreign(MADE)).with("src/Makefile", rule);
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| refused(target, &project));
        let [sleeper, make] = wait_for(|| written(&project, "src/started")).expect("make runs");
        let status = fs::read_to_string(format!("/proc/{make}/status")).unwrap();
        let gateway = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
        signal("TERM", &[gateway.unwrap().parse().unwrap()]);
        let (status, said) = stopped.join().unwrap();
        assert!(status.success(), "{said}");
        ends(sleeper);
    });
}
