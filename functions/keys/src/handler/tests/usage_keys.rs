//! Usage keys of issued keys, and what becomes of them when a step fails.

use std::time::Instant;

use keygate_key_record::{SecretMatch, Status, now};
use serde_json::json;

use super::{path_of, rotate};
use crate::rig::api_gateway::Fault;
use crate::rig::{Event, Reply, Rig, TABLE};

const ALWAYS: usize = usize::MAX;

fn issue() -> Event {
    Event::new("POST", "/keys").json(&json!({"name": "a", "scopes": ["items:read"]}))
}

async fn revoke(rig: &Rig, id: &str) -> Reply {
    rig.answer(Event::new("DELETE", &path_of(id))).await
}

/// Nobody got a key, and nothing of it is left.
async fn nothing_is_left(rig: &Rig) {
    assert!(rig.items().await.is_empty(), "a record is left");
    assert!(rig.api_gateway.keys().is_empty(), "a usage key is left");
}

#[tokio::test]
async fn each_key_has_a_usage_key_of_its_own_on_the_plan_it_asked_for() {
    let rig = Rig::start().await;
    let first = rig.issue().await;
    let body = json!({"name": "b", "scopes": ["items:read"], "usage_plan": "partner"});
    let second = rig.answer(Event::new("POST", "/keys").json(&body)).await;
    for (reply, name, plan) in [
        (&first, "standard", "plan-standard"),
        (&second, "partner", "plan-partner"),
    ] {
        let usage_key = rig.api_gateway.key_of(reply.id()).unwrap();
        assert_eq!(usage_key.name, format!("{TABLE}.{}", reply.id()));
        assert_eq!(usage_key.plan.as_deref(), Some(plan));
        let record = rig.record(reply.id()).await;
        assert_eq!(record.usage_key, Some(usage_key.value));
        assert_eq!(reply.body["usage_plan"], name);
    }
    // The plans are looked up once.
    let calls = rig.api_gateway.calls();
    let looked_up = calls.iter().filter(|call| *call == "GetUsagePlans");
    assert_eq!(looked_up.count(), 2, "two pages: {calls:?}");
}

#[tokio::test]
async fn without_usage_plans_nothing_is_asked_of_api_gateway() {
    let rig = Rig::without_plans();
    let issued = rig.issue().await;
    assert_eq!(issued.body["usage_plan"], json!(null));
    assert_eq!(rig.record(issued.id()).await.usage_key, None);
    let body = json!({"name": "b", "scopes": ["items:read"], "usage_plan": "standard"});
    let refused = rig.answer(Event::new("POST", "/keys").json(&body)).await;
    assert_eq!(refused.body["errors"][0]["field"], "usage_plan");
    let event = rotate(issued.id()).json(&json!({"grace_seconds": 0}));
    assert_eq!(rig.answer(event).await.status, 200);
    assert_eq!(revoke(&rig, issued.id()).await.status, 204);
    assert!(rig.api_gateway.calls().is_empty());
}

