//! The resource `/keys`: issuing, reading, rotating and revoking API keys.

use keygate_tests::call::Reply;
use keygate_tests::event::Event;
use keygate_tests::keygate::free_port;
use keygate_tests::target::Target;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys_function::KeysFunction;

keygate_tests::tests! { for Target:
    a_key_is_shown_once_when_it_is_issued;
    a_callers_keys_are_listed_in_pages;
    a_key_cannot_have_scopes_that_its_issuer_lacks;
    a_key_that_cannot_be_issued_is_refused_with_each_field_named;
    a_body_that_is_no_json_issues_no_key;
    each_request_for_a_key_makes_one;
    a_rotation_gives_another_secret_to_the_same_key;
    a_rotation_that_cannot_be_is_refused;
    a_key_of_wider_scopes_than_its_callers_is_not_rotated;
    a_revoked_key_is_kept_as_revoked_and_never_rotated;
    a_key_that_never_was_is_not_found;
    a_caller_sees_only_their_own_keys;
    keys_need_their_own_scope;
    the_function_itself_holds_its_callers_to_the_scope needs "own-gateway";
    a_table_that_does_not_answer_is_service_unavailable_with_retry_after needs "own-gateway";
}

/// Issues a key with these scopes, and answers with the whole reply.
#[track_caller]
pub(crate) fn issue(target: &Target, token: &str, scopes: &[&str]) -> Reply {
    let call = target.post("/keys").bearer(token);
    call.json(&json!({"name": "a test's", "scopes": scopes}))
        .send()
        .expect(201)
}

/// A text member of a representation.
#[track_caller]
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    match value[member].as_str() {
        Some(text) => text,
        None => panic!("no {member} in {value}"),
    }
}

fn sorted(scopes: &Value) -> Vec<&str> {
    let scopes = scopes.as_array().expect("scopes is a list").iter();
    let mut scopes: Vec<&str> = scopes.map(|scope| scope.as_str().unwrap()).collect();
    scopes.sort_unstable();
    scopes
}

fn a_key_is_shown_once_when_it_is_issued(target: &Target) {
    let token = target.token();
    let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let body = json!({
        "name": "é", "scopes": ["books:write", "books:read"], "expires_at": tomorrow.to_string(),
        "usage_plan": "standard",
    });
    let issued = target.post("/keys").bearer(&token).json(&body).send();
    let issued = issued.expect(201);
    assert_eq!(issued.header("cache-control"), Some("no-store"));
    let key = issued.json();
    let (id, whole) = (text(&key, "id"), text(&key, "key"));
    assert!(whole.starts_with(&format!("kg_{id}_")), "not a key's form");
    let path = format!("/keys/{id}");
    assert!(issued.must_header("location").ends_with(&path));
    assert_eq!(key["name"], "é");
    assert_eq!(key["status"], "active");
    assert_eq!(key["usage_plan"], "standard");
    assert_eq!(sorted(&key["scopes"]), ["books:read", "books:write"]);

    let secret = whole.rsplit('_').next().unwrap();
    for path in [path.as_str(), "/keys"] {
        let read = target.get(path).bearer(&token).send().expect(200);
        assert!(read.body.contains(id), "the key is not there");
        assert!(!read.body.contains(secret), "the key is shown again");
        assert!(!read.body.contains("sha256"), "{read:#?}");
    }
    let mut read = target.get(&path).bearer(&token).send().expect(200).json();
    read["key"] = json!(whole);
    assert_eq!(read, key);
}

