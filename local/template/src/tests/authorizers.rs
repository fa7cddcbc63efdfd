//! The events of an authorizer, and what its answers are kept by.

use keygate_model::{AuthorizerEvents, IdentitySource};

use super::{SMALL, changed, load, problem};

const TYPE: &str = "            FunctionArn: !GetAtt Fn.Arn\n";
const IDENTITY: &str = "{ValidationExpression: 'Bearer .+', ReauthorizeEvery: 60}";

/// The small template whose authorizer gets these events, with this `Identity`.
fn with_events(kind: &str, identity: &str) -> String {
    let kind = format!("{TYPE}            FunctionPayloadType: {kind}\n");
    changed(TYPE, &kind).replacen(IDENTITY, identity, 1)
}

fn events(text: &str, parameters: &[(&str, &str)]) -> AuthorizerEvents {
    let application = load(text, parameters).unwrap();
    application.api.authorizers["Credential"].events.clone()
}

fn sources(events: &AuthorizerEvents) -> Vec<String> {
    let AuthorizerEvents::Request { sources } = events else {
        panic!("{events:?}")
    };
    sources.iter().map(IdentitySource::to_string).collect()
}

#[test]
fn identity_sources_are_in_the_order_of_sam() {
    let identity = "{Context: [identity.sourceIp, path], StageVariables: [v], QueryStrings: [q], \
                    Headers: [Authorization, x-tenant]}";
    let expected = [
        "method.request.header.Authorization",
        "method.request.header.x-tenant",
        "method.request.querystring.q",
        "stageVariables.v",
        "context.identity.sourceIp",
        "context.path",
    ];
    assert_eq!(
        sources(&events(&with_events("REQUEST", identity), &[])),
        expected
    );
}

#[test]
fn a_parameter_chooses_the_events_and_what_belongs_to_the_others_has_no_part() {
    let identity = "{Header: X, ValidationExpression: 'a+', Headers: [Y], ReauthorizeEvery: 60}";
    let text = with_events("!Ref Events", identity);
    let parameter = "Parameters:\n  Events: {Type: String, Default: TOKEN}\n";
    let text = text.replacen("Parameters:\n", parameter, 1);
    let AuthorizerEvents::Token { header, expression } = events(&text, &[]) else {
        panic!("other events")
    };
    assert_eq!(header, "X");
    assert!(expression.unwrap().is_match("aa"));
    let request = events(&text, &[("Events", "REQUEST")]);
    assert_eq!(sources(&request), ["method.request.header.Y"]);
}

#[test]
fn answers_that_are_kept_need_an_identity_source() {
    let none = "{ReauthorizeEvery: 0}";
    assert!(sources(&events(&with_events("REQUEST", none), &[])).is_empty());
    for identity in [
        "{ReauthorizeEvery: 1}",
        "{Header: Authorization}",
        "{Headers: []}",
    ] {
        let problem = problem(&with_events("REQUEST", identity));
        assert!(problem.contains("SAM refuses it"), "{problem}");
    }
}

#[test]
fn what_is_no_name_of_a_source_is_refused() {
    for (kind, identity, word) in [
        ("REQUEST", "{Headers: ['a b']}", "`a b`"),
        (
            "REQUEST",
            "{Headers: [A], QueryStrings: ['']}",
            "QueryStrings",
        ),
        ("REQUEST", "{Headers: A}", "must be a list"),
        ("TOKEN", "{Header: 'a b'}", "`a b`"),
        ("SOME", "{Header: A}", "`SOME` is not supported"),
    ] {
        let problems = load(&with_events(kind, identity), &[]).unwrap_err();
        assert!(
            problems.iter().any(|problem| problem.contains(word)),
            "{problems:?}"
        );
    }
    assert!(SMALL.contains(IDENTITY));
}