#[tokio::test]
async fn a_step_that_fails_while_a_key_is_issued_leaves_nothing_behind() {
    for (operation, fault, slug) in [
        ("GetUsagePlans", Fault::Unavailable, "service-unavailable"),
        ("GetUsagePlans", Fault::Refused, "internal-error"),
        ("CreateApiKey", Fault::Unavailable, "service-unavailable"),
        ("CreateApiKey", Fault::Lost, "service-unavailable"),
        ("CreateApiKey", Fault::Throttled, "service-unavailable"),
        ("CreateApiKey", Fault::Conflict, "service-unavailable"),
        ("CreateApiKey", Fault::Refused, "internal-error"),
        (
            "CreateUsagePlanKey",
            Fault::Unavailable,
            "service-unavailable",
        ),
        ("CreateUsagePlanKey", Fault::Refused, "internal-error"),
        ("CreateUsagePlanKey", Fault::Conflict, "service-unavailable"),
        ("CreateUsagePlanKey", Fault::NotFound, "service-unavailable"),
    ] {
        let rig = Rig::start().await;
        rig.api_gateway.fail(operation, fault, ALWAYS);
        let reply = rig.answer(issue()).await;
        assert_eq!(reply.slug(), slug, "{operation} {fault:?}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(!detail.contains("as told"), "{detail}");
        nothing_is_left(&rig).await;
        rig.api_gateway.recover();
        assert_eq!(rig.answer(issue()).await.status, 201, "{operation}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_once_makes_one_usage_key() {
    for operation in [
        "CreateApiKey",
        "CreateUsagePlanKey",
        "GetUsagePlans",
        "GetApiKeys",
    ] {
        let rig = Rig::start().await;
        rig.api_gateway.fail(operation, Fault::Lost, 1);
        let issued = rig.issue().await;
        let usage_key = rig.api_gateway.key_of(issued.id()).unwrap();
        assert_eq!(
            usage_key.plan.as_deref(),
            Some("plan-standard"),
            "{operation}"
        );
        assert_eq!(rig.api_gateway.keys().len(), 1, "{operation}");
        rig.api_gateway
            .fail("FlushStageAuthorizersCache", Fault::Lost, 1);
        rig.api_gateway.fail("DeleteApiKey", Fault::Lost, 1);
        assert_eq!(revoke(&rig, issued.id()).await.status, 204);
        assert!(rig.api_gateway.keys().is_empty(), "{operation}");
    }
}

#[tokio::test]
async fn a_change_of_a_plan_that_meets_another_goes_on_when_it_is_sent_again() {
    let rig = Rig::start().await;
    rig.api_gateway
        .fail("CreateUsagePlanKey", Fault::Conflict, 1);
    assert_eq!(rig.answer(issue()).await.slug(), "service-unavailable");
    nothing_is_left(&rig).await;
    let issued = rig.answer(issue()).await;
    let usage_key = rig.api_gateway.key_of(issued.id()).unwrap();
    assert_eq!(usage_key.plan.as_deref(), Some("plan-standard"));
}

#[tokio::test]
async fn a_plan_that_a_deployment_made_anew_is_looked_up_again() {
    let rig = Rig::start().await;
    rig.issue().await;
    rig.api_gateway
        .fail("CreateUsagePlanKey", Fault::NotFound, 1);
    assert_eq!(rig.answer(issue()).await.slug(), "service-unavailable");
    let looked_up = || {
        let calls = rig.api_gateway.calls();
        calls.iter().filter(|call| *call == "GetUsagePlans").count()
    };
    let before = looked_up();
    assert_eq!(rig.answer(issue()).await.status, 201);
    assert!(looked_up() > before);
}

#[tokio::test]
async fn what_cannot_be_undone_is_left_to_the_sweep() {
    let rig = Rig::start().await;
    rig.api_gateway
        .fail("CreateUsagePlanKey", Fault::Unavailable, ALWAYS);
    rig.api_gateway
        .fail("DeleteApiKey", Fault::Unavailable, ALWAYS);
    assert_eq!(rig.answer(issue()).await.slug(), "service-unavailable");
    rig.api_gateway.recover();
    // At first it may belong to a key that is being issued.
    let swept = rig.keys.issuing.sweep().await.unwrap();
    assert_eq!((swept.young.len(), swept.deleted.len()), (1, 0));
    let an_age_ago = now() - 15 * 60;
    rig.api_gateway
        .change(|keys| keys[0].created_at = an_age_ago);
    let swept = rig.keys.issuing.sweep().await.unwrap();
    assert_eq!((swept.young.len(), swept.deleted.len()), (0, 1));
    nothing_is_left(&rig).await;
}

#[tokio::test]
async fn a_table_that_fails_leaves_no_usage_key_that_a_record_could_lack() {
    let rig = Rig::start().await;
    rig.drop_table().await;
    // The table refuses: there is no record, so there must be no usage key.
    assert_eq!(rig.answer(issue()).await.slug(), "internal-error");
    assert!(rig.api_gateway.keys().is_empty());
}

#[tokio::test]
async fn api_gateway_that_does_not_answer_is_told_within_the_functions_time() {
    let rig = Rig::start().await;
    rig.api_gateway
        .fail("CreateUsagePlanKey", Fault::Hangs, ALWAYS);
    let started = Instant::now();
    assert_eq!(rig.answer(issue()).await.slug(), "service-unavailable");
    assert!(
        started.elapsed().as_secs_f64() < 9.5,
        "{:?}",
        started.elapsed()
    );
    nothing_is_left(&rig).await;
}

#[tokio::test]
async fn revoking_flushes_the_stage_and_deletes_the_usage_key() {
    let rig = Rig::start().await;
    let (issued, other) = (rig.issue().await, rig.issue().await);
    for _ in 0..2 {
        assert_eq!(revoke(&rig, issued.id()).await.status, 204);
    }
    assert_eq!(rig.api_gateway.flushed(), ["api/dev", "api/dev"]);
    assert!(rig.api_gateway.key_of(issued.id()).is_none());
    assert!(rig.api_gateway.key_of(other.id()).is_some());
}

#[tokio::test]
async fn a_revocation_that_is_not_finished_says_so_and_is_finished_when_sent_again() {
    for operation in ["FlushStageAuthorizersCache", "GetApiKeys", "DeleteApiKey"] {
        for fault in [Fault::Unavailable, Fault::Throttled, Fault::Refused] {
            let rig = Rig::start().await;
            let issued = rig.issue().await;
            rig.api_gateway.fail(operation, fault, ALWAYS);
            let reply = revoke(&rig, issued.id()).await;
            assert_eq!(reply.slug(), "service-unavailable", "{operation} {fault:?}");
            assert_eq!(reply.problem_header("retry-after"), Some("1"));
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(detail.contains("is revoked"), "{detail}");
            let record = rig.record(issued.id()).await;
            assert_eq!(record.status, Status::Revoked, "{operation}");
            rig.api_gateway.recover();
            assert_eq!(revoke(&rig, issued.id()).await.status, 204);
            assert_eq!(rig.api_gateway.flushed().last().unwrap(), "api/dev");
            assert!(rig.api_gateway.keys().is_empty(), "{operation}");
        }
    }
}

#[tokio::test]
async fn a_stage_that_api_gateway_does_not_have_is_no_failure() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    rig.api_gateway
        .fail("FlushStageAuthorizersCache", Fault::NotFound, ALWAYS);
    assert_eq!(revoke(&rig, issued.id()).await.status, 204);
    assert!(rig.api_gateway.keys().is_empty());
}

#[tokio::test]
async fn a_usage_key_that_is_gone_already_is_no_failure() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    rig.api_gateway.change(Vec::clear);
    assert_eq!(revoke(&rig, issued.id()).await.status, 204);
}

#[tokio::test]
async fn a_usage_key_that_keys_share_outlives_them() {
    let rig = Rig::start().await;
    let record = rig.put_key("me", 1_000).await;
    let mut item = rig.item(record.id.as_str()).await;
    let shared = aws_sdk_dynamodb::types::AttributeValue::S("keygate-usage-default".into());
    item.insert("usage_key".into(), shared);
    rig.put(item).await;
    assert_eq!(revoke(&rig, record.id.as_str()).await.status, 204);
    assert_eq!(rig.api_gateway.calls(), ["FlushStageAuthorizersCache"]);
}

#[tokio::test]
async fn only_a_rotation_without_grace_flushes_the_stage() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    assert_eq!(rig.answer(rotate(issued.id())).await.status, 200);
    assert!(rig.api_gateway.flushed().is_empty());
    let at_once = || rotate(issued.id()).json(&json!({"grace_seconds": 0}));
    assert_eq!(rig.answer(at_once()).await.status, 200);
    assert_eq!(rig.api_gateway.flushed(), ["api/dev"]);

    rig.api_gateway
        .fail("FlushStageAuthorizersCache", Fault::Unavailable, ALWAYS);
    let reply = rig.answer(at_once()).await;
    assert_eq!(reply.slug(), "service-unavailable");
    assert_eq!(reply.problem_header("retry-after"), Some("1"));
    rig.api_gateway.recover();
    let rotated = rig.answer(at_once()).await;
    let record = rig.record(issued.id()).await;
    let shown = record.secret_match(&rotated.key(), now());
    assert_eq!(shown, SecretMatch::Current);
}
