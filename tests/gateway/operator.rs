//! `keygate keys`: an operator's commands against a gateway that runs.

use std::process::Output;

use serde_json::{Value, json};

use crate::keys::{issue, text};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::keygate::Keygate;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    an_operator_issues_a_key_that_works_at_once needs "own-gateway";
    the_first_key_of_an_administrator_is_born_without_a_token needs "own-gateway";
    an_operator_reads_rotates_and_revokes_anybodys_key needs "own-gateway";
    what_a_person_reads_has_the_key_alone_on_a_line needs "own-gateway";
    a_whole_key_names_its_key_and_is_never_repeated needs "own-gateway";
    a_command_that_cannot_be_carried_out_says_why_in_one_line needs "own-gateway";
}

/// The exit code of a command line that cannot be right.
const USAGE: i32 = 64;

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must succeed, and reads the JSON that it prints.
#[track_caller]
pub(crate) fn run(target: &Target, gateway: &Keygate, arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--output", "json"]);
    let output = target.build().keys(gateway, &arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    assert_eq!(said(&output), "");
    serde_json::from_slice(&output.stdout).expect("JSON is printed")
}

pub(crate) fn create<'a>(owner: &'a str, scope: &'a str) -> Vec<&'a str> {
    vec![
        "create", "--name", "by hand", "--owner", owner, "--scope", scope,
    ]
}

fn credential(key: &Value) -> String {
    format!("ApiKey {}", text(key, "key"))
}

fn an_operator_issues_a_key_that_works_at_once(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "PartnerQuotaLimit=3"]);
    let mut arguments = create("somebody", "books:read books:write");
    arguments.extend([
        "--usage-plan",
        "partner",
        "--expires",
        "2033-01-01T00:00:00Z",
    ]);
    let key = run(target, &gateway, &arguments);
    assert_eq!(key["owner"], "somebody");
    assert_eq!(key["scopes"], json!(["books:read", "books:write"]));
    assert_eq!(key["expires_at"], "2033-01-01T00:00:00Z");
    for _ in 0..3 {
        list(&own, &credential(&key)).expect(200);
    }
    list(&own, &credential(&key)).problem(429, "quota-exceeded");
}

fn the_first_key_of_an_administrator_is_born_without_a_token(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let mut arguments = create("admin", "keys:admin");
    arguments.extend(["--scope", "books:read"]);
    let admin = run(target, &gateway, &arguments);
    let call = own.post("/keys").authorization(&credential(&admin));
    let issued = call.json(&json!({"name": "next", "scopes": ["books:read"]}));
    let issued = issued.send().expect(201).json();
    assert_eq!(issued["owner"], "admin");
    list(&own, &credential(&issued)).expect(200);
}

fn an_operator_reads_rotates_and_revokes_anybodys_key(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "somebody")]);
    let mut issued = issue(&own, &token, &["books:read"]).json();
    let id = text(&issued, "id").to_owned();
    let former = credential(&issued);
    list(&own, &former).expect(200);

    // The same as over HTTP.
    issued.as_object_mut().unwrap().remove("key");
    assert_eq!(run(target, &gateway, &["show", &id]), issued);
    let mine = run(target, &gateway, &["list", "--owner", "somebody"]);
    let listed = &mine.as_array().unwrap()[0];
    issued["last_used"] = listed["last_used"].clone();
    text(listed, "last_used");
    assert_eq!(mine, json!([issued]));
    let all = run(target, &gateway, &["list"]);
    assert!(all.as_array().unwrap().contains(&issued), "{all}");
    assert_eq!(
        run(target, &gateway, &["list", "--owner", "nobody"]),
        json!([])
    );

    let rotated = run(target, &gateway, &["rotate", &id, "--grace", "0"]);
    is_unauthorized(&own, &list(&own, &former));
    list(&own, &credential(&rotated)).expect(200);
    let again = run(target, &gateway, &["rotate", &id]);
    for key in [&rotated, &again] {
        list(&own, &credential(key)).expect(200);
    }

    for _ in 0..2 {
        let revoked = run(target, &gateway, &["revoke", &id]);
        let expected = json!({"id": id, "status": "revoked", "flushed": true});
        assert_eq!(revoked, expected);
        for key in [&rotated, &again] {
            is_unauthorized(&own, &list(&own, &credential(key)));
        }
    }
    assert_eq!(run(target, &gateway, &["show", &id])["status"], "revoked");
    let read = own.get(&format!("/keys/{id}")).bearer(&token).send();
    assert_eq!(read.expect(200).json()["status"], "revoked");
}

