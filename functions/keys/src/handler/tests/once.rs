//! `Idempotency-Key`: one key, however often the request comes.

use aws_sdk_dynamodb::types::AttributeValue;
use keygate_key_record::{SecretMatch, now};
use serde_json::{Value, json};

use super::{path_of, rotate};
use crate::rig::api_gateway::Fault;
use crate::rig::{ALL_SCOPES, Event, Reply, Rig};

fn body() -> Value {
    json!({"name": "a", "scopes": ["items:read", "items:write"]})
}

fn keyed(key: &str) -> Event {
    let event = Event::new("POST", "/keys").json(&body());
    event.header("idempotency-key", key)
}

/// Whether the answer's key opens what its record says.
async fn works(rig: &Rig, reply: &Reply) -> bool {
    let record = rig.record(reply.id()).await;
    record.secret_match(&reply.key(), now()) != SecretMatch::Neither
}

/// Lets the time pass for which a repeated request waits.
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(3_100)).await;
}

#[tokio::test]
async fn a_request_that_comes_again_has_one_key_and_every_answer_works() {
    let rig = Rig::start().await;
    let first = rig.answer(keyed("one")).await;
    let again = rig.answer(keyed("one")).await;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(again.id(), first.id());
    assert_eq!(again.location, first.location);
    assert_ne!(again.body["key"], first.body["key"]);
    assert!(works(&rig, &first).await && works(&rig, &again).await);
    assert!(again.body["previous_until"].is_string());
    assert_eq!(rig.items().await.len(), 1);
    assert_eq!(rig.api_gateway.keys().len(), 1);
    let other = rig.answer(keyed("two")).await;
    assert_ne!(other.id(), first.id());
    let somebody = rig.answer(keyed("one").by("somebody", ALL_SCOPES)).await;
    assert_ne!(somebody.id(), first.id());
    assert_eq!(rig.items().await.len(), 3);
}

#[tokio::test]
async fn many_requests_at_once_make_one_key_and_every_answer_works() {
    let rig = Rig::start().await;
    let (a, b, c, d) = tokio::join!(
        rig.answer(keyed("one")),
        rig.answer(keyed("one")),
        rig.answer(keyed("one")),
        rig.answer(keyed("one")),
    );
    let replies = [a, b, c, d];
    let shown = replies.iter().filter(|reply| reply.status == 201);
    let ids: Vec<&str> = shown.map(Reply::id).collect();
    assert!(
        (1..=2).contains(&ids.len()),
        "{} answers show a key",
        ids.len()
    );
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    for reply in &replies {
        if reply.status == 201 {
            assert!(works(&rig, reply).await);
        } else {
            assert_eq!(reply.slug(), "conflict", "{}", reply.body);
            assert_eq!(reply.problem_header("retry-after"), Some("2"));
        }
    }
    assert_eq!(rig.items().await.len(), 1);
    assert_eq!(rig.api_gateway.keys().len(), 1);
}

#[tokio::test]
async fn a_third_request_waits_a_moment_so_that_no_answer_on_its_way_is_undone() {
    let rig = Rig::start().await;
    let first = rig.answer(keyed("one")).await;
    rig.answer(keyed("one")).await;
    let third = rig.answer(keyed("one")).await;
    assert_eq!(third.slug(), "conflict");
    assert_eq!(third.problem_header("retry-after"), Some("2"));
    assert!(works(&rig, &first).await);
    pause().await;
    let third = rig.answer(keyed("one")).await;
    assert_eq!(third.status, 201, "{}", third.body);
    assert!(works(&rig, &third).await && !works(&rig, &first).await);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let rig = Rig::start().await;
    let first = rig.answer(keyed("one")).await;
    for (field, value) in [
        ("name", json!("b")),
        ("scopes", json!(["items:read"])),
        ("expires_at", json!(now() + 60)),
        ("usage_plan", json!("partner")),
        ("allowed_cidrs", json!(["192.0.2.0/24"])),
    ] {
        let mut other = body();
        other[field] = value;
        let reply = rig.answer(keyed("one").json(&other)).await;
        assert_eq!(reply.slug(), "idempotency-key-reused", "{field}");
    }
    // The same in another spelling.
    let spelled = json!({
        "scopes": ["items:write", "items:read", "items:read"], "name": "a", "expires_at": null,
    });
    let again = rig.answer(keyed("one").json(&spelled)).await;
    assert_eq!(again.id(), first.id());
}

