use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/books";

fn error(event: &Value) -> EventError {
    AuthorizationRequest::read(event).unwrap_err()
}

fn read(event: &Value) -> AuthorizationRequest {
    AuthorizationRequest::read(event).unwrap()
}

#[test]
fn a_token_event_is_read() {
    let event = json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": ARN});
    let request = read(&event);
    assert_eq!(request.format, EventFormat::Token);
    assert_eq!(request.presented.authorization, ["Bearer x"]);
    assert_eq!(request.source, None);
}

#[test]
fn a_missing_credential_is_no_fault_of_the_event() {
    for event in [
        json!({"type": "TOKEN", "methodArn": ARN}),
        json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": null}),
        json!({"type": "REQUEST", "methodArn": ARN}),
        json!({"type": "REQUEST", "methodArn": ARN, "headers": null}),
        json!({"type": "REQUEST", "version": "2.0", "routeArn": ARN, "headers": {}}),
    ] {
        assert_eq!(read(&event).presented, Presented::default(), "{event}");
    }
}

#[test]
fn a_request_event_of_each_api_is_told_by_its_version() {
    let context = json!({
        "identity": {"sourceIp": "192.0.2.7"}, "http": {"sourceIp": "::ffff:192.0.2.8"},
    });
    for (version, arn, format, source) in [
        (None, "methodArn", EventFormat::Request, "192.0.2.7"),
        (Some("1.0"), "methodArn", EventFormat::HttpApi1, "192.0.2.7"),
        (Some("2.0"), "routeArn", EventFormat::HttpApi2, "192.0.2.8"),
    ] {
        let mut event = json!({
            "type": "REQUEST", arn: ARN, "requestContext": context,
            "headers": {"AUTHORIZATION": "Bearer x", "x-api-KEY": "y"},
        });
        if let Some(version) = version {
            event["version"] = json!(version);
        }
        let request = read(&event);
        assert_eq!(request.format, format);
        assert_eq!(request.presented.authorization, ["Bearer x"]);
        assert_eq!(request.presented.api_key, ["y"]);
        assert_eq!(request.source, Some(source.parse().unwrap()));
    }
}

/// The samples of `events`, whole as API Gateway sends them.
#[test]
fn a_whole_event_of_each_api_is_read() {
    for (sample, format) in [
        (
            include_str!("../../../../events/authorizer-request.json"),
            EventFormat::Request,
        ),
        (
            include_str!("../../../../events/authorizer-http-api-1.json"),
            EventFormat::HttpApi1,
        ),
        (
            include_str!("../../../../events/authorizer-http-api-2.json"),
            EventFormat::HttpApi2,
        ),
    ] {
        let request = read(&serde_json::from_str(sample).unwrap());
        assert_eq!(request.format, format);
        assert_eq!(request.presented.authorization, ["ApiKey kg_not-a-key"]);
        assert!(request.presented.api_key.is_empty());
        assert_eq!(request.method_arn.request(), ("GET", "/keys"));
        assert_eq!(request.source, Some("203.0.113.7".parse().unwrap()));
    }
}

/// A client writes it, and each proxy on the way adds to it.
#[test]
fn where_a_request_comes_from_is_never_read_from_a_header() {
    let headers = json!({"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"});
    let mut event = json!({"type": "REQUEST", "methodArn": ARN, "headers": headers});
    assert_eq!(read(&event).source, None);
    event["requestContext"] = json!({"identity": {"sourceIp": "2001:db8::1"}});
    assert_eq!(read(&event).source, Some("2001:db8::1".parse().unwrap()));
    // What belongs to another format says nothing.
    event["requestContext"] = json!({"http": {"sourceIp": "192.0.2.7"}});
    assert_eq!(read(&event).source, None);
}

