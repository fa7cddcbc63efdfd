//! The sweep: whatever a failure has left, and nothing else.

use aws_sdk_dynamodb::types::AttributeValue;
use keygate_issuing::Swept;
use keygate_key_record::now;
use serde_json::json;

use super::path_of;
use crate::rig::api_gateway::{Fault, Key};
use crate::rig::{Event, Rig, TABLE};

/// A usage key of before the time for which it may belong to a key that is being issued.
fn old(name: &str, value: &str) -> Key {
    Key {
        id: format!("id-of-{name}"),
        name: name.to_owned(),
        value: value.to_owned(),
        created_at: now() - 15 * 60,
        plan: None,
    }
}

async fn sweep(rig: &Rig) -> Swept {
    let swept = rig.keys.issuing.sweep().await.unwrap();
    // A second one finds nothing to do.
    if swept.is_complete() {
        let again = rig.keys.issuing.sweep().await.unwrap();
        assert_eq!(
            (again.deleted.len(), again.restored.len()),
            (0, 0),
            "{again:?}"
        );
    }
    swept
}

#[tokio::test]
async fn usage_keys_without_a_key_in_use_are_deleted_and_no_others() {
    let rig = Rig::start().await;
    let kept = rig.issue().await;
    let [revoked, expired, missing] = [rig.issue().await, rig.issue().await, rig.issue().await];
    rig.api_gateway.fail("DeleteApiKey", Fault::Unavailable, 3);
    rig.answer(Event::new("DELETE", &path_of(revoked.id())))
        .await;
    let mut item = rig.item(expired.id()).await;
    item.insert("expires_at".into(), AttributeValue::N("1000".into()));
    rig.put(item).await;
    rig.delete(missing.id()).await;
    let others = [
        old("another-table.000000000000", "keygate-usage-000000000000"),
        old(&format!("{TABLE}.by-hand"), "keygate-usage-by-hand"),
        old(&format!("{TABLE}.000000000001"), "a-value-of-somebody-else"),
        old(
            &format!("{TABLE}-b.000000000002"),
            "keygate-usage-000000000002",
        ),
        old("stack-default", "keygate-usage-default-stack"),
    ];
    rig.api_gateway.change(|keys| {
        for key in keys.iter_mut() {
            key.created_at = now() - 15 * 60;
        }
        keys.extend(others.clone());
    });
    let swept = sweep(&rig).await;
    let mut deleted = swept.deleted.clone();
    deleted.sort();
    let mut expected = [revoked.id(), expired.id(), missing.id()];
    expected.sort_unstable();
    assert_eq!(deleted, expected);
    assert_eq!((swept.in_order, swept.restored.len()), (1, 0), "{swept:?}");
    assert_eq!(rig.api_gateway.keys().len(), 1 + others.len());
    assert!(rig.api_gateway.key_of(kept.id()).is_some());
}

#[tokio::test]
async fn a_key_in_use_gets_its_usage_key_and_its_plan_again() {
    let rig = Rig::start().await;
    let body = json!({"name": "b", "scopes": ["items:read"], "usage_plan": "partner"});
    let partner = rig.answer(Event::new("POST", "/keys").json(&body)).await;
    let [gone, planless] = [rig.issue().await, rig.issue().await];
    rig.put_key("me", 1_000).await;
    let revoked = rig.issue().await;
    rig.answer(Event::new("DELETE", &path_of(revoked.id())))
        .await;
    let gone_value = format!("keygate-usage-{}", gone.id());
    let partner_value = format!("keygate-usage-{}", partner.id());
    let planless_value = format!("keygate-usage-{}", planless.id());
    rig.api_gateway.change(|keys| {
        keys.retain(|key| key.value != gone_value && key.value != partner_value);
        let mut keys = keys.iter_mut();
        keys.find(|key| key.value == planless_value).unwrap().plan = None;
    });
    let swept = sweep(&rig).await;
    let mut restored = swept.restored.clone();
    restored.sort();
    let mut expected = [gone.id(), partner.id(), planless.id()];
    expected.sort_unstable();
    assert_eq!(restored, expected, "{swept:?}");
    for (reply, plan) in [
        (&gone, "plan-standard"),
        (&planless, "plan-standard"),
        (&partner, "plan-partner"),
    ] {
        let usage_key = rig.api_gateway.key_of(reply.id()).unwrap();
        assert_eq!(usage_key.plan.as_deref(), Some(plan));
    }
    assert_eq!(rig.api_gateway.keys().len(), 3);
}

#[tokio::test]
async fn what_the_sweep_cannot_do_is_named_and_stops_nothing_else() {
    let rig = Rig::start().await;
    let [unknown_plan, gone] = [rig.issue().await, rig.issue().await];
    let mut item = rig.item(unknown_plan.id()).await;
    item.insert("usage_plan".into(), AttributeValue::S("former".into()));
    rig.put(item).await;
    let mut broken = rig.item(gone.id()).await;
    broken.insert("pk".into(), AttributeValue::S("key#000000000003".into()));
    broken.remove("secret_sha256");
    rig.put(broken).await;
    rig.api_gateway.change(Vec::clear);
    let swept = sweep(&rig).await;
    assert_eq!(swept.restored, [gone.id()]);
    let failed: Vec<&str> = swept.failed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(failed, ["key#000000000003", unknown_plan.id()]);
    assert!(swept.failed[1].1.contains("former"), "{swept:?}");
    assert!(!swept.is_complete());
}

#[tokio::test]
async fn a_sweep_that_cannot_read_says_so() {
    for operation in ["GetApiKeys", "GetUsagePlans", "GetUsagePlanKeys"] {
        let rig = Rig::start().await;
        rig.api_gateway
            .fail(operation, Fault::Unavailable, usize::MAX);
        assert!(rig.keys.issuing.sweep().await.is_err(), "{operation}");
    }
}
