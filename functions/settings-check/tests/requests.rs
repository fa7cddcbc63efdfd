//! The built function as CloudFormation calls it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what breaks here is a test that fails"
)]

mod cloud;

use keygate_tests::function::Outcome;
use keygate_tests::loopback::Response;
use serde_json::{Value, json};

use cloud::{Cloud, STACK, next, reason, stack_with};

#[test]
fn good_settings_are_a_success_with_the_same_id_at_each_request() {
    let cloud = Cloud::start();
    let properties = cloud.properties();
    let mut created = cloud.answer(cloud.request("Create", &properties));
    let attributes = created.as_object_mut().unwrap().remove("Data").unwrap();
    let names: Vec<&String> = attributes.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["Authorizer", "Books", "ErrorMapper", "Keys", "Preflight"]
    );
    assert_eq!(
        created,
        json!({
            "Status": "SUCCESS", "StackId": STACK, "RequestId": "request", "LogicalResourceId": "Settings",
            "PhysicalResourceId": "settings-5b2f9c10-0000-11f0-8000-0a58a9feac02",
        })
    );
    let mut update = cloud.request("Update", &properties);
    update["PhysicalResourceId"] = json!("an id of before");
    assert_eq!(
        cloud.answer(update)["PhysicalResourceId"],
        "an id of before"
    );
}

/// A function, one of its settings, a value that it refuses to start with, and what is said of it.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "authorizer",
        "OAUTH_RULE",
        "claims.sub ==",
        "authorizer: OAUTH_RULE is malformed: the rule, ",
    ),
    (
        "authorizer",
        "OAUTH_ISSUERS",
        "[{]",
        "authorizer: OAUTH_ISSUERS is malformed: ",
    ),
    ("authorizer", "OAUTH_ISSUERS", "[]", "it names no issuer"),
    (
        "authorizer",
        "OAUTH_ISSUER",
        "http://login.example.com",
        "OAUTH_ISSUER is malformed: use https",
    ),
    (
        "authorizer",
        "OAUTH_AUDIENCE",
        "",
        "authorizer: OAUTH_AUDIENCE is not set: ",
    ),
    (
        "authorizer",
        "OAUTH_CONTEXT_CLAIMS",
        ",",
        "authorizer: OAUTH_CONTEXT_CLAIMS is malformed: ",
    ),
    (
        "authorizer",
        "ROUTES",
        "GET /a/ x",
        "authorizer: ROUTES is malformed: line 1",
    ),
    (
        "authorizer",
        "ROUTES_FILE",
        "nowhere",
        "authorizer: ROUTES_FILE is malformed: ROUTES is set too",
    ),
    (
        "keys",
        "USAGE_PLANS",
        "standard",
        "keys: USAGE_PLANS is malformed: ",
    ),
    (
        "keys",
        "OAUTH_ISSUERS",
        "[{]",
        "keys: OAUTH_ISSUERS is malformed: ",
    ),
    ("keys", "STACK_NAME", "", "keys: STACK_NAME is not set: "),
    ("keys", "KEY_PREFIX", "1", "keys: KEY_PREFIX is malformed: "),
    (
        "preflight",
        "CORS_ALLOWED_ORIGINS",
        "app.example.com",
        "preflight: CORS_ALLOWED_ORIGINS is malformed: ",
    ),
    (
        "preflight",
        "CORS_ALLOWED_HEADERS",
        "*",
        "preflight: CORS_ALLOWED_HEADERS is malformed: ",
    ),
    (
        "error-mapper",
        "ADVERTISED_SCOPES",
        "\"",
        "error-mapper: ADVERTISED_SCOPES is malformed: ",
    ),
    (
        "error-mapper",
        "ROUTES",
        "",
        "error-mapper: ROUTES is not set: ",
    ),
    (
        "error-mapper",
        "PUBLIC_URL",
        "example.com",
        "error-mapper: PUBLIC_URL is malformed: ",
    ),
    (
        "preflight",
        "LOG_LEVEL",
        "loud",
        "preflight: LOG_LEVEL is malformed: ",
    ),
];

#[test]
fn a_setting_that_a_function_would_refuse_is_refused_in_its_words() {
    let cloud = Cloud::start();
    for (function, name, value, words) in WRONG {
        let mut properties = cloud.properties();
        properties["Functions"][function][name] = json!(value);
        let reason = cloud
            .reason(&properties)
            .unwrap_or_else(|| panic!("{name}={value}"));
        assert!(reason.contains(words), "{name}={value}: {reason}");
        assert!(
            reason.contains("nothing that serves was changed"),
            "{reason}"
        );
    }
    let mut properties = cloud.properties();
    properties["Handlers"]["books"]["CORS_ALLOWED_ORIGINS"] = json!("app.example.com");
    let reason = cloud.reason(&properties).unwrap();
    assert!(
        reason.contains("books: CORS_ALLOWED_ORIGINS is malformed: "),
        "{reason}"
    );
}