#[test]
fn every_value_of_a_header_counts_once() {
    let event = json!({
        "type": "REQUEST", "methodArn": ARN,
        "headers": {"Authorization": "Bearer b"},
        "multiValueHeaders": {"authorization": ["Bearer a", "Bearer b"]},
    });
    assert_eq!(
        read(&event).presented.authorization,
        ["Bearer b", "Bearer a"]
    );
}

#[test]
fn a_source_address_that_is_none_is_not_known() {
    for context in [
        json!(null),
        json!({"identity": {"sourceIp": "test-invoke"}}),
    ] {
        let event = json!({"type": "REQUEST", "methodArn": ARN, "requestContext": context});
        assert_eq!(read(&event).source, None);
    }
}

#[test]
fn an_event_of_another_kind_is_a_clear_error() {
    for (event, expected) in [
        (json!({}), EventError::Type),
        (json!([]), EventError::Type),
        (json!(null), EventError::Type),
        (json!({"type": "token", "methodArn": ARN}), EventError::Type),
        (
            json!({"version": "2.0", "routeKey": "$default"}),
            EventError::Type,
        ),
        (
            json!({"type": "REQUEST", "version": "3.0"}),
            EventError::Version,
        ),
        (
            json!({"type": "REQUEST", "version": 2}),
            EventError::Version,
        ),
        (
            json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": ["x"]}),
            EventError::AuthorizationToken,
        ),
        (
            json!({"type": "REQUEST", "methodArn": ARN, "headers": []}),
            EventError::Headers,
        ),
        (
            json!({"type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": 1}}),
            EventError::Headers,
        ),
        (json!({"type": "TOKEN"}), EventError::MethodArn("methodArn")),
        (
            json!({"type": "TOKEN", "methodArn": "arn:aws:s3:::bucket"}),
            EventError::MethodArn("methodArn"),
        ),
        (
            json!({"type": "REQUEST", "version": "2.0", "methodArn": ARN}),
            EventError::MethodArn("routeArn"),
        ),
    ] {
        assert_eq!(error(&event), expected, "{event}");
    }
}

/// A header's name in some spelling.
fn spelled(name: &'static str) -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<bool>(), name.len()).prop_map(|upper| {
        let letters = name.chars().zip(upper);
        let spelled = letters.map(|(letter, upper)| {
            if upper {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        });
        spelled.collect()
    })
}

/// Headers with their values, those that matter and others.
fn headers() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let name = prop_oneof![
        spelled("authorization"),
        spelled("x-api-key"),
        spelled("x-forwarded-for"),
        "[a-z-]{1,8}",
    ];
    let values = proptest::collection::vec("[a-c ]{0,3}", 1..3);
    proptest::collection::btree_map(name, values, 0..6)
}

proptest! {
    #[test]
    fn every_value_counts_in_whichever_spelling_and_member_it_comes(
        single in headers(),
        many in headers(),
        source in any::<IpAddr>(),
    ) {
        let last: BTreeMap<&String, Option<&String>> =
            single.iter().map(|(name, values)| (name, values.last())).collect();
        let event = json!({
            "type": "REQUEST", "methodArn": ARN, "headers": last, "multiValueHeaders": many,
            "requestContext": {"identity": {"sourceIp": source.to_string()}},
        });
        let request = read(&event);
        // Whatever the headers say of it.
        prop_assert_eq!(request.source, Some(source.to_canonical()));
        for (name, found) in [
            ("authorization", request.presented.authorization),
            ("x-api-key", request.presented.api_key),
        ] {
            let is_named = |header: &str| header.to_ascii_lowercase() == name;
            let one = last.iter().filter(|(header, _)| is_named(header.as_str()));
            let several = many.iter().filter(|(header, _)| is_named(header.as_str()));
            let sent: BTreeSet<&String> = one
                .filter_map(|(_, value)| *value)
                .chain(several.flat_map(|(_, values)| values))
                .collect();
            prop_assert_eq!(found.len(), sent.len());
            prop_assert_eq!(found.iter().collect::<BTreeSet<_>>(), sent);
        }
    }
}
