//! The resource `/items`: reading and writing, preconditions, and whose items they are.

use keygate_tests::call::Reply;
use keygate_tests::target::Target;
use serde_json::{Value, json};
use uuid::Uuid;

keygate_tests::tests! { for Target:
    an_item_that_was_created_can_be_read;
    a_replacement_changes_the_item_and_its_entity_tag;
    a_stale_if_match_is_refused_and_changes_nothing;
    an_if_match_that_is_no_entity_tag_is_refused;
    an_item_that_was_deleted_is_gone;
    a_stale_if_match_keeps_the_item_from_deletion;
    an_item_that_never_was_is_not_found;
    an_id_that_is_none_is_not_found;
    an_encoded_slash_in_an_id_stays_in_the_id needs "encoded-slash";
    a_caller_sees_only_their_own_items;
}

/// Creates an item with this name, and answers with the whole reply.
#[track_caller]
pub(crate) fn create(target: &Target, token: &str, name: &str) -> Reply {
    let call = target.post("/items").bearer(token);
    call.json(&json!({"name": name})).send().expect(201)
}

/// The path of an item, from its representation.
#[track_caller]
pub(crate) fn path_of(item: &Value) -> String {
    format!("/items/{}", item["id"].as_str().unwrap())
}

fn an_item_that_was_created_can_be_read(target: &Target) {
    let token = target.token();
    let body = json!({
        "name": "first", "description": "é ü 漢", "attributes": {"size": 7, "tags": ["a", null]},
    });
    let created = target.post("/items").bearer(&token).json(&body).send();
    let created = created.expect(201);
    let item = created.json();
    let path = path_of(&item);
    let location = created.must_header("location");
    assert!(location.ends_with(&path), "{location} is not {path}");
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(item[field], *value, "{field}");
    }
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json(), item);
    assert_eq!(read.must_header("etag"), created.must_header("etag"));
    let media_type = read.must_header("content-type");
    assert!(media_type.starts_with("application/json"), "{media_type}");
}

fn a_replacement_changes_the_item_and_its_entity_tag(target: &Target) {
    let token = target.token();
    let created = create(target, &token, "before");
    let path = path_of(&created.json());
    let replaced = target
        .put(&path)
        .bearer(&token)
        .header("if-match", created.must_header("etag"))
        .json(&json!({"name": "after"}))
        .send()
        .expect(200);
    assert_eq!(replaced.json()["name"], "after");
    assert_ne!(replaced.must_header("etag"), created.must_header("etag"));
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json(), replaced.json());
    assert_eq!(read.must_header("etag"), replaced.must_header("etag"));
    // Without a condition the last writer wins.
    let call = target.put(&path).bearer(&token);
    call.json(&json!({"name": "last"})).send().expect(200);
}

fn a_stale_if_match_is_refused_and_changes_nothing(target: &Target) {
    let token = target.token();
    let created = create(target, &token, "before");
    let path = path_of(&created.json());
    let replace = |name: &str| {
        let call = target.put(&path).bearer(&token);
        let call = call.header("if-match", created.must_header("etag"));
        call.json(&json!({"name": name})).send()
    };
    replace("after").expect(200);
    replace("too late").problem(412, "precondition-failed");
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json()["name"], "after");
}

fn an_if_match_that_is_no_entity_tag_is_refused(target: &Target) {
    let token = target.token();
    let path = path_of(&create(target, &token, "kept").json());
    for value in ["1", "\"1"] {
        let call = target.put(&path).bearer(&token).header("if-match", value);
        let reply = call.json(&json!({"name": "changed"})).send();
        reply.problem(400, "bad-request");
    }
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json()["name"], "kept");
}

fn an_item_that_was_deleted_is_gone(target: &Target) {
    let token = target.token();
    let created = create(target, &token, "short-lived");
    let path = path_of(&created.json());
    let call = target.delete(&path).bearer(&token);
    let deleted = call
        .header("if-match", created.must_header("etag"))
        .send()
        .expect(204);
    assert_eq!(deleted.body, "");
    let read = target.get(&path).bearer(&token).send();
    read.problem(404, "not-found");
    let deleted = target.delete(&path).bearer(&token).send();
    deleted.problem(404, "not-found");
    let call = target.put(&path).bearer(&token);
    let replaced = call.json(&json!({"name": "again"})).send();
    replaced.problem(404, "not-found");
}

fn a_stale_if_match_keeps_the_item_from_deletion(target: &Target) {
    let token = target.token();
    let created = create(target, &token, "before");
    let path = path_of(&created.json());
    let call = target.put(&path).bearer(&token);
    call.json(&json!({"name": "after"})).send().expect(200);
    let call = target.delete(&path).bearer(&token);
    let deleted = call.header("if-match", created.must_header("etag")).send();
    deleted.problem(412, "precondition-failed");
    target.get(&path).bearer(&token).send().expect(200);
}

fn an_item_that_never_was_is_not_found(target: &Target) {
    let token = target.token();
    let path = format!("/items/{}", Uuid::now_v7());
    let read = target.get(&path).bearer(&token).send();
    read.problem(404, "not-found");
    let deleted = target.delete(&path).bearer(&token).send();
    deleted.problem(404, "not-found");
    let call = target.put(&path).bearer(&token);
    let replaced = call.json(&json!({"name": "created"})).send();
    replaced.problem(404, "not-found");
}

fn an_id_that_is_none_is_not_found(target: &Target) {
    let token = target.token();
    for id in ["7", "item%23", "%F0%9F%94%91"] {
        let path = format!("/items/{id}");
        let read = target.get(&path).bearer(&token).send();
        read.problem(404, "not-found");
    }
}

fn an_encoded_slash_in_an_id_stays_in_the_id(target: &Target) {
    let token = target.token();
    let item = create(target, &token, "guarded").json();
    let path = path_of(&item);
    for suffix in ["%2F", "%2Frotate", "%2f..%2f"] {
        let read = target.get(&format!("{path}{suffix}")).bearer(&token).send();
        read.problem(404, "not-found");
        let deleted = target.delete(&format!("{path}{suffix}")).bearer(&token);
        deleted.send().problem(404, "not-found");
    }
    target.get(&path).bearer(&token).send().expect(200);
}

fn a_caller_sees_only_their_own_items(target: &Target) {
    let (owner, other) = (target.token(), target.token());
    let path = path_of(&create(target, &owner, "private").json());
    let read = target.get(&path).bearer(&other).send();
    read.problem(404, "not-found");
    let call = target.put(&path).bearer(&other);
    let replaced = call.json(&json!({"name": "taken"})).send();
    replaced.problem(404, "not-found");
    let deleted = target.delete(&path).bearer(&other).send();
    deleted.problem(404, "not-found");
    let list = target.get("/items").bearer(&other).send().expect(200);
    assert_eq!(list.json()["items"], json!([]));
    let read = target.get(&path).bearer(&owner).send().expect(200);
    assert_eq!(read.json()["name"], "private");
}
