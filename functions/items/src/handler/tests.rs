//! Requests as API Gateway passes them on, against the table over the real DynamoDB protocol.

mod races;

use serde_json::json;

use crate::rig::{PUBLIC_URL, Reply, Rig, ask};

async fn create(rig: &Rig, name: &str) -> Reply {
    let reply = rig
        .answer(ask("POST", "/items").json(&json!({"name": name})))
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply
}

#[tokio::test]
async fn a_created_item_is_where_location_says_with_its_entity_tag() {
    let rig = Rig::start();
    let created = create(&rig, "first").await;
    let path = created.path();
    assert_eq!(created.location, Some(format!("{PUBLIC_URL}{path}")));
    let read = rig.answer(ask("GET", &path)).await;
    assert_eq!(read.body, created.body);
    assert_eq!(read.etag, created.etag);
    assert_eq!(read.body["etag"], read.etag);
}

#[tokio::test]
async fn a_reader_that_has_the_version_is_told_so_without_a_body() {
    let rig = Rig::start();
    let created = create(&rig, "first").await;
    let read = |tags: &str| {
        let read = ask("GET", &created.path());
        rig.answer(read.header("if-none-match", tags))
    };
    for tags in [
        &created.etag,
        "*",
        &format!("\"other\", W/{}", created.etag),
    ] {
        let reply = read(tags).await;
        assert_eq!(reply.status, 304, "{tags}");
        assert_eq!(reply.etag, created.etag);
        assert_eq!(reply.text, "");
    }
    assert_eq!(read("\"other\"").await.status, 200);
    assert_eq!(read("other").await.status, 400);
}

#[tokio::test]
async fn a_reader_can_ask_for_one_version_and_no_other() {
    let rig = Rig::start();
    let created = create(&rig, "first").await;
    for (tag, status) in [
        (created.etag.as_str(), 200),
        ("*", 200),
        ("\"other\"", 412),
        (&format!("W/{}", created.etag), 412),
        ("x", 400),
    ] {
        let read = ask("GET", &created.path()).header("if-match", tag);
        assert_eq!(rig.answer(read).await.status, status, "{tag}");
    }
}

#[tokio::test]
async fn a_write_takes_place_only_on_a_version_that_its_conditions_allow() {
    let rig = Rig::start();
    let created = create(&rig, "first").await;
    let (path, tag) = (created.path(), created.etag);
    let weak = format!("W/{tag}");
    for (name, value, status) in [
        ("if-match", weak.as_str(), 412),
        ("if-match", "\"one\", \"other\"", 412),
        ("if-match", "", 400),
        ("if-match", tag.trim_matches('"'), 400),
        ("if-match", "\u{e9}", 400),
        ("if-none-match", "*", 412),
        ("if-none-match", &weak, 412),
        ("if-none-match", "one", 400),
    ] {
        for method in ["PUT", "DELETE"] {
            let event = ask(method, &path).header(name, value);
            let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
            assert_eq!(reply.status, status, "{method} {name}: {value}");
        }
    }
    let kept = rig.answer(ask("GET", &path)).await;
    assert_eq!((kept.body, kept.etag), (created.body, tag.clone()));
    let mut last = tag;
    for (name, value) in [
        ("if-match", "*"),
        ("if-match", "\"other\", LAST"),
        ("if-none-match", "\"other\""),
    ] {
        let event = ask("PUT", &path).header(name, &value.replace("LAST", &last));
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.status, 200, "{name}: {value}");
        assert_ne!(reply.etag, last);
        last = reply.etag;
    }
    let event = ask("DELETE", &path).header("if-match", &last);
    assert_eq!(rig.answer(event).await.status, 204);
    let event = ask("DELETE", &path).header("if-match", "*");
    assert_eq!(rig.answer(event).await.status, 404);
}

#[tokio::test]
async fn a_replacement_leaves_no_former_content_behind() {
    let rig = Rig::start();
    let full = json!({"name": "a", "description": "b", "attributes": {"c": [1.5, null]}});
    let created = rig.answer(ask("POST", "/items").json(&full)).await;
    assert_eq!(created.body["attributes"], full["attributes"]);
    let event = ask("PUT", &created.path()).json(&json!({"name": "d"}));
    let replaced = rig.answer(event).await;
    assert_eq!(replaced.status, 200);
    assert_eq!(replaced.body["name"], "d");
    assert!(replaced.body.get("description").is_none());
    assert!(replaced.body.get("attributes").is_none());
    assert_eq!(replaced.body["created_at"], created.body["created_at"]);
    let read = rig.answer(ask("GET", &created.path())).await;
    assert_eq!(read.body, replaced.body);
}

