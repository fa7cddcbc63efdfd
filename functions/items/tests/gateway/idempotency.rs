//! `Idempotency-Key`.

use keygate_tests::call::Reply;
use keygate_tests::raw::ask;
use keygate_tests::target::Target;
use serde_json::{Value, json};
use uuid::Uuid;

keygate_tests::tests! { for Target:
    an_idempotency_key_sent_again_with_the_same_body_gives_the_same_item;
    an_idempotency_key_sent_again_with_another_body_is_refused;
    an_idempotency_key_belongs_to_its_caller;
    an_idempotency_key_that_is_none_is_refused;
    an_idempotency_key_counts_however_its_name_is_spelled needs "own-gateway";
}

/// Creates an item under an idempotency key.
fn create_under(target: &Target, token: &str, key: &str, body: &Value) -> Reply {
    let call = target.post("/items").bearer(token).json(body);
    call.header("idempotency-key", key).send()
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

fn an_idempotency_key_counts_however_its_name_is_spelled(target: &Target) {
    let (token, key) = (target.token(), Uuid::new_v4());
    let authorization = format!("AUTHORIZATION: Bearer {token}");
    let (_, stage) = target.url.rsplit_once('/').unwrap();
    let create = |name: &str| {
        let key = format!("{name}: {key}");
        let headers = [
            "Host: localhost",
            &authorization,
            "CONTENT-type: application/json",
            &key,
        ];
        let request_line = format!("POST /{stage}/items");
        let created = ask(&target.url, &request_line, &headers, r#"{"name": "once"}"#);
        assert_eq!(created.status, 201, "{created:#?}");
        created.json()["id"].clone()
    };
    let first = create("Idempotency-Key");
    assert_eq!(create("IDEMPOTENCY-KEY"), first);
    assert_eq!(create("idempotency-key"), first);
}
