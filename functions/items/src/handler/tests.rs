//! Requests as API Gateway passes them on, against the table over the real DynamoDB protocol.

use serde_json::json;

use crate::rig::{Event, PUBLIC_URL, Reply, Rig};

async fn create(rig: &Rig, name: &str) -> Reply {
    let reply = rig
        .answer(Event::new("POST", "/items").json(&json!({"name": name})))
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply
}

fn path_of(reply: &Reply) -> String {
    format!("/items/{}", reply.body["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_created_item_is_where_location_says_with_its_entity_tag() {
    let rig = Rig::start();
    let created = create(&rig, "first").await;
    let path = path_of(&created);
    assert_eq!(created.location, Some(format!("{PUBLIC_URL}{path}")));
    let read = rig.answer(Event::new("GET", &path)).await;
    assert_eq!(read.body, created.body);
    assert_eq!(read.etag.as_deref(), Some("\"1\""));
    assert_eq!(read.etag, created.etag);
}

#[tokio::test]
async fn a_reader_that_has_the_version_is_told_so_without_a_body() {
    let rig = Rig::start();
    let path = path_of(&create(&rig, "first").await);
    let known = Event::new("GET", &path).header("if-none-match", "W/\"1\"");
    let reply = rig.answer(known).await;
    assert_eq!(reply.status, 304);
    assert_eq!(reply.etag.as_deref(), Some("\"1\""));
    assert!(reply.body.is_null());
    let stale = Event::new("GET", &path).header("if-none-match", "\"2\"");
    assert_eq!(rig.answer(stale).await.status, 200);
}

#[tokio::test]
async fn a_reader_can_ask_for_one_version_and_no_other() {
    let rig = Rig::start();
    let path = path_of(&create(&rig, "first").await);
    for (tag, status) in [
        ("\"1\"", 200),
        ("*", 200),
        ("\"2\"", 412),
        ("W/\"1\"", 412),
        ("x", 400),
    ] {
        let read = Event::new("GET", &path).header("if-match", tag);
        assert_eq!(rig.answer(read).await.status, status, "{tag}");
    }
}

#[tokio::test]
async fn a_write_takes_place_only_on_a_version_that_its_conditions_allow() {
    let rig = Rig::start();
    let path = path_of(&create(&rig, "first").await);
    for (name, value, status) in [
        ("if-match", "W/\"1\"", 412),
        ("if-match", "\"2\", \"other\"", 412),
        ("if-match", "\"01\"", 412),
        ("if-match", "", 400),
        ("if-match", "1", 400),
        ("if-match", "\u{e9}", 400),
        ("if-none-match", "*", 412),
        ("if-none-match", "W/\"1\"", 412),
    ] {
        for method in ["PUT", "DELETE"] {
            let event = Event::new(method, &path).header(name, value);
            let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
            assert_eq!(reply.status, status, "{method} {name}: {value}");
        }
    }
    assert_eq!(
        rig.answer(Event::new("GET", &path)).await.body["name"],
        "first"
    );
    for (name, value) in [
        ("if-match", "*"),
        ("if-match", "\"7\", \"2\""),
        ("if-none-match", "\"2\""),
    ] {
        let event = Event::new("PUT", &path).header(name, value);
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.status, 200, "{name}: {value}");
    }
    let event = Event::new("DELETE", &path).header("if-match", "\"4\"");
    assert_eq!(rig.answer(event).await.status, 204);
    let event = Event::new("DELETE", &path).header("if-match", "*");
    assert_eq!(rig.answer(event).await.status, 404);
}

#[tokio::test]
async fn the_last_page_says_that_it_is_the_last_also_when_it_is_full() {
    let rig = Rig::start();
    let mut created = Vec::new();
    for number in 0..6 {
        created.push(create(&rig, &format!("item {number}")).await.body);
    }
    // Its record is in the same partition and in no page.
    let keyed = Event::new("POST", "/items").header("idempotency-key", "one");
    created.push(
        rig.answer(keyed.json(&json!({"name": "item 6"})))
            .await
            .body,
    );
    let first = rig.answer(Event::new("GET", "/items?limit=4")).await.body;
    assert_eq!(first["items"], json!(created[..4]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = format!("/items?limit=3&cursor={cursor}");
    let last = rig.answer(Event::new("GET", &next)).await.body;
    assert_eq!(last["items"], json!(created[4..]));
    assert!(last["next_cursor"].is_null());
    let other = rig.answer(Event::new("GET", &next).by("other", "items:read"));
    assert_eq!(other.await.body["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_id_or_somebody_elses_is_not_found() {
    let rig = Rig::start();
    let created = create(&rig, "mine").await;
    let path = path_of(&created);
    let elsewhere = [
        path.to_uppercase().replace("/ITEMS/", "/items/"),
        path.replace('-', ""),
        "/items/idem#0".to_owned(),
        "/items/%2e%2e".to_owned(),
    ];
    for path in elsewhere {
        for method in ["GET", "PUT", "DELETE"] {
            let event = Event::new(method, &path).json(&json!({"name": "changed"}));
            assert_eq!(
                rig.answer(event).await.slug(),
                "not-found",
                "{method} {path}"
            );
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let event = Event::new(method, &path).by("other", "items:read items:write");
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.slug(), "not-found", "{method}");
    }
    assert_eq!(
        rig.answer(Event::new("GET", &path)).await.body,
        created.body
    );
}

#[tokio::test]
async fn a_caller_without_the_routes_scope_is_refused_behind_the_gateway_too() {
    let rig = Rig::start();
    let path = path_of(&create(&rig, "kept").await);
    for (method, path, scopes) in [
        ("GET", "/items", "items:write"),
        ("POST", "/items", "items:read"),
        ("GET", path.as_str(), "items:write"),
        ("PUT", path.as_str(), "items:read"),
        ("DELETE", path.as_str(), "items:read"),
    ] {
        let event = Event::new(method, path).by("me", scopes);
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.slug(), "insufficient-scope", "{method} {path}");
    }
    let nobody = Event::new("GET", "/items").by("", "items:read");
    assert_eq!(rig.answer(nobody).await.status, 500);
}

#[tokio::test]
async fn numbers_that_outgrow_the_table_when_written_out_are_refused_by_name() {
    let rig = Rig::start();
    // Five bytes each in the body, eighteen in the table.
    let numbers = vec!["1e15"; 40_000].join(",");
    let body = format!(r#"{{"name": "big", "attributes": {{"n": [{numbers}]}}}}"#);
    let event = Event::new("POST", "/items").text(&body);
    let reply = rig.answer(event).await;
    assert_eq!(reply.slug(), "invalid-body");
    assert_eq!(reply.body["errors"][0]["field"], "attributes");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_service_unavailable_with_retry_after() {
    let rig = Rig::without_table();
    let path = "/items/0190a8e5-7b5c-7000-8000-000000000000";
    let keyed = Event::new("POST", "/items").header("idempotency-key", "one");
    for event in [
        Event::new("GET", "/items"),
        Event::new("POST", "/items").json(&json!({"name": "first"})),
        keyed.json(&json!({"name": "first"})),
        Event::new("GET", path),
        Event::new("PUT", path).json(&json!({"name": "first"})),
        Event::new("DELETE", path),
    ] {
        let reply = rig.answer(event).await;
        assert_eq!(reply.slug(), "service-unavailable");
        let problem = reply.problem.unwrap();
        assert_eq!(problem.headers[0].0, "retry-after");
        assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
    }
}