fn a_callers_keys_are_listed_in_pages(target: &Target) {
    let token = target.token();
    let mut issued: Vec<String> = (0..3)
        .map(|_| text(&issue(target, &token, &["books:read"]).json(), "id").to_owned())
        .collect();
    let mut listed = Vec::new();
    let mut path = "/keys?limit=2".to_owned();
    for page in 0.. {
        assert!(page < 3, "the list does not end");
        let list = target.get(&path).bearer(&token).send().expect(200).json();
        let keys = list["items"].as_array().unwrap();
        assert!(keys.len() <= 2, "{list}");
        listed.extend(keys.iter().map(|key| text(key, "id").to_owned()));
        match list["next_cursor"].as_str() {
            Some(cursor) => path = format!("/keys?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    issued.sort();
    listed.sort();
    assert_eq!(listed, issued);
    // A cursor of another form, and base64url of {} and of ["x",1].
    for query in [
        "limit=0",
        "limit=101",
        "cursor=nonsense",
        "cursor=e30",
        "cursor=WyJ4IiwxXQ",
    ] {
        let list = target.get(&format!("/keys?{query}")).bearer(&token).send();
        list.problem(400, "bad-request");
    }
}

fn a_key_cannot_have_scopes_that_its_issuer_lacks(target: &Target) {
    let token = target.token_with(&[("scope", "keys:admin books:read")]);
    for scopes in [
        json!(["books:write"]),
        json!(["books:read", "something:else"]),
    ] {
        let call = target.post("/keys").bearer(&token);
        let refused = call.json(&json!({"name": "wide", "scopes": scopes})).send();
        refused.problem(403, "insufficient-scope");
    }
    issue(target, &token, &["books:read"]);
    let list = target.get("/keys").bearer(&token).send().expect(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
}

fn a_key_that_cannot_be_issued_is_refused_with_each_field_named(target: &Target) {
    let token = target.token();
    let scopes = json!(["books:read"]);
    for (body, field) in [
        (json!({"scopes": scopes}), "name"),
        (json!({"name": "x"}), "scopes"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": "books:read"}), "scopes"),
        (json!({"name": "x", "scopes": ["two words"]}), "scopes"),
        (json!({"name": "x".repeat(129), "scopes": scopes}), "name"),
        (
            json!({"name": "x", "scopes": scopes, "expires_at": "2001-01-01T00:00:00Z"}),
            "expires_at",
        ),
        (
            json!({"name": "x", "scopes": scopes, "expires_at": "soon"}),
            "expires_at",
        ),
        (
            json!({"name": "x", "scopes": scopes, "usage_plan": "none"}),
            "usage_plan",
        ),
        (
            // The template's authorizer gets TOKEN events, unless it is told otherwise.
            json!({"name": "x", "scopes": scopes, "allowed_cidrs": ["0.0.0.0/0", "::/0"]}),
            "allowed_cidrs",
        ),
        (
            json!({"name": "x", "scopes": scopes, "owner": "somebody"}),
            "owner",
        ),
    ] {
        let refused = target.post("/keys").bearer(&token).json(&body).send();
        let problem = refused.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    }
    let list = target.get("/keys").bearer(&token).send().expect(200);
    assert_eq!(list.json()["items"], json!([]));
}

fn a_body_that_is_no_json_issues_no_key(target: &Target) {
    let token = target.token();
    let call = target.post("/keys").bearer(&token).body("{\"name\":");
    let refused = call.header("content-type", "application/json").send();
    refused.problem(400, "bad-request");
    let call = target.post("/keys").bearer(&token).body("{}");
    let refused = call.header("content-type", "text/plain").send();
    refused.problem(415, "unsupported-media-type");
}

fn each_request_for_a_key_makes_one(target: &Target) {
    let token = target.token();
    let issue = || {
        let call = target.post("/keys").bearer(&token);
        let call = call.header("idempotency-key", "one");
        let call = call.json(&json!({"name": "twice", "scopes": ["books:read"]}));
        text(&call.send().expect(201).json(), "id").to_owned()
    };
    // Whatever a client calls its request: one whose answer was lost is in the list.
    assert_ne!(issue(), issue());
    let list = target.get("/keys").bearer(&token).send().expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2, "{list}");
}

fn a_rotation_gives_another_secret_to_the_same_key(target: &Target) {
    let token = target.token();
    let before = issue(target, &token, &["books:read"]).json();
    let path = format!("/keys/{}/rotate", text(&before, "id"));
    let call = target.post(&path).bearer(&token);
    let rotated = call.json(&json!({"grace_seconds": 60})).send().expect(200);
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let after = rotated.json();
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["scopes"], before["scopes"]);
    assert_ne!(after["key"], before["key"]);
    text(&after, "previous_until");
    // A body is not needed.
    let again = target.post(&path).bearer(&token).send().expect(200).json();
    assert_ne!(again["key"], after["key"]);
}

fn a_rotation_that_cannot_be_is_refused(target: &Target) {
    let token = target.token();
    let key = issue(target, &token, &["books:read"]).json();
    let path = format!("/keys/{}/rotate", text(&key, "id"));
    for body in [
        json!({"grace_seconds": -1}),
        json!({"grace_seconds": "60"}),
        json!({"grace_seconds": 100_000_000}),
        json!({"grace": 60}),
    ] {
        let refused = target.post(&path).bearer(&token).json(&body).send();
        refused.problem(422, "invalid-body");
    }
}

fn a_key_of_wider_scopes_than_its_callers_is_not_rotated(target: &Target) {
    let client = Uuid::new_v4().to_string();
    let token = |scope| target.token_with(&[("client_id", &client), ("scope", scope)]);
    let (wide, narrow) = (
        token("keys:admin books:read books:write"),
        token("keys:admin books:read"),
    );
    let key = issue(target, &wide, &["books:write"]).json();
    let path = format!("/keys/{}/rotate", text(&key, "id"));
    // The new secret would open more than the caller may.
    let refused = target.post(&path).bearer(&narrow).send();
    refused.problem(403, "insufficient-scope");
    // And the old one is as good as before.
    let call = target.post("/books").bearer(text(&key, "key"));
    call.send().expect(200);
    target.post(&path).bearer(&wide).send().expect(200);
}

fn a_revoked_key_is_kept_as_revoked_and_never_rotated(target: &Target) {
    let token = target.token();
    let key = issue(target, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    let revoked = target.delete(&path).bearer(&token).send().expect(204);
    assert_eq!(revoked.body, "");
    let read = target.get(&path).bearer(&token).send().expect(200);
    assert_eq!(read.json()["status"], "revoked");
    let rotated = target.post(&format!("{path}/rotate")).bearer(&token).send();
    rotated.problem(409, "conflict");
}

fn a_key_that_never_was_is_not_found(target: &Target) {
    let token = target.token();
    for id in ["000000000000", "x", "key%23000000000000", "%F0%9F%94%91"] {
        let path = format!("/keys/{id}");
        let read = target.get(&path).bearer(&token).send();
        read.problem(404, "not-found");
        let revoked = target.delete(&path).bearer(&token).send();
        revoked.problem(404, "not-found");
        let rotated = target.post(&format!("{path}/rotate")).bearer(&token);
        rotated.send().problem(404, "not-found");
        let usage = target.get(&format!("{path}/usage")).bearer(&token);
        usage.send().problem(404, "not-found");
    }
}

fn a_caller_sees_only_their_own_keys(target: &Target) {
    let (owner, other) = (target.token(), target.token());
    let key = issue(target, &owner, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    let read = target.get(&path).bearer(&other).send();
    read.problem(404, "not-found");
    let revoked = target.delete(&path).bearer(&other).send();
    revoked.problem(404, "not-found");
    let rotated = target.post(&format!("{path}/rotate")).bearer(&other);
    rotated.send().problem(404, "not-found");
    let usage = target.get(&format!("{path}/usage")).bearer(&other);
    usage.send().problem(404, "not-found");
    let list = target.get("/keys").bearer(&other).send().expect(200);
    assert_eq!(list.json()["items"], json!([]));
    let read = target.get(&path).bearer(&owner).send().expect(200);
    assert_eq!(read.json()["status"], "active");
}

fn keys_need_their_own_scope(target: &Target) {
    let token = target.token_with(&[("scope", "books:read books:write")]);
    let call = target.post("/keys").bearer(&token);
    let refused = call.json(&json!({"name": "x", "scopes": ["books:read"]}));
    refused.send().gateway_problem(403, "insufficient-scope");
}

/// A request to each route.
fn each_route() -> [Event; 6] {
    let path = "/keys/0123456789ab";
    let body = json!({"name": "a", "scopes": ["books:read"]});
    [
        Event::new("GET", "/keys"),
        Event::new("POST", "/keys").json(&body),
        Event::new("GET", path),
        Event::new("DELETE", path),
        Event::new("POST", &format!("{path}/rotate")),
        Event::new("GET", &format!("{path}/usage")),
    ]
}

fn the_function_itself_holds_its_callers_to_the_scope(target: &Target) {
    let keys = KeysFunction::start(target);
    for event in each_route() {
        let event = event.by("me", "books:read books:write");
        keys.answer(event).problem("insufficient-scope");
    }
}

fn a_table_that_does_not_answer_is_service_unavailable_with_retry_after(target: &Target) {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let settings = [("AWS_ENDPOINT_URL_DYNAMODB", nowhere.as_str())];
    let keys = KeysFunction::with(target, &settings);
    for event in each_route() {
        keys.answer(event).problem("service-unavailable");
    }
}