fn what_a_person_reads_has_the_key_alone_on_a_line(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let output = target
        .build()
        .keys(&gateway, &create("somebody", "books:read"));
    let printed = String::from_utf8(output.stdout).unwrap();
    let keys: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains("kg_"))
        .collect();
    let [key] = keys[..] else {
        panic!("the key is not there once:\n{printed}")
    };
    list(&own, &format!("ApiKey {key}")).expect(200);
    let output = target.build().keys(&gateway, &["list"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(!printed.contains("kg_"), "{printed}");
    let mut lines = printed.lines();
    assert!(lines.next().unwrap().starts_with("ID "), "{printed}");
    assert!(lines.any(|line| line.contains("by hand")), "{printed}");
}

fn a_whole_key_names_its_key_and_is_never_repeated(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let created = run(target, &gateway, &create("somebody", "books:read"));
    let (id, key) = (text(&created, "id"), text(&created, "key"));
    let secret = &key[key.len() - 38..];
    let mistyped = format!("{}!", &key[..key.len() - 1]);
    for (arguments, code) in [
        (&["show", key][..], 0),
        (&["rotate", key], 0),
        (&["revoke", key, "--output", "json"], 0),
        (&["revoke", &format!(" {key}\n")], 0),
        (&["show", &mistyped], USAGE),
        (&["show", &format!("{key}x")], USAGE),
        (&["show", &key[3..]], USAGE),
        (&["show", id, key], USAGE),
        (&["list", key], USAGE),
        (&["list", "--grace", key], USAGE),
    ] {
        let output = target.build().keys(&gateway, arguments);
        let all = format!(
            "{}{}",
            said(&output),
            String::from_utf8_lossy(&output.stdout)
        );
        assert_eq!(output.status.code(), Some(code), "{all}");
        assert!(!all.contains(&secret[..secret.len() - 1]), "{all}");
        assert_eq!(all.contains(id), code == 0, "{all}");
    }
    is_unauthorized(&own, &list(&own, &format!("ApiKey {key}")));
}

fn a_command_that_cannot_be_carried_out_says_why_in_one_line(target: &Target) {
    let (gateway, _) = target.own(&[]);
    let wrong_scope = create("somebody", "two\"words");
    let with = |more: &[&'static str]| {
        let mut arguments = create("somebody", "books:read");
        arguments.extend(more);
        arguments
    };
    for (arguments, code, word) in [
        (vec!["show", "000000000000"], 1, "000000000000"),
        (vec!["revoke", "000000000000"], 1, "000000000000"),
        (vec!["rotate", "000000000000"], 1, "000000000000"),
        (vec!["show", "short"], USAGE, "12 letters"),
        (vec!["create", "--name", "x"], USAGE, "--owner"),
        (wrong_scope, USAGE, "scope"),
        (with(&["--usage-plan", "none"]), USAGE, "none"),
        (
            with(&["--cidr", "10.0.0.0/8"]),
            USAGE,
            "AuthorizerEvents=REQUEST",
        ),
        (
            with(&["--cidr", "::/0", "--authorizer-events", "REQUEST"]),
            USAGE,
            "--table",
        ),
        (
            with(&["--cidr", "::/0", "--authorizer-events", "BOTH"]),
            USAGE,
            "TOKEN or REQUEST",
        ),
        (with(&["--authorizer-events", "REQUEST"]), USAGE, "--cidr"),
        (create("two\"words", "books:read"), USAGE, "quotes"),
        (
            with(&["--expires", "2001-01-01T00:00:00Z"]),
            USAGE,
            "future",
        ),
        (
            vec!["rotate", "000000000000", "--grace", "604801"],
            USAGE,
            "604801",
        ),
        (vec!["list", "--api", "a", "--stage", "b"], USAGE, "--table"),
        (vec!["list", "--table", "t"], USAGE, "--table"),
    ] {
        let output = target.build().keys(&gateway, &arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
        assert!(
            output.stdout.is_empty() && !said.contains("panicked"),
            "{said}"
        );
    }
    let all = run(target, &gateway, &["list", "--owner", "somebody"]);
    assert_eq!(all, json!([]));
}
