//! What `POST` and `PUT` take as a body, and `Idempotency-Key`.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::Reply;
use crate::items::{create, path_of};
use crate::target::Target;

keygate_tests::tests! { for Target:
    a_body_that_is_not_json_is_refused;
    a_body_of_another_media_type_is_refused;
    a_body_over_256_kib_is_refused_and_one_just_below_is_taken;
    a_wrong_missing_or_unknown_field_is_named;
    a_number_is_kept_or_refused_but_never_altered;
    an_idempotency_key_sent_again_with_the_same_body_gives_the_same_item;
    an_idempotency_key_sent_again_with_another_body_is_refused;
    an_idempotency_key_belongs_to_its_caller;
    an_idempotency_key_that_is_none_is_refused;
}

/// What `POST /items` and `PUT /items/{id}` answer to a body.
fn answers(target: &Target, content_type: Option<&str>, body: &str) -> [Reply; 2] {
    let token = target.token();
    let path = path_of(&create(target, &token, "kept").json());
    let answers = [(Method::POST, "/items"), (Method::PUT, &path)].map(|(method, path)| {
        let mut call = target.call(method, path).bearer(&token);
        if let Some(content_type) = content_type {
            call = call.header("content-type", content_type);
        }
        call.body(body.to_owned()).send()
    });
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json()["name"], "kept");
    answers
}

fn a_body_that_is_not_json_is_refused(target: &Target) {
    for body in [
        "{\"name\": ",
        "name=first",
        "{\"name\": \"a\"} x",
        "",
        // What two readers would take for two things.
        "{\"name\": \"a\", \"name\": \"b\"}",
        "{\"name\": \"a\", \"attributes\": {\"b\": [{\"c\": 1, \"c\": 2}]}}",
    ] {
        for reply in answers(target, Some("application/json"), body) {
            reply.problem(400, "bad-request");
        }
    }
}

fn a_body_of_another_media_type_is_refused(target: &Target) {
    for content_type in [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        None,
    ] {
        for reply in answers(target, content_type, r#"{"name": "first"}"#) {
            reply.problem(415, "unsupported-media-type");
        }
    }
}

fn a_body_over_256_kib_is_refused_and_one_just_below_is_taken(target: &Target) {
    let token = target.token();
    let send = |bytes: usize| {
        let empty = json!({"name": "large", "attributes": {"a": ""}}).to_string();
        let filler = "x".repeat(bytes - empty.len());
        let call = target.post("/items").bearer(&token);
        call.json(&json!({"name": "large", "attributes": {"a": filler}}))
            .send()
    };
    send(256 * 1024 + 1).problem(413, "payload-too-large");
    let item = send(256 * 1024).expect(201).json();
    let read = target.get(&path_of(&item)).bearer(&token).send();
    assert_eq!(read.expect(200).json(), item);
}

/// The fields that a refusal names.
fn named(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors is a list");
    errors
        .iter()
        .map(|error| {
            assert!(error["detail"].is_string(), "{problem}");
            error["field"].as_str().expect("a field is named")
        })
        .collect()
}

fn a_wrong_missing_or_unknown_field_is_named(target: &Target) {
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({"name": 7}), vec!["name"]),
        (json!({"name": ""}), vec!["name"]),
        (json!({"name": "a", "description": []}), vec!["description"]),
        (json!({"name": "a", "attributes": "b"}), vec!["attributes"]),
        (json!({"name": "a", "colour": "red"}), vec!["colour"]),
        (json!({"nam": "a"}), vec!["name", "nam"]),
        (json!(["name"]), vec![""]),
    ] {
        for reply in answers(target, Some("application/json"), &body.to_string()) {
            let problem = reply.problem(422, "invalid-body");
            assert_eq!(named(&problem), fields, "{body}");
        }
    }
}

/// Creates an item under an idempotency key.
fn create_under(target: &Target, token: &str, key: &str, body: &Value) -> Reply {
    let call = target.post("/items").bearer(token).json(body);
    call.header("idempotency-key", key).send()
}

fn a_number_is_kept_or_refused_but_never_altered(target: &Target) {
    let token = target.token();
    let send = |number: &str| {
        let body = format!(r#"{{"name": "numbers", "attributes": {{"number": {number}}}}}"#);
        let call = target.post("/items").bearer(&token);
        let call = call.header("content-type", "application/json");
        call.body(body).send()
    };
    for number in [
        "0.1",
        "-3.738638718011047e106",
        "18446744073709551615",
        "5e-324",
    ] {
        let kept = send(number).expect(201).json();
        let expected: f64 = number.parse().unwrap();
        assert_eq!(
            kept["attributes"]["number"].as_f64(),
            Some(expected),
            "{number}"
        );
    }
    for number in ["123456789012345678901234567890", "0.1234567890123456789"] {
        send(number).problem(422, "invalid-body");
    }
}

fn an_idempotency_key_sent_again_with_the_same_body_gives_the_same_item(target: &Target) {
    let (token, key) = (target.token(), Uuid::new_v4().to_string());
    let body = json!({"name": "once", "description": "only"});
    let first = create_under(target, &token, &key, &body).expect(201);
    let again = create_under(target, &token, &key, &body).expect(201);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.must_header("location"), first.must_header("location"));
    assert_eq!(again.must_header("etag"), first.must_header("etag"));
    let list = target.get("/items").bearer(&token).send().expect(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
}

fn an_idempotency_key_sent_again_with_another_body_is_refused(target: &Target) {
    let (token, key) = (target.token(), Uuid::new_v4().to_string());
    create_under(target, &token, &key, &json!({"name": "one"})).expect(201);
    let other = create_under(target, &token, &key, &json!({"name": "other"}));
    other.problem(422, "idempotency-key-reused");
    let list = target.get("/items").bearer(&token).send().expect(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
}

fn an_idempotency_key_belongs_to_its_caller(target: &Target) {
    let key = Uuid::new_v4().to_string();
    let one = create_under(target, &target.token(), &key, &json!({"name": "one"}));
    let other = create_under(target, &target.token(), &key, &json!({"name": "other"}));
    assert_ne!(one.expect(201).json()["id"], other.expect(201).json()["id"]);
}

fn an_idempotency_key_that_is_none_is_refused(target: &Target) {
    let token = target.token();
    for key in ["", "two words", &"x".repeat(256)] {
        let reply = create_under(target, &token, key, &json!({"name": "one"}));
        reply.problem(400, "bad-request");
    }
}