#[tokio::test]
async fn attributes_come_back_as_they_were_sent() {
    let rig = Rig::start();
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let attributes = format!(
        r#"{{"n": [1e15, -0, 0.1234567890123456789, 123456789012345678901234567890],
        "\u00e9": {deep}}}"#
    );
    let body = format!(r#"{{"attributes":   {attributes}, "name": "exact"}}"#);
    let created = rig.answer(ask("POST", "/items").text(&body)).await;
    assert!(created.text.contains(&attributes), "{created:?}");
    let read = rig.answer(ask("GET", &created.path())).await;
    assert_eq!(read.text, created.text);
    let listed = rig.answer(ask("GET", "/items")).await;
    assert!(listed.text.contains(&attributes), "{listed:?}");
}

#[tokio::test]
async fn the_last_page_says_that_it_is_the_last_also_when_it_is_full() {
    let rig = Rig::start();
    let mut created = Vec::new();
    for number in 0..6 {
        created.push(create(&rig, &format!("item {number}")).await.body);
    }
    // Its key's row is in the same partition and in no page.
    let keyed = ask("POST", "/items").header("idempotency-key", "one");
    created.push(
        rig.answer(keyed.json(&json!({"name": "item 6"})))
            .await
            .body,
    );
    let first = rig.answer(ask("GET", "/items?limit=4")).await.body;
    assert_eq!(first["items"], json!(created[..4]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = format!("/items?limit=3&cursor={cursor}");
    let last = rig.answer(ask("GET", &next)).await.body;
    assert_eq!(last["items"], json!(created[4..]));
    assert!(last["next_cursor"].is_null());
    let other = rig.answer(ask("GET", &next).by("other", "items:read"));
    assert_eq!(other.await.body["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_id_or_somebody_elses_is_not_found() {
    let rig = Rig::start();
    let created = create(&rig, "mine").await;
    let path = created.path();
    let elsewhere = [
        path.to_uppercase().replace("/ITEMS/", "/items/"),
        path.replace('-', ""),
        "/items/idem#0".to_owned(),
        "/items/%2e%2e".to_owned(),
    ];
    for path in elsewhere {
        for method in ["GET", "PUT", "DELETE"] {
            let event = ask(method, &path).json(&json!({"name": "changed"}));
            let reply = rig.answer(event).await;
            assert_eq!(reply.slug(), "not-found", "{method} {path}");
        }
    }
    for method in ["GET", "PUT", "DELETE"] {
        let event = ask(method, &path).by("other", "items:read items:write");
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.slug(), "not-found", "{method}");
    }
    let read = rig.answer(ask("GET", &path)).await;
    assert_eq!(read.body, created.body);
}

#[tokio::test]
async fn a_caller_without_the_routes_scope_is_refused_behind_the_gateway_too() {
    let rig = Rig::start();
    let path = create(&rig, "kept").await.path();
    for (method, path, scopes) in [
        ("GET", "/items", "items:write"),
        ("POST", "/items", "items:read"),
        ("GET", path.as_str(), "items:write"),
        ("PUT", path.as_str(), "items:read"),
        ("DELETE", path.as_str(), "items:read"),
    ] {
        let event = ask(method, path).by("me", scopes);
        let reply = rig.answer(event.json(&json!({"name": "changed"}))).await;
        assert_eq!(reply.slug(), "insufficient-scope", "{method} {path}");
    }
}

#[tokio::test]
async fn a_request_without_a_caller_is_a_fault_of_the_deployment() {
    let nobody = ask("GET", "/items").by("", "items:read");
    assert_eq!(Rig::start().answer(nobody).await.status, 500);
}

#[tokio::test]
async fn a_row_that_holds_no_item_is_a_fault_that_the_client_is_not_shown() {
    let rig = Rig::start();
    let path = create(&rig, "whole").await.path();
    let mut row = rig.contents().await.remove(0);
    row.insert("item".into(), row["etag"].clone());
    rig.put(row).await;
    for path in [path.as_str(), "/items"] {
        assert_eq!(rig.answer(ask("GET", path)).await.slug(), "internal-error");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_service_unavailable_with_retry_after() {
    let rig = Rig::without_table();
    let path = "/items/0190a8e5-7b5c-7000-8000-000000000000";
    let keyed = ask("POST", "/items").header("idempotency-key", "one");
    for event in [
        ask("GET", "/items"),
        ask("POST", "/items").json(&json!({"name": "first"})),
        keyed.json(&json!({"name": "first"})),
        ask("GET", path),
        ask("PUT", path).json(&json!({"name": "first"})),
        ask("DELETE", path),
    ] {
        let reply = rig.answer(event).await;
        assert_eq!(reply.slug(), "service-unavailable");
        let problem = reply.problem.unwrap();
        assert_eq!(problem.headers[0].0, "retry-after");
        assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
    }
}
