//! What `deploy/authorizer.yaml` has CloudWatch count for its alarm, held to what the function writes.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

mod house;

use std::process::Stdio;

use house::House;
use keygate_tests::authorizer::command;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const TEMPLATE: &str = include_str!("../../../deploy/authorizer.yaml");

/// A filter pattern of CloudWatch Logs of the form that the template has, `{ $.member = "value" }`: of a
/// JSON line.
#[derive(Debug, PartialEq)]
struct Pattern {
    member: &'static str,
    value: &'static str,
}

impl Pattern {
    fn read(text: &'static str) -> Self {
        let body = text.strip_prefix("{ $.").unwrap();
        let (member, value) = body.split_once(" = ").unwrap();
        let value = value.strip_suffix(" }").unwrap().trim_matches('"');
        Self { member, value }
    }

    fn counts(&self, line: &str) -> bool {
        serde_json::from_str::<Value>(line)
            .is_ok_and(|line| line[self.member].as_str() == Some(self.value))
    }
}

/// How many of the lines the template's metric counts.
fn counted(log: &str) -> usize {
    let patterns = TEMPLATE
        .lines()
        .filter_map(|line| line.trim().strip_prefix("FilterPattern: "));
    let patterns: Vec<Pattern> = patterns
        .map(|text| Pattern::read(text.trim_matches('\'')))
        .collect();
    assert_eq!(patterns.len(), 2, "{patterns:?}");
    let is_counted = |line: &&str| patterns.iter().any(|pattern| pattern.counts(line));
    log.lines().filter(is_counted).count()
}

#[test]
fn a_fault_is_counted_and_what_a_credential_is_to_blame_for_is_not() {
    let house = House::new(BINARY);
    house.allowed(&format!(
        "Bearer {}",
        house.token_with("scope", json!("books:read"))
    ));
    house.allowed(&format!(
        "Bearer {}",
        house.token_with("scope", json!("none"))
    ));
    for refused in ["", "Bearer x", "authorizer: fault"] {
        house.refused(refused);
    }
    assert_eq!(counted(&house.authorizer.log()), 0);

    let house = House::new(BINARY);
    house.refused("Bearer x");
    for _ in 0..2 {
        house.authorizer.invoke(json!({})).error_message();
    }
    assert_eq!(counted(&house.authorizer.log()), 2);
}

#[test]
fn a_start_that_is_refused_is_counted() {
    let settings = [
        ("OAUTH_ISSUER", "http://login.example.com"),
        ("OAUTH_AUDIENCE", "x"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
    ];
    let output = command(BINARY, &settings).stderr(Stdio::piped()).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert_eq!(counted(&said), 1, "{said}");
}
