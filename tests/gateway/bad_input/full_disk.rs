//! A disk that is full: what was kept stays, what cannot be kept is said, and with room all goes on.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use keygate_tests::build::PORTS;
use keygate_tests::call::Reply;
use keygate_tests::disk::Disk;
use keygate_tests::keygate::wait_for;
use keygate_tests::target::Target;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::keys::{issue, text};
use crate::tokens::list;

keygate_tests::tests! { for Target:
    what_is_kept_outlives_a_full_disk needs "small-disk", "own-gateway";
    an_access_log_on_a_full_disk_waits_and_loses_no_line needs "small-disk", "own-gateway";
    a_start_on_a_full_disk_says_where needs "small-disk", "own-gateway";
}

/// Asks for another key, whatever becomes of it.
fn ask_for_key(own: &Target, token: &str) -> Reply {
    let body = json!({"name": "another", "scopes": ["books:read"]});
    own.post("/keys").bearer(token).json(&body).send()
}

fn what_is_kept_outlives_a_full_disk(target: &Target) {
    let disk = Disk::of_kib(4096).unwrap();
    let data = disk.text("data");
    let arguments = ["--data", data.as_str()];
    let (gateway, own) = target.own(&arguments);
    let token = own.token();
    let first = issue(&own, &token, &["books:read"]).json();
    let opens = |own: &Target, key: &serde_json::Value| {
        list(own, &format!("ApiKey {}", text(key, "key"))).expect(200);
    };
    opens(&own, &first);
    disk.fill();
    let refused = wait_for(|| {
        let reply = ask_for_key(&own, &token);
        (reply.status != 201).then_some(reply)
    });
    let refused = refused.expect("there is an end to the disk");
    refused.problem(503, "service-unavailable");
    let log = gateway.logged("disk is full");
    assert!(!log.contains("panicked"), "{log}");
    opens(&own, &first);
    // A key that is not there has not been half issued.
    let listed = || own.get("/keys").bearer(&token).send().expect(200).json();
    let count = listed()["keys"].as_array().map(Vec::len);
    ask_for_key(&own, &token).problem(503, "service-unavailable");
    assert_eq!(listed()["keys"].as_array().map(Vec::len), count);

    disk.make_room();
    let second = issue(&own, &token, &["books:read"]).json();
    opens(&own, &second);
    disk.fill();
    assert!(gateway.stop().success());
    // It goes on with what it has, or says why not.
    match target.build().try_start(&arguments) {
        Ok(gateway) => assert!(gateway.stop().success()),
        Err((status, said)) => {
            assert_eq!(status.code(), Some(1), "{said}");
            assert!(
                said.contains("full") && !said.contains("panicked"),
                "{said}"
            );
        }
    }
    disk.make_room();
    let (_gateway, own) = target.own(&arguments);
    for key in [&first, &second] {
        opens(&own, key);
    }
}

fn an_access_log_on_a_full_disk_waits_and_loses_no_line(target: &Target) {
    let disk = Disk::of_kib(64).unwrap();
    let path = disk.path("access.log");
    let (gateway, own) = target.own(&["--access-log", &disk.text("access.log")]);
    let ask = |count: usize| {
        for _ in 0..count {
            own.get("/books").send().expect(401);
        }
    };
    ask(1);
    disk.fill();
    ask(100);
    let words = "lines wait until there is room";
    let log = gateway.logged(words);
    assert!(log.contains(&disk.text("access.log")), "{log}");
    assert_eq!(log.matches(words).count(), 1, "{log}");
    disk.make_room();
    ask(1);
    let lines = wait_for(|| {
        let lines = fs::read_to_string(&path).unwrap();
        (lines.ends_with('\n') && lines.lines().count() >= 102).then_some(lines)
    });
    let lines = lines.expect("lines that have waited are written");
    assert_eq!(lines.lines().count(), 102);
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["status"], "401", "{line}");
    }
}

fn a_start_on_a_full_disk_says_where(target: &Target) {
    let disk = Disk::of_kib(64).unwrap();
    disk.fill();
    let (data, identity) = (disk.text("data"), disk.text("identity"));
    for (arguments, place) in [
        (["--data", &data], &data),
        (["--identity", &identity], &identity),
    ] {
        let Err((status, said)) = target.build().try_start(&arguments) else {
            panic!("keygate starts with {arguments:?}");
        };
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(
            said.contains(place.as_str()) && !said.contains("panicked"),
            "{said}"
        );
    }
    disk.make_room();
    let left = fs::read_dir(disk.folder()).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["data"], "nothing is left half made");
    let ready = disk.text("ready.json");
    disk.fill();
    let build = target.build();
    let elsewhere = NamedTempFile::new().unwrap();
    let said = elsewhere.path();
    let mut command = Command::new(build.directory.join("keygate"));
    command
        .arg("--template")
        .arg(&build.template)
        .arg("--functions")
        .arg(&build.directory)
        .args(["--ready-file", &ready, "--until-stdin-closes"])
        .args(PORTS.into_iter().flat_map(|port| [port, "0"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(said).unwrap());
    // Its standard input stays open.
    let mut child = command.spawn().unwrap();
    let status = wait_for(|| child.try_wait().unwrap());
    let _ = child.kill();
    let said = fs::read_to_string(said).unwrap();
    let status = status.expect("a file that cannot be written is said");
    assert_eq!(status.code(), Some(1), "{said}");
    let named = said.contains("--ready-file") && said.contains("No space");
    assert!(named, "{said}");
}
