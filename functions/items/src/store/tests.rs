//! The table over the real DynamoDB protocol: what concurrent requests and late deletions do.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tokio::task::JoinSet;

use super::*;
use crate::rig::{Event, Rig};

fn create(name: &str, key: &str) -> Event {
    Event::new("POST", "/items")
        .header("idempotency-key", key)
        .json(&json!({"name": name}))
}

/// The ids of the items in the table.
async fn items(rig: &Rig) -> Vec<String> {
    let all = rig.contents().await;
    let sks = all
        .iter()
        .map(|attributes| attributes["sk"].as_s().unwrap());
    sks.filter_map(|sk| sk.strip_prefix("item#").map(ToOwned::to_owned))
        .collect()
}

/// The idempotency record in the table.
async fn record(rig: &Rig) -> HashMap<String, AttributeValue> {
    let mut all = rig.contents().await;
    all.retain(|attributes| attributes["sk"].as_s().unwrap().starts_with("idem#"));
    assert_eq!(all.len(), 1);
    all.remove(0)
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
    assert_eq!(items(&rig).await.len(), 1);
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
    assert_eq!(items(&rig).await.len(), 1);
}

#[tokio::test]
async fn an_idempotency_record_past_its_expiry_counts_as_absent_before_ttl_deletes_it() {
    let rig = Rig::start();
    let first = rig.answer(create("first", "key")).await;
    let mut old = record(&rig).await;
    old.insert("expires_at".into(), AttributeValue::N("1000".into()));
    rig.put(old).await;
    let second = rig.answer(create("second", "key")).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.body["id"], first.body["id"]);
    let again = rig.answer(create("second", "key")).await;
    assert_eq!(again.body, second.body);
    assert_eq!(items(&rig).await.len(), 2);
}

#[tokio::test]
async fn a_record_is_kept_for_a_day_and_holds_neither_the_key_nor_the_body() {
    let rig = Rig::start();
    rig.answer(create("private", "visible-key")).await;
    let record = record(&rig).await;
    let expires_at: u64 = record["expires_at"].as_n().unwrap().parse().unwrap();
    let ahead = expires_at - keygate_key_record::now();
    assert!((86_390..=86_400).contains(&ahead), "{ahead}");
    let shown = format!("{record:?}");
    assert!(
        !shown.contains("visible-key") && !shown.contains("private"),
        "{shown}"
    );
}

#[tokio::test]
async fn of_many_changes_to_one_version_one_takes_place() {
    let rig = Arc::new(Rig::start());
    let created = rig.answer(create("before", "key")).await;
    let path = format!("/items/{}", created.body["id"].as_str().unwrap());
    let mut requests = JoinSet::new();
    for number in 0..8 {
        let (rig, path) = (Arc::clone(&rig), path.clone());
        requests.spawn(async move {
            let event = Event::new("PUT", &path).header("if-match", "\"1\"");
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
async fn a_replacement_that_took_place_before_its_answer_was_lost_is_done() {
    let rig = Rig::start();
    let content = Content {
        name: "before".into(),
        description: None,
        attributes: None,
    };
    let item = rig.store.create("me", content.clone()).await.unwrap();
    let precondition = Precondition::default();
    let replaced = rig.store.replace("me", item.id, &content, &precondition);
    assert!(matches!(replaced.await.unwrap(), Written::Done(_)));
    let stored = rig.contents().await.remove(0);
    let write = stored["last_write"].as_s().unwrap();
    let found = rig.store.why_not_replaced("me", item.id, write).await;
    assert!(matches!(found.unwrap(), Written::Done(item) if item.version == 2));
    let other = rig.store.why_not_replaced("me", item.id, "another").await;
    assert_eq!(other.unwrap(), Written::Stale);
}

#[tokio::test]
async fn a_replacement_leaves_no_former_content_behind() {
    let rig = Rig::start();
    let full = json!({"name": "a", "description": "b", "attributes": {"c": [1.5, null]}});
    let created = rig.answer(Event::new("POST", "/items").json(&full)).await;
    assert_eq!(created.body["attributes"], full["attributes"]);
    let path = format!("/items/{}", created.body["id"].as_str().unwrap());
    let replaced = rig
        .answer(Event::new("PUT", &path).json(&json!({"name": "d"})))
        .await;
    assert_eq!(replaced.status, 200);
    assert_eq!(replaced.body["name"], "d");
    assert!(replaced.body.get("description").is_none());
    assert!(replaced.body.get("attributes").is_none());
    assert_eq!(replaced.body["created_at"], created.body["created_at"]);
    assert_eq!(
        rig.answer(Event::new("GET", &path)).await.body,
        replaced.body
    );
}
