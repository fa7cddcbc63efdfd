//! The letters that keys begin with, and what a secret scanner finds by them.

use std::process::Command;

use regex::Regex;
use serde_json::{Value, json};

use crate::keys::{issue, text};
use crate::operator::{self, run, said};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::build::output_with_input;
use keygate_tests::function::command;
use keygate_tests::page::blocks;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    new_keys_begin_as_the_deployment_says_and_those_of_before_go_on needs "own-gateway";
    a_prefix_that_is_none_is_refused needs "own-gateway";
    a_scanner_finds_keys_by_the_patterns_of_the_page needs "own-gateway";
    the_page_tells_keys_from_noise_by_their_checksum needs "python", "own-gateway";
}

const PAGE: &str = include_str!("../../docs/keys.md");

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&operator::create("me", "books:read"), more].concat()
}

fn credential(key: &Value) -> String {
    format!("ApiKey {}", text(key, "key"))
}

fn begins(key: &Value, prefix: &str) {
    let beginning = format!("{prefix}_{}_", text(key, "id"));
    assert!(text(key, "key").starts_with(&beginning), "another prefix");
}

fn new_keys_begin_as_the_deployment_says_and_those_of_before_go_on(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "KeyPrefix=AcmeKey"]);
    let token = own.token_with(&[("client_id", "me")]);
    let issued = issue(&own, &token, &["books:read"]).json();
    begins(&issued, "AcmeKey");
    let seeded = &gateway.ready.api_key;
    assert!(seeded.starts_with("AcmeKey_"), "another prefix");
    list(&own, &format!("ApiKey {seeded}")).expect(200);
    let before = run(target, &gateway, &create(&[]));
    begins(&before, "kg");
    let by_hand = run(target, &gateway, &create(&["--key-prefix", "acme"]));
    begins(&by_hand, "acme");
    for key in [&issued, &before, &by_hand] {
        let bearer = format!("Bearer {}", text(key, "key"));
        for credential in [credential(key), bearer] {
            list(&own, &credential).expect(200);
        }
    }
    // Under another prefix the checksum is wrong.
    let renamed = text(&issued, "key").replacen("AcmeKey", "kg", 1);
    is_unauthorized(&own, &list(&own, &format!("ApiKey {renamed}")));

    let path = format!("/keys/{}/rotate", text(&before, "id"));
    let rotated = own.post(&path).bearer(&token).send().expect(200).json();
    begins(&rotated, "AcmeKey");
    for key in [&rotated, &before] {
        list(&own, &credential(key)).expect(200);
    }
    let id = text(&issued, "id");
    let rotated = run(target, &gateway, &["rotate", id, "--key-prefix", "x"]);
    begins(&rotated, "x");
    list(&own, &credential(&rotated)).expect(200);
    // A whole key names itself, whatever it begins with.
    let shown = run(target, &gateway, &["show", text(&rotated, "key")]);
    assert_eq!(shown["id"], id);
}

fn a_prefix_that_is_none_is_refused(target: &Target) {
    let program = target.build().directory.join("keys");
    let (gateway, _) = target.own(&[]);
    for prefix in ["k1", "kg_", "k g", "abcdefghijklmnopq", "\u{e9}"] {
        let settings = [("KEY_TABLE", "keys"), ("KEY_PREFIX", prefix)];
        let output = command(&program, &settings).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
        let log = format!(
            "{}{}",
            said(&output),
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(log.contains("KEY_PREFIX"), "{log}");
        let keys = target.build();
        let output = keys.keys(&gateway, &create(&["--key-prefix", prefix]));
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    }
}

/// Keys with this prefix, as they are handed out.
fn keys(target: &Target, prefix: &str) -> Vec<String> {
    let (gateway, own) = target.own(&["--parameter", &format!("KeyPrefix={prefix}")]);
    let token = own.token();
    let mut keys: Vec<String> = (0..20)
        .map(|_| text(&issue(&own, &token, &["books:read"]).json(), "key").to_owned())
        .collect();
    let by_hand = run(target, &gateway, &create(&["--key-prefix", prefix]));
    keys.push(text(&by_hand, "key").to_owned());
    keys
}

/// The patterns of the page, for keys with this prefix.
fn patterns(prefix: &str) -> Vec<Regex> {
    let rule = blocks(PAGE, "toml")[0];
    let (_, gitleaks) = rule.split_once("regex = '").unwrap();
    let (gitleaks, _) = gitleaks.split_once('\'').unwrap();
    let (_, github) = PAGE.split_once("the secret format is").unwrap();
    let (_, github) = github.split_once('`').unwrap();
    let (github, _) = github.split_once('`').unwrap();
    let patterns = [gitleaks, github].map(|pattern| pattern.replace("kg_", &format!("{prefix}_")));
    assert!(patterns.iter().all(|pattern| pattern.contains(prefix)));
    patterns.map(|pattern| Regex::new(&pattern).unwrap()).into()
}

fn a_scanner_finds_keys_by_the_patterns_of_the_page(target: &Target) {
    for prefix in ["kg", "AcmeKey"] {
        let patterns = patterns(prefix);
        for key in keys(target, prefix) {
            let secret = &key[key.len() - 38..];
            for pattern in &patterns {
                for text in [
                    key.clone(),
                    format!("KEY=\"{key}\"\n"),
                    format!("curl -H 'Authorization: Bearer {key}'"),
                    format!("https://example.com/?key={key}&x=1"),
                ] {
                    let found = pattern.find(&text).map(|found| found.as_str());
                    assert_eq!(found, Some(key.as_str()), "{pattern}");
                }
                for text in [
                    key[..key.len() - 1].to_owned(),
                    key.replacen(prefix, "other", 1),
                    key.replacen(secret, &secret[..20], 1),
                    key.replace('_', "-"),
                    key.replacen('_', "_!", 1),
                    format!("{prefix}_{secret}"),
                    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.".to_owned(),
                ] {
                    assert!(!pattern.is_match(&text), "{pattern} finds {text}");
                }
            }
            // The pattern with borders, in what only holds something like a key.
            for text in [format!("{key}0"), format!("my{key}")] {
                assert!(!patterns[0].is_match(&text), "{text}");
            }
        }
    }
}

fn the_page_tells_keys_from_noise_by_their_checksum(target: &Target) {
    let keys = keys(target, "kg");
    let wrong = keys.iter().map(|key| {
        let last = if key.ends_with('0') { "1" } else { "0" };
        format!("{}{last}", &key[..key.len() - 1])
    });
    let lines: Vec<String> = keys.iter().cloned().chain(wrong).collect();
    let script = blocks(PAGE, "python")[0];
    let mut python = Command::new("python3");
    let output = output_with_input(python.args(["-c", script]), &lines.join("\n"));
    let printed = String::from_utf8(output.stdout).unwrap();
    let ids: Vec<&str> = keys.iter().map(|key| &key[3..15]).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), ids);
    assert_eq!(json!(printed.lines().count()), json!(21));
}
