//! What concurrent requests, repeated ones, lost answers and late deletions do.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;

use crate::rig::{Event, Rig, ask};

fn create(name: &str, key: &str) -> Event {
    ask("POST", "/items")
        .header("idempotency-key", key)
        .json(&json!({"name": name}))
}

/// How many items the table holds.
async fn items(rig: &Rig) -> usize {
    let rows = rig.contents().await;
    let sks = rows.iter().map(|row| row["sk"].as_s().unwrap());
    sks.filter(|sk| sk.starts_with("item#")).count()
}

/// The row of the idempotency key.
async fn record(rig: &Rig) -> HashMap<String, AttributeValue> {
    let mut rows = rig.contents().await;
    rows.retain(|row| row["sk"].as_s().unwrap().starts_with("idem#"));
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[tokio::test]
async fn many_requests_with_one_idempotency_key_make_one_item() {
    let rig = Arc::new(Rig::start());
    let mut requests = JoinSet::new();
    for _ in 0..16 {
        let rig = Arc::clone(&rig);
        requests.spawn(async move { rig.answer(create("once", "key")).await });
    }
    let replies = requests.join_all().await;
    let made: BTreeSet<String> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| reply.body.to_string())
        .collect();
    assert_eq!(made.len(), 1, "{replies:?}");
    assert!(
        replies
            .iter()
            .all(|reply| [201, 409].contains(&reply.status))
    );
    assert_eq!(items(&rig).await, 1);
}

#[tokio::test]
async fn of_two_bodies_under_one_idempotency_key_one_is_made() {
    let rig = Arc::new(Rig::start());
    let mut requests = JoinSet::new();
    for name in ["one", "other"] {
        let rig = Arc::clone(&rig);
        requests.spawn(async move { rig.answer(create(name, "key")).await.status });
    }
    let statuses: BTreeSet<u16> = requests.join_all().await.into_iter().collect();
    assert_eq!(statuses, BTreeSet::from([201, 422]));
    assert_eq!(items(&rig).await, 1);
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_whatever_became_of_the_item() {
    let rig = Rig::start();
    let first = rig.answer(create("first", "key")).await;
    let change = ask("PUT", &first.path()).json(&json!({"name": "changed"}));
    assert_eq!(rig.answer(change).await.status, 200);
    let again = rig.answer(create("first", "key")).await;
    assert_eq!(again.status, 201);
    assert_eq!(
        (&again.text, &again.etag, &again.location),
        (&first.text, &first.etag, &first.location)
    );
    let gone = rig.answer(ask("DELETE", &first.path())).await;
    assert_eq!(gone.status, 204);
    assert_eq!(rig.answer(create("first", "key")).await.text, first.text);
    assert_eq!(items(&rig).await, 0);
}

#[tokio::test]
async fn an_idempotency_key_with_any_other_content_is_reused() {
    let rig = Rig::start();
    let send = |body| create("", "key").json(&body);
    let first = json!({"name": "a", "attributes": {}});
    assert_eq!(rig.answer(send(first.clone())).await.status, 201);
    for body in [
        json!({"name": "b", "attributes": {}}),
        json!({"name": "a"}),
        json!({"name": "a", "attributes": {"b": 1}}),
        json!({"name": "a", "attributes": {}, "description": ""}),
    ] {
        let reply = rig.answer(send(body.clone())).await;
        assert_eq!(reply.slug(), "idempotency-key-reused", "{body}");
    }
    assert_eq!(rig.answer(send(first)).await.status, 201);
}

#[tokio::test]
async fn an_idempotency_key_past_its_expiry_counts_as_absent_before_ttl_deletes_it() {
    let rig = Rig::start();
    let first = rig.answer(create("first", "key")).await;
    let mut old = record(&rig).await;
    let expires_at: i64 = old["expires_at"].as_n().unwrap().parse().unwrap();
    let ahead = expires_at - Timestamp::now().as_second();
    assert!((86_390..=86_400).contains(&ahead), "{ahead}");
    old.insert("expires_at".into(), AttributeValue::N("1000".into()));
    rig.put(old).await;
    let second = rig.answer(create("second", "key")).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.body["id"], first.body["id"]);
    let again = rig.answer(create("second", "key")).await;
    assert_eq!(again.body, second.body);
    assert_eq!(items(&rig).await, 2);
}

#[tokio::test]
async fn of_many_changes_to_one_version_one_takes_place() {
    let rig = Arc::new(Rig::start());
    let created = rig.answer(create("before", "key")).await;
    let mut requests = JoinSet::new();
    for number in 0..8 {
        let (rig, path, tag) = (Arc::clone(&rig), created.path(), created.etag.clone());
        requests.spawn(async move {
            let event = ask("PUT", &path).header("if-match", &tag);
            rig.answer(event.json(&json!({"name": format!("after {number}")})))
                .await
                .status
        });
    }
    let statuses = requests.join_all().await;
    let done = statuses.iter().filter(|status| **status == 200).count();
    let stale = statuses.iter().filter(|status| **status == 412).count();
    assert_eq!((done, stale), (1, 7), "{statuses:?}");
}

#[tokio::test]
async fn changes_that_name_no_version_all_take_place() {
    for (name, value) in [("if-match", "*"), ("if-none-match", "\"other\""), ("x", "")] {
        let rig = Arc::new(Rig::start());
        let path = rig.answer(create("before", "key")).await.path();
        let mut requests = JoinSet::new();
        for number in 0..8 {
            let (rig, path) = (Arc::clone(&rig), path.clone());
            requests.spawn(async move {
                let event = ask("PUT", &path).header(name, value);
                let body = json!({"name": format!("after {number}")});
                rig.answer(event.json(&body)).await.status
            });
        }
        assert_eq!(requests.join_all().await, [200; 8], "{name}: {value}");
    }
}

#[tokio::test]
async fn a_creation_whose_first_answer_was_lost_makes_one_item() {
    for (event, operation) in [
        (
            ask("POST", "/items").json(&json!({"name": "once"})),
            "PutItem",
        ),
        (create("once", "key"), "TransactWriteItems"),
    ] {
        let rig = Rig::start();
        rig.lose_the_answer_of(operation);
        let created = rig.answer(event).await;
        assert!(rig.has_lost());
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(items(&rig).await, 1);
        let read = rig.answer(ask("GET", &created.path())).await;
        assert_eq!((read.text, read.etag), (created.text, created.etag));
    }
}

#[tokio::test]
async fn a_change_whose_first_answer_was_lost_is_done_and_not_refused() {
    for condition in [None, Some("if-match")] {
        let rig = Rig::start();
        let created = rig.answer(create("before", "key")).await;
        let conditional = |event: Event, tag: &str| match condition {
            Some(name) => event.header(name, tag),
            None => event,
        };
        let put = ask("PUT", &created.path()).json(&json!({"name": "after"}));
        rig.lose_the_answer_of("PutItem");
        let replaced = rig.answer(conditional(put, &created.etag)).await;
        assert!(rig.has_lost());
        assert_eq!(replaced.status, 200, "{replaced:?}");
        let read = rig.answer(ask("GET", &created.path())).await;
        assert_eq!((read.text, &read.etag), (replaced.text, &replaced.etag));
        let delete = ask("DELETE", &created.path());
        rig.lose_the_answer_of("DeleteItem");
        let deleted = rig.answer(conditional(delete, &replaced.etag)).await;
        assert!(rig.has_lost());
        assert_eq!(deleted.status, 204, "{deleted:?}");
        assert_eq!(items(&rig).await, 0);
    }
}
