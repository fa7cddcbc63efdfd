//! What a team notes about a key, from issuing it to the handler that is told.

use serde_json::{Value, json};

use crate::keys::text;
use crate::operator::{self, run, said};
use crate::services::set;
use crate::tokens::list;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    metadata_is_kept_and_shown_and_handlers_are_told_it;
    an_operator_notes_something_about_a_key needs "own-gateway";
    a_record_with_metadata_that_nobody_could_give_is_a_fault needs "own-gateway";
}

fn metadata_is_kept_and_shown_and_handlers_are_told_it(target: &Target) {
    let token = target.token();
    let metadata = json!({"tenant": "Acme \"north\" \u{e9}", "cost-centre": "7", "principal": "x"});
    let body = json!({"name": "a", "scopes": ["books:read"], "metadata": metadata});
    let issued = target.post("/keys").bearer(&token).json(&body).send();
    let issued = issued.expect(201).json();
    assert_eq!(issued["metadata"], metadata);
    let path = format!("/keys/{}", text(&issued, "id"));
    let rotated = target.post(&format!("{path}/rotate")).bearer(&token).send();
    let rotated = rotated.expect(200).json();
    let page = target.get("/keys").bearer(&token).send().expect(200).json();
    let read = target.get(&path).bearer(&token).send().expect(200).json();
    for shown in [&rotated, &page["items"][0], &read] {
        assert_eq!(shown["metadata"], metadata);
    }
    for key in [&issued, &rotated] {
        let event = list(target, &format!("ApiKey {}", text(key, "key")));
        let event = event.expect(200).json();
        let told = &event["requestContext"]["authorizer"];
        assert_eq!(told["metadata_tenant"], metadata["tenant"]);
        assert_eq!(told["metadata_cost_centre"], "7");
        assert_eq!(told["metadata_principal"], "x");
        assert_eq!(told["principal"], issued["owner"]);
    }
    // Of a token there is none.
    let event = list(target, &format!("Bearer {token}")).expect(200).json();
    let told = event["requestContext"]["authorizer"].as_object().unwrap();
    assert!(!told.keys().any(|name| name.starts_with("metadata_")));
}

fn create<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&operator::create("me", "books:read"), more].concat()
}

fn an_operator_notes_something_about_a_key(target: &Target) {
    let (gateway, _) = target.own(&[]);
    let noted = create(&["--metadata", "tenant=acme=1", "--metadata", "empty="]);
    let created = run(target, &gateway, &noted);
    let expected = json!({"tenant": "acme=1", "empty": ""});
    assert_eq!(created["metadata"], expected);
    let shown = target
        .build()
        .keys(&gateway, &["show", text(&created, "id")]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("tenant=acme=1"), "{shown}");
    for more in [
        &["--metadata", "tenant"][..],
        &["--metadata", "a b=x"],
        &["--metadata", "a=\u{202e}"],
        &["--metadata", "a=1", "--metadata", "a=2"],
    ] {
        let output = target.build().keys(&gateway, &create(more));
        assert_eq!(output.status.code(), Some(64), "{}", said(&output));
        assert!(said(&output).contains("--metadata"), "{}", said(&output));
    }
}

fn a_record_with_metadata_that_nobody_could_give_is_a_fault(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "AuthorizerCacheTtl=0"]);
    let token = own.token();
    let body = json!({"name": "a", "scopes": ["books:read"], "metadata": {"tenant": "acme"}});
    let key = own.post("/keys").bearer(&token).json(&body).send();
    let key = key.expect(201).json();
    let credential = format!("ApiKey {}", text(&key, "key"));
    list(&own, &credential).expect(200);
    let too_much = "x".repeat(300);
    for metadata in [
        json!({"S": "tenant=acme"}),
        json!({"M": {"tenant": {"N": "7"}}}),
        json!({"M": {"two words": {"S": "x"}}}),
        json!({"M": {"tenant": {"S": too_much}}}),
        json!({"M": {"tenant": {"S": "acme\u{200b}"}}}),
    ] {
        set(&own, &gateway, text(&key, "id"), "metadata", &metadata);
        let refused = list(&own, &credential);
        refused.gateway_problem(503, "service-unavailable");
    }
    let log = gateway.logged("key-table-record-malformed");
    assert!(
        !log.contains(text(&key, "key")) && !log.contains("acme"),
        "{log}"
    );
    // It is revoked like any other.
    let path = format!("/keys/{}", text(&key, "id"));
    own.delete(&path).bearer(&token).send().expect(204);
    set(
        &own,
        &gateway,
        text(&key, "id"),
        "metadata",
        &json!({"M": {}}),
    );
    assert_eq!(
        list(&own, &credential).expect(401).header("x"),
        None::<&str>
    );
    let read = own.get(&path).bearer(&token).send().expect(200).json();
    assert_eq!(read["metadata"], Value::Object(serde_json::Map::new()));
}
