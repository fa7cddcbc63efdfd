//! Changes that are taken up while requests are under way, or while others are: none of either is lost.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use keygate_tests::keygate::{Keygate, Ready, wait_for};
use keygate_tests::project::Project;
use keygate_tests::target::Target;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::access_log::line_of;
use crate::invoke::{WORKER, worker};
use crate::processes::functions_of;
use crate::runtimes::foreign;
use crate::services::management;
use crate::tokens::list;
use crate::watch::{PROVIDED, answers, bootstrap, says, start};

keygate_tests::tests! { for Target:
    the_printed_key_opens_all_the_time needs "own-gateway";
    a_request_is_answered_by_a_function_that_two_templates_later_is_gone needs "python", "own-gateway";
    requests_that_wait_outlive_several_builds needs "python", "own-gateway";
    what_is_saved_during_a_build_is_taken_up needs "python", "own-gateway";
    usage_keys_that_calls_have_made_and_their_counts_stay needs "python", "own-gateway";
    a_template_that_becomes_another_is_told_as_at_the_start needs "python", "own-gateway";
}

/// Waits until this was said so often.
#[track_caller]
fn says_times(gateway: &Keygate, words: &str, times: usize) {
    let said = wait_for(|| (gateway.stderr().matches(words).count() >= times).then_some(()));
    assert!(
        said.is_some(),
        "{words} is not said {times} times:\n{}",
        gateway.stderr()
    );
}

/// Adds a line that means nothing to the template, so often, and waits until each is taken up.
#[track_caller]
fn reload(project: &Project, gateway: &Keygate, times: usize) {
    let template = fs::read_to_string(project.template()).unwrap();
    let before = gateway.stderr().matches(" is served anew").count();
    for number in 1..=times {
        project.save(
            "template.yaml",
            &(template.clone() + &"# \n".repeat(number)),
        );
        says_times(gateway, " is served anew", before + number);
    }
}

fn the_printed_key_opens_all_the_time(target: &Target) {
    let project = Project::new(&target.build().changed_template(&[]));
    let arguments = [
        "--template",
        &project.template(),
        "--watch",
        "--parameter",
        "AuthorizerCacheTtl=0",
    ];
    let (gateway, own) = target.own(&arguments);
    let credential = format!("ApiKey {}", gateway.ready.api_key);
    list(&own, &credential).expect(200);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut refused = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let status = list(&own, &credential).status;
                        // The key has its usage plan.
                        refused += usize::from(!matches!(status, 200 | 429));
                    }
                    refused
                })
            })
            .collect();
        reload(&project, &gateway, 5);
        is_over.store(true, Ordering::Relaxed);
        for caller in callers {
            assert_eq!(caller.join().unwrap(), 0, "the key was refused");
        }
    });
}

/// A request that has come, whose body has not.
struct Begun(BufReader<TcpStream>);