#[tokio::test]
async fn a_request_whose_first_try_broke_off_goes_on_from_there() {
    for operation in ["CreateApiKey", "CreateUsagePlanKey"] {
        for fault in [Fault::Unavailable, Fault::Lost] {
            let rig = Rig::start().await;
            rig.api_gateway.fail(operation, fault, 3);
            rig.api_gateway.fail("GetApiKeys", Fault::Unavailable, 3);
            let first = rig.answer(keyed("one")).await;
            rig.api_gateway.recover();
            let again = rig.answer(keyed("one")).await;
            assert_eq!(again.status, 201, "{operation} {fault:?}: {}", again.body);
            if first.status == 201 {
                assert_eq!(first.id(), again.id());
            }
            assert_eq!(rig.items().await.len(), 1);
            let usage_key = rig.api_gateway.key_of(again.id()).unwrap();
            assert_eq!(usage_key.plan.as_deref(), Some("plan-standard"));
            assert_eq!(rig.api_gateway.keys().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_request_that_comes_again_gives_the_key_a_usage_key_that_a_sweep_has_taken() {
    let rig = Rig::start().await;
    let first = rig.answer(keyed("one")).await;
    rig.api_gateway.change(Vec::clear);
    let again = rig.answer(keyed("one")).await;
    assert_eq!(again.id(), first.id());
    let usage_key = rig.api_gateway.key_of(first.id()).unwrap();
    assert_eq!(usage_key.plan.as_deref(), Some("plan-standard"));
}

#[tokio::test]
async fn a_key_that_has_ended_or_is_in_use_is_not_given_out_again() {
    let rig = Rig::start().await;
    let revoked = rig.answer(keyed("revoked")).await;
    rig.answer(Event::new("DELETE", &path_of(revoked.id())))
        .await;
    let expired = rig.answer(keyed("expired")).await;
    let mut item = rig.item(expired.id()).await;
    item.insert("expires_at".into(), AttributeValue::N("1000".into()));
    rig.put(item).await;
    let old = rig.answer(keyed("old")).await;
    let mut item = rig.item(old.id()).await;
    let a_day_ago = (now() - 24 * 60 * 60).to_string();
    item.insert("created_at".into(), AttributeValue::N(a_day_ago));
    rig.put(item).await;
    let rotated = rig.answer(keyed("rotated")).await;
    let event = rotate(rotated.id()).json(&json!({"grace_seconds": 86_400}));
    rig.answer(event).await;
    let at_once = rig.answer(keyed("rotated-at-once")).await;
    let event = rotate(at_once.id()).json(&json!({"grace_seconds": 0}));
    rig.answer(event).await;
    let once = rig.answer(keyed("rotated-once")).await;
    let event = rotate(once.id()).header("idempotency-key", "rotation");
    rig.answer(event.json(&json!({"grace_seconds": 0}))).await;
    for (key, reply) in [
        ("revoked", revoked),
        ("expired", expired),
        ("old", old),
        ("rotated", rotated),
        ("rotated-at-once", at_once),
        ("rotated-once", once),
    ] {
        let before = rig.item(reply.id()).await;
        let again = rig.answer(keyed(key)).await;
        assert_eq!(again.slug(), "conflict", "{key}");
        assert_eq!(again.problem_header("retry-after"), None, "{key}");
        assert_eq!(rig.item(reply.id()).await, before, "{key}");
    }
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_not_given_away() {
    let rig = Rig::start().await;
    let mine = rig.answer(keyed("one")).await;
    let mut item = rig.item(mine.id()).await;
    item.insert("owner".into(), AttributeValue::S("somebody".into()));
    rig.put(item.clone()).await;
    assert_eq!(rig.answer(keyed("one")).await.slug(), "conflict");
    assert_eq!(rig.item(mine.id()).await, item);
}

#[tokio::test]
async fn a_header_that_is_no_idempotency_key_is_refused() {
    let rig = Rig::start().await;
    for value in ["", "a b", &"x".repeat(256)] {
        assert_eq!(rig.answer(keyed(value)).await.slug(), "bad-request");
    }
    assert!(rig.items().await.is_empty());
}

#[tokio::test]
async fn a_rotation_that_comes_again_leaves_the_secret_in_use_alone() {
    let rig = Rig::start().await;
    let issued = rig.answer(keyed("one")).await;
    let id = issued.id();
    let rotation = |key: &str| rotate(id).header("idempotency-key", key);
    let lost = rig.answer(rotation("two")).await;
    let again = rig.answer(rotation("two")).await;
    assert_eq!((lost.status, again.status), (200, 200), "{}", again.body);
    assert!(works(&rig, &issued).await, "the secret in use");
    assert!(works(&rig, &again).await);
    assert!(!works(&rig, &lost).await);
    assert_eq!(lost.body["previous_until"], again.body["previous_until"]);
    // Another rotation is another matter: the former secret is the one of before.
    let next = rig.answer(rotation("three")).await;
    assert!(works(&rig, &next).await && works(&rig, &again).await);
    assert!(!works(&rig, &issued).await);
}

#[tokio::test]
async fn a_rotation_that_comes_again_after_the_grace_period_has_a_grace_period_of_its_own() {
    let rig = Rig::start().await;
    let issued = rig.answer(keyed("one")).await;
    let rotation = || {
        let event = rotate(issued.id()).header("idempotency-key", "two");
        event.json(&json!({"grace_seconds": 1}))
    };
    let first = rig.answer(rotation()).await;
    pause().await;
    let again = rig.answer(rotation()).await;
    assert!(works(&rig, &first).await && works(&rig, &again).await);
}