#[test]
fn a_log_level_that_is_none_is_refused_by_a_function_that_has_it_too() {
    let cloud = Cloud::answering(vec![], &[("LOG_LEVEL", "loud")]);
    let mut properties = cloud.properties();
    properties["EveryFunction"]["LOG_LEVEL"] = json!("loud");
    let reason = cloud.reason(&properties).unwrap();
    let words = "authorizer, error-mapper, keys, preflight, books: LOG_LEVEL is malformed: ";
    assert!(reason.contains(words), "{reason}");
}

#[test]
fn a_table_whose_policies_do_not_fit_is_refused() {
    let cloud = Cloud::start();
    let mut properties = cloud.properties();
    let routes: Vec<String> = (0..300)
        .map(|number| format!("GET /a{number}/{{id}} scope{}", number % 7))
        .collect();
    properties["EveryFunction"]["ROUTES"] = json!(routes.join("\n"));
    let reason = cloud.reason(&properties).unwrap();
    assert!(
        reason.contains("authorizer: ROUTES is malformed: "),
        "{reason}"
    );
}

#[test]
fn a_bundle_of_authorities_that_is_not_there_is_refused_by_name() {
    let cloud = Cloud::answering(vec![], &[("SSL_CERT_FILE", "/nowhere/ca.pem")]);
    let mut properties = cloud.properties();
    properties["Functions"]["authorizer"]["OAUTH_ISSUER"] = json!("https://127.0.0.1:9");
    properties["Functions"]["authorizer"]["SSL_CERT_FILE"] = json!("/nowhere/ca.pem");
    let reason = cloud.reason(&properties).unwrap();
    assert!(
        reason.contains("authorizer: SSL_CERT_FILE is malformed: /nowhere/ca.pem"),
        "{reason}"
    );
}

#[test]
fn an_issuer_whose_keys_cannot_be_had_is_refused_unless_it_is_not_to_be_asked() {
    let cloud = Cloud::start();
    let nobody = "http://127.0.0.1:9";
    let mut properties = cloud.properties();
    let named = |url: &str| json!({"issuer": url, "audience": ["a"], "principal_prefix": format!("{url}|")});
    let several = json!([named(&cloud.issuer.url), named(nobody)]).to_string();
    properties["Functions"]["authorizer"]["OAUTH_ISSUERS"] = json!(several);
    let reason = cloud.reason(&properties).unwrap();
    let words =
        format!("{nobody}: the issuer's key set cannot be had: the issuer cannot be reached");
    assert!(
        reason.contains(&words) && reason.contains("CheckIssuers=false"),
        "{reason}"
    );
    assert!(!reason.contains(&cloud.issuer.url), "{reason}");
    properties["CheckIssuers"] = json!("false");
    assert_eq!(cloud.reason(&properties), None);

    cloud.issuer.answer_with(|| Response::new(500, "{}"));
    let reason = cloud.reason(&cloud.properties()).unwrap();
    assert!(
        reason.contains("the issuer answered with status 500"),
        "{reason}"
    );
}

#[test]
fn what_goes_is_not_checked() {
    let cloud = Cloud::start();
    for properties in [json!(null), json!({"Functions": 7}), json!("x")] {
        let answer = cloud.answer(cloud.request("Delete", &properties));
        assert_eq!(reason(&answer), None);
    }
    assert_eq!(cloud.issuer.key_set_requests(), 0);
}

