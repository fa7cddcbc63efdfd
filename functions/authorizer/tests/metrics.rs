//! What CloudWatch makes metrics of in the authorizer's lines.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

mod house;

use std::collections::BTreeMap;

use house::{House, key_header, record};
use keygate_api_key::ApiKey;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");

/// The sums of metrics, each with the values of its dimensions: `Decisions door allow`.
type Sums = BTreeMap<String, u64>;

/// Reads a log's embedded metrics as CloudWatch does: what a line's `_aws` names is found in the line.
fn counted(log: &str) -> Sums {
    let mut sums = Sums::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(embedded) = line.get("_aws") else {
            continue;
        };
        assert!(embedded["Timestamp"].is_u64(), "{line}");
        for directive in embedded["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "Keygate");
            for metric in directive["Metrics"].as_array().unwrap() {
                assert_eq!(metric["Unit"], "Count");
                let name = metric["Name"].as_str().unwrap();
                for set in directive["Dimensions"].as_array().unwrap() {
                    let values = set.as_array().unwrap().iter();
                    let values = values.map(|name| line[name.as_str().unwrap()].as_str().unwrap());
                    let key = [name].into_iter().chain(values).collect::<Vec<_>>();
                    *sums.entry(key.join(" ")).or_default() += line[name].as_u64().unwrap();
                }
            }
        }
    }
    sums
}

/// Decisions of each kind by an authorizer with these settings, and what it logs of them.
fn decided(settings: &[(&str, &str)]) -> String {
    let house = House::with(BINARY, settings);
    let key = ApiKey::generate().unwrap();
    house.put_key(&record(&key));
    for _ in 0..3 {
        house.allowed(&key_header(&key));
    }
    house.allowed(&format!(
        "Bearer {}",
        house.token_with("scope", json!("none"))
    ));
    let of_a_client = house.token_with("client_id", json!("somebody"));
    for _ in 0..2 {
        house.allowed(&format!("Bearer {of_a_client}"));
        house.refused("Bearer x");
    }
    house.authorizer.invoke(json!({})).error_message();
    house.authorizer.log()
}

fn expected() -> Sums {
    let sums = [
        ("Decisions door allow", 5),
        ("Decisions door allow granted", 5),
        ("Decisions door deny", 1),
        ("Decisions door deny no-route-open", 1),
        ("Decisions door unauthorized", 2),
        ("Decisions door unauthorized token-malformed", 2),
        ("Decisions door fault", 1),
        ("Decisions door fault event-malformed", 1),
        // The key is read once, and so is the client, of which there is no record.
        ("KeyCacheHits door", 3),
        ("KeyCacheMisses door", 2),
        ("KeySetFetches door ok", 1),
    ];
    sums.map(|(name, sum)| (name.to_owned(), sum)).into()
}

#[test]
fn decisions_lookups_and_fetches_are_counted_in_the_lines_that_are_written_anyway() {
    let log = decided(&[("STACK_NAME", "door")]);
    assert_eq!(counted(&log), expected());
    let decisions = log.lines().filter(|line| line.contains("\"_aws\":"));
    assert!(decisions.into_iter().all(|line| {
        line.contains("\"request_id\":") || line.contains("\"message\":\"key set fetched\"")
    }));
}

#[test]
fn what_is_counted_does_not_depend_on_what_the_log_takes() {
    for (level, setting) in [
        ("INFO", ("LOG_LEVEL", "WARN")),
        ("INFO", ("LOG_LEVEL", "ERROR")),
        ("ERROR", ("AWS_LAMBDA_LOG_LEVEL", "ERROR")),
        ("FATAL", ("AWS_LAMBDA_LOG_LEVEL", "FATAL")),
    ] {
        let log = decided(&[("STACK_NAME", "door"), setting]);
        assert_eq!(counted(&log), expected(), "{setting:?}");
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let written = line["level"].as_str().unwrap();
            assert!([level, "ERROR"].contains(&written), "{line}");
            // What the log does not take is not in it for the metrics' sake.
            assert_eq!(
                line.get("request_id").is_some(),
                written != level || line["decision"] == "fault",
                "{line}"
            );
        }
    }
}

#[test]
fn without_a_stack_or_with_a_log_that_is_off_nothing_is_counted() {
    assert!(!decided(&[]).contains("_aws"));
    assert_eq!(decided(&[("STACK_NAME", "door"), ("LOG_LEVEL", "off")]), "");
}

#[test]
fn a_key_set_that_cannot_be_had_is_counted_as_failed() {
    let house = House::with(
        BINARY,
        &[
            ("STACK_NAME", "door"),
            ("OAUTH_JWKS_URI", "http://127.0.0.1:9/jwks"),
        ],
    );
    let log = house.authorizer.log();
    let failed = counted(&log).remove("KeySetFetches door failed");
    assert!(failed.is_some_and(|failed| failed > 0), "{log}");
}

#[test]
fn each_line_has_its_time_and_its_level_first_as_lambda_reads_them() {
    for line in decided(&[("STACK_NAME", "door")]).lines() {
        let members = line.strip_prefix("{\"timestamp\":\"").unwrap();
        let (timestamp, rest) = members.split_at("2026-11-26T07:27:21.123Z".len());
        let shape = timestamp.replace(|character: char| character.is_ascii_digit(), "0");
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{line}");
        assert!(rest.starts_with("\",\"level\":\""), "{line}");
    }
}
