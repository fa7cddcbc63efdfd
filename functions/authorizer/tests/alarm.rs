//! What `deploy/authorizer.yaml` and `deploy/alarms.yaml` have CloudWatch count for their alarms, held to what
//! the function writes.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

mod house;

use std::process::Stdio;

use house::House;
use keygate_tests::authorizer::command;
use keygate_tests::metric_filter::MetricFilter;
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const ALONE: &str = include_str!("../../../deploy/authorizer.yaml");
const NESTED: &str = include_str!("../../../deploy/alarms.yaml");

/// How many of the lines each template counts, by itself and nested in the whole.
fn counted(log: &str) -> [usize; 2] {
    let alone = MetricFilter::all(ALONE);
    let mut nested = MetricFilter::all(NESTED);
    nested.retain(|filter| filter.log_group == "!Ref AuthorizerLogGroupName");
    assert_eq!((alone.len(), nested.len()), (3, 2));
    [alone, nested].map(|filters| {
        let is_counted = |line: &&str| filters.iter().any(|filter| filter.counts(line));
        log.lines().filter(is_counted).count()
    })
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
    assert_eq!(counted(&house.authorizer.log()), [0, 0]);

    let house = House::new(BINARY);
    house.refused("Bearer x");
    for _ in 0..2 {
        house.authorizer.invoke(json!({})).error_message();
    }
    // The nested alarm has the metric of the function's own for these.
    assert_eq!(counted(&house.authorizer.log()), [2, 0]);
}

#[test]
fn a_call_that_broke_off_is_counted() {
    // The line of `keygate_settings::logging`, whose test has it of a process that panicked.
    let line =
        r#"{"timestamp":"2026-11-26T07:27:21.123Z","level":"ERROR","ended":"panic","message":"x"}"#;
    assert_eq!(counted(line), [1, 1]);
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
    assert_eq!(counted(&said), [1, 1], "{said}");
}