#[test]
fn a_hostile_request_is_refused_in_visible_words_as_long_as_it_says_where() {
    let cloud = Cloud::start();
    let good = cloud.properties();
    let changed = |pointer: &str, value: Value| {
        let mut event = cloud.request("Create", &good);
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let deep =
        serde_json::from_str::<Value>(&format!("{}{}", "[".repeat(100), "]".repeat(100))).unwrap();
    for (event, words) in [
        (changed("/RequestType", json!("Replace")), "RequestType"),
        (changed("/RequestType", json!(["Create"])), "RequestType"),
        (changed("/ResourceProperties", json!(null)), "properties"),
        (changed("/ResourceProperties", json!([1, 2])), "properties"),
        (
            changed("/ResourceProperties/Functions", json!("authorizer")),
            "properties",
        ),
        (
            changed("/ResourceProperties/Functions", json!({"authorizer": deep})),
            "properties",
        ),
        (
            changed("/ResourceProperties/Functions", json!({"authoriser": {}})),
            "authoriser",
        ),
        (
            changed("/ResourceProperties/CheckIssuers", json!("no")),
            "properties",
        ),
        (
            changed(
                "/ResourceProperties/Functions",
                json!({"a\u{202e}\nb\u{200b}": {}}),
            ),
            r"a\u{202e}\u{a}b\u{200b}",
        ),
        (
            changed(
                "/ResourceProperties/Functions",
                json!({"x".repeat(100_000): {}}),
            ),
            "more than an answer can name",
        ),
        (
            changed(
                "/ResourceProperties/Handlers",
                (0..200)
                    .map(|number| (format!("handler-{number}"), json!({})))
                    .collect(),
            ),
            "more than an answer can name",
        ),
        (
            changed(
                "/ResourceProperties/Functions/authorizer/OAUTH_RULE",
                json!("(".repeat(100_000)),
            ),
            "OAUTH_RULE",
        ),
    ] {
        let reason = reason(&cloud.answer(event)).unwrap();
        assert!(reason.contains(words), "{words}: {reason}");
    }
    // It goes on after each of them.
    assert_eq!(cloud.reason(&good), None);
}

#[test]
fn an_event_that_says_no_place_for_an_answer_is_an_error_and_nobody_is_called() {
    let cloud = Cloud::start();
    for event in [
        json!(null),
        json!([]),
        json!({}),
        json!({"RequestType": "Create"}),
    ] {
        let said = cloud.invoke(event).error_message();
        assert!(said.contains("ResponseURL"), "{said}");
    }
    let elsewhere = json!("http://169.254.169.254/latest");
    let mut event = cloud.request("Create", &cloud.properties());
    event["ResponseURL"] = elsewhere;
    let said = cloud.invoke(event).error_message();
    assert!(said.contains("https"), "{said}");
    assert_eq!(cloud.sent().len(), 0);
    assert_eq!(cloud.issuer.key_set_requests(), 0);
}

#[test]
fn an_answer_that_does_not_arrive_is_sent_again_and_its_address_stays_out_of_the_log() {
    let cloud = Cloud::answering(vec![500, 503], &[]);
    let event = cloud.request("Create", &cloud.properties());
    assert!(matches!(cloud.invoke(event.clone()), Outcome::Response(_)));
    let bodies: Vec<_> = cloud.sent().into_iter().map(|sent| sent.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let log = cloud.log();
    assert!(log.contains("the answer was not sent"), "{log}");
    assert!(!log.contains("SIGNATURE"), "{log}");

    for (statuses, attempts) in [(vec![403], 1), (vec![500; 4], 4)] {
        let cloud = Cloud::answering(statuses, &[]);
        let event = cloud.request("Create", &cloud.properties());
        let said = cloud.invoke(event).error_message();
        assert!(said.contains("refused it with status"), "{said}");
        assert!(!said.contains("SIGNATURE"), "{said}");
        assert_eq!(cloud.sent().len(), attempts);
    }
}

/// CloudFormation sends the former properties once more, and a refusal would leave the stack where only a
/// person gets it out.
#[test]
fn a_rollback_is_never_refused() {
    for (status, document, is_refused) in [
        (
            200,
            "<StackStatus>UPDATE_ROLLBACK_IN_PROGRESS</StackStatus>",
            false,
        ),
        (200, "<StackStatus>UPDATE_IN_PROGRESS</StackStatus>", true),
        (200, "", true),
        (
            403,
            "<StackStatus>UPDATE_ROLLBACK_IN_PROGRESS</StackStatus>",
            true,
        ),
    ] {
        let (endpoint, asked) = stack_with(status, document);
        let cloud = Cloud::answering(vec![], &[("AWS_ENDPOINT_URL_CLOUDFORMATION", &endpoint)]);
        let good = cloud.properties();
        let mut wrong = good.clone();
        wrong["Functions"]["authorizer"]["OAUTH_RULE"] = json!("claims.sub ==");

        // Only a refusal of an update asks.
        assert_eq!(reason(&cloud.answer(cloud.request("Update", &good))), None);
        assert!(cloud.reason(&wrong).is_some());
        assert!(next(&asked).is_none());

        let answer = cloud.answer(cloud.request("Update", &wrong));
        assert_eq!(reason(&answer).is_some(), is_refused, "{status} {document}");
        let request = next(&asked).unwrap();
        // What is no answer is asked again, the other way and then the same way.
        let again = std::iter::from_fn(|| next(&asked)).count();
        assert_eq!(again, if status == 200 { 0 } else { 2 });
        let body = String::from_utf8(request.body).unwrap();
        assert!(body.starts_with("Action=DescribeStacks&"), "{body}");
        assert!(body.contains("stack%2Fkeygate%2F5b2f9c10"), "{body}");
        let mut headers = request.headers.iter();
        let authorization = headers.find(|(name, _)| name == "authorization").unwrap();
        let scope = "/eu-west-1/cloudformation/aws4_request";
        assert!(authorization.1.contains(scope), "{authorization:?}");
    }
}
