//! What a process writes once logging has begun, read as Lambda reads it: each test starts itself once
//! more as that process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what breaks here is a test that fails"
)]

use std::process::Command;

use keygate_settings::{SettingError, Settings, logging, refuse_to_start};
use serde_json::{Value, json};

/// Set for the process that writes.
const WRITES: &str = "KEYGATE_TEST_WRITES";

/// What this test's process writes to standard output and standard error: its lines of JSON. `None` in
/// that process itself.
fn written(test: &str, settings: &[(&str, &str)]) -> Option<Vec<Value>> {
    if std::env::var_os(WRITES).is_some() {
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(WRITES, "1")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    // The test's own harness writes to the same outputs, and not always whole lines.
    let lines = said.lines().filter_map(|line| {
        let (_, json) = line.split_once("{\"timestamp\"")?;
        serde_json::from_str(&format!("{{\"timestamp\"{json}")).ok()
    });
    Some(lines.collect())
}

fn begin() {
    logging::init(&Settings::from_env(), "function").unwrap();
}

#[test]
fn an_event_is_a_line_with_its_level_and_its_fields() {
    let test = "an_event_is_a_line_with_its_level_and_its_fields";
    let Some(lines) = written(test, &[("LOG_LEVEL", "info")]) else {
        begin();
        let _span = tracing::error_span!("a span", of = "the runtime").entered();
        let error = SettingError::malformed("A", "b");
        let cause = &error as &(dyn std::error::Error + 'static);
        tracing::warn!(
            text = "\"\n",
            number = -1,
            large = u64::MAX,
            half = 0.5,
            is = true,
            cause,
            none = None::<u8>,
            "message {}",
            1
        );
        tracing::debug!("not written");
        return;
    };
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let mut line = line.clone();
    assert!(line["timestamp"].take().as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "timestamp": null, "level": "WARN", "message": "message 1", "text": "\"\n", "number": -1,
        "large": u64::MAX, "half": 0.5, "is": true, "cause": "A is malformed: b",
    });
    assert_eq!(line, expected);
}

#[test]
fn metrics_of_another_crate_are_a_text_and_its_details_are_not_written() {
    let test = "metrics_of_another_crate_are_a_text_and_its_details_are_not_written";
    let Some(lines) = written(test, &[("LOG_LEVEL", "trace")]) else {
        begin();
        tracing::debug!(target: "library::http", "a request with its headers");
        tracing::info!(target: "library", metrics = %r#""level":"forged""#);
        tracing::debug!(target: "function::part", metrics = %r#""_aws":{"a":1}"#);
        return;
    };
    let [library, function] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(library["level"], "INFO");
    assert_eq!(library["metrics"], r#""level":"forged""#);
    assert_eq!(function["_aws"], json!({"a": 1}));
}

#[test]
fn a_panic_is_a_line_that_says_where_and_why() {
    let test = "a_panic_is_a_line_that_says_where_and_why";
    let Some(lines) = written(test, &[]) else {
        begin();
        panic!("the reason");
    };
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (&line["level"], &line["ended"]),
        (&json!("ERROR"), &json!("panic"))
    );
    let message = line["message"].as_str().unwrap();
    assert!(
        message.contains("lines.rs") && message.ends_with("the reason"),
        "{message}"
    );
}

#[test]
fn a_refused_start_is_a_line_that_no_level_keeps_back() {
    let test = "a_refused_start_is_a_line_that_no_level_keeps_back";
    let Some(lines) = written(test, &[("LOG_LEVEL", "off")]) else {
        begin();
        let _ = refuse_to_start(
            "function",
            &SettingError::malformed("A_SETTING", "the \"reason\""),
        );
        return;
    };
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let mut line = line.clone();
    line.as_object_mut().unwrap().remove("timestamp");
    let expected = json!({
        "level": "FATAL", "start": "refused", "setting": "A_SETTING",
        "message": "function: A_SETTING is malformed: the \"reason\"",
    });
    assert_eq!(line, expected);
}
