//! What `POST` and `PUT` take as a body.

use keygate_tests::call::Reply;
use keygate_tests::target::Target;
use serde_json::{Value, json};

use crate::items::{create, path_of};

keygate_tests::tests! { for Target:
    a_body_that_is_not_json_is_refused;
    a_body_of_another_media_type_is_refused;
    a_body_over_256_kib_is_refused_and_one_just_below_is_taken;
    a_wrong_missing_or_unknown_field_is_named;
    attributes_come_back_digit_by_digit;
}

/// What `POST /items` and `PUT /items/{id}` answer to a body.
fn answers(target: &Target, content_type: Option<&str>, body: &str) -> [Reply; 2] {
    let token = target.token();
    let path = path_of(&create(target, &token, "kept").json());
    let answers = [target.post("/items"), target.put(&path)].map(|call| {
        let mut call = call.bearer(&token);
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

fn attributes_come_back_digit_by_digit(target: &Target) {
    let token = target.token();
    for number in [
        "0.1",
        "-3.738638718011047e106",
        "1E15",
        "18446744073709551616",
        "0.1234567890123456789",
    ] {
        let attributes = format!(r#""attributes":{{"number": {number}}}"#);
        let call = target.post("/items").bearer(&token);
        let call = call.header("content-type", "application/json");
        let created = call.body(format!(r#"{{"name": "exact", {attributes}}}"#));
        let created = created.send().expect(201);
        assert!(created.body.contains(&attributes), "{created:?}");
        let read = target.get(&path_of(&created.json())).bearer(&token).send();
        assert_eq!(read.expect(200).body, created.body);
    }
}