impl Begun {
    #[track_caller]
    fn post(own: &Target, path: &str) -> Self {
        let (host, stage) = own
            .url
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        let head = format!(
            "POST /{stage}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\
             Expect: 100-continue\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut begun = Self(BufReader::new(stream));
        // It is said once somebody reads the body.
        let mut line = String::new();
        begun.0.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        begun
    }

    #[track_caller]
    fn end(mut self) -> String {
        self.0.get_mut().write_all(b"{}").unwrap();
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer.trim_start().to_owned()
    }
}

fn a_request_is_answered_by_a_function_that_two_templates_later_is_gone(target: &Target) {
    let template = foreign(PROVIDED).replace("Method: GET", "Method: POST");
    let project = Project::new(&template).with_executable("src/bootstrap", &bootstrap("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    let begun = Begun::post(&own, "/greeting");
    project.save("template.yaml", &template.replace("Greeting:", "Hello:"));
    says(&gateway, " is served anew");
    reload(&project, &gateway, 2);
    let answer = begun.end();
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "{answer}\n{}",
        gateway.stderr()
    );
    own.post("/greeting").send().expect(200);
    let one = wait_for(|| (functions_of(&gateway).len() == 1).then_some(()));
    assert!(one.is_some(), "what is no function any more is left");
}

fn made(makefile: &str, program: &str) -> Project {
    let properties = "    Metadata: {BuildMethod: makefile}\n    Properties:\n      Timeout: 60\n";
    let properties = PROVIDED.replacen("    Properties:\n", properties, 1);
    Project::new(&foreign(&properties))
        .with("src/Makefile", makefile)
        .with_executable("src/program", program)
}

fn requests_that_wait_outlive_several_builds(target: &Target) {
    let makefile = "build-Greeting:\n\tcp program $(ARTIFACTS_DIR)/bootstrap\n";
    let project = made(makefile, WORKER);
    let (gateway, own) = start(target, &project, &["--watch"]);
    let save = |number: usize| {
        project.save("src/program", &format!("{WORKER}# {number}\n"));
        says_times(&gateway, "Greeting anew", number);
    };
    // What is built at the start is not what the requests wait for.
    save(1);
    let folder = TempDir::new().unwrap();
    let end = folder.path().join("end");
    let path = format!("/greeting?until={}", end.display());
    thread::scope(|scope| {
        let requests: Vec<_> = (0..24)
            .map(|_| scope.spawn(|| own.get(&path).send().status))
            .collect();
        says_times(&gateway, "nothing asked", 16);
        (2..6).for_each(save);
        fs::write(&end, "").unwrap();
        for request in requests {
            assert_eq!(request.join().unwrap(), 200, "{}", gateway.stderr());
        }
    });
}

/// Waits until make has begun so many builds.
#[track_caller]
fn building(folder: &Path, number: usize) {
    let begun = || fs::read_to_string(folder.join("begun")).unwrap_or_default();
    let reached = wait_for(|| (begun().lines().count() >= number).then_some(()));
    assert!(reached.is_some(), "build {number} does not begin");
}

fn what_is_saved_during_a_build_is_taken_up(target: &Target) {
    let folder = TempDir::new().unwrap();
    let outside = folder.path();
    // Each build takes what there is, and is over when it is let go.
    let makefile = "build-Greeting:
\tcp program $(ARTIFACTS_DIR)/bootstrap
\techo >> OUTSIDE/begun
\twhile [ ! -e OUTSIDE/go ]; do sleep 0.05; done
\trm OUTSIDE/go
";
    let makefile = makefile.replace("OUTSIDE", outside.to_str().unwrap());
    let project = made(&makefile, &bootstrap("one"));
    let go = || fs::write(outside.join("go"), "").unwrap();
    let save = |text: &str| project.save("src/program", &bootstrap(text));
    let (gateway, own) = thread::scope(|scope| {
        scope.spawn(|| {
            building(outside, 1);
            save("two");
            go();
        });
        start(target, &project, &["--watch"])
    });
    building(outside, 2);
    go();
    answers(&own, "/greeting", "two", &gateway);
    save("three");
    building(outside, 3);
    save("four");
    go();
    building(outside, 4);
    save("five");
    go();
    building(outside, 5);
    go();
    answers(&own, "/greeting", "five", &gateway);
}

fn usage_keys_that_calls_have_made_and_their_counts_stay(target: &Target) {
    let plan = "  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref Shop, Stage: prod}]
      Quota: {Limit: 2, Period: DAY}
";
    let template = foreign(PROVIDED);
    let metered = "Method: GET, Auth: {ApiKeyRequired: true}";
    let template = template.replacen("Method: GET", metered, 1) + plan;
    let project = Project::new(&template).with_executable("src/bootstrap", &bootstrap("one"));
    let (gateway, own) = start(target, &project, &["--watch"]);
    let post = |path: &str, body| {
        let made = management(&own, &gateway, Method::POST, path, &body);
        made.expect(201).json()
    };
    let value = "a-usage-key-made-by-a-call";
    let key = post(
        "/apikeys",
        json!({"name": "a", "value": value, "enabled": true}),
    );
    post(
        "/usageplans/plan/keys",
        json!({"keyId": key["id"], "keyType": "API_KEY"}),
    );
    let status = || {
        own.get("/greeting")
            .header("x-api-key", value)
            .send()
            .status
    };
    assert_eq!(status(), 200);
    reload(&project, &gateway, 1);
    assert_eq!(status(), 200);
    assert_eq!(status(), 429);
}

fn a_template_that_becomes_another_is_told_as_at_the_start(target: &Target) {
    let project = worker("");
    let (mut gateway, _) = target.own(&["--template", &project.template(), "--watch"]);
    assert!(gateway.ready.url.ends_with("/prod"), "{:?}", gateway.ready);
    assert_eq!(gateway.ready.api_key, "");
    project.save("template.yaml", &target.build().changed_template(&[]));
    let ready = wait_for(|| {
        let text = fs::read_to_string(gateway.ready_file()).unwrap();
        let ready: Ready = serde_json::from_str(&text).unwrap();
        ready.url.ends_with("/dev").then_some(ready)
    });
    gateway.ready = ready.unwrap_or_else(|| panic!("nothing is written: {}", gateway.stderr()));
    let own = target.reaching(&gateway);
    let key = &gateway.ready.api_key;
    let printed = gateway.stdout();
    let call = format!("curl -i {}/", own.url);
    assert!(
        printed.contains(key) && printed.contains(&call),
        "{printed}"
    );
    let reply = list(&own, &format!("ApiKey {key}")).expect(200);
    line_of(&gateway, &reply);
}
