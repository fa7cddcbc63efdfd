//! The usage keys of issued keys, and what becomes of them when a step fails.

use std::time::{Duration, Instant};

use keygate_tests::event::Event;
use serde_json::json;

use crate::faulty::{ALWAYS, CONFLICT, Fault, NOT_FOUND, REFUSED, THROTTLED, UNAVAILABLE};
use crate::keys_function::KeysFunction;
use crate::services::{KEY_TABLE, STACK, dynamodb, set, unset, usage_keys};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    each_key_has_a_usage_key_of_its_own_on_the_plan_it_asked_for needs "own-gateway";
    without_usage_plans_nothing_is_asked_of_api_gateway needs "own-gateway";
    a_step_that_fails_while_a_key_is_issued_leaves_nothing_behind needs "own-gateway";
    an_answer_that_is_lost_once_makes_one_usage_key needs "own-gateway";
    a_usage_key_whose_id_was_lost_is_left_to_the_sweep needs "own-gateway";
    a_table_that_was_restored_under_another_name_works needs "own-gateway";
    the_function_never_lists_usage_keys needs "own-gateway";
    a_key_of_before_there_were_ids_is_revoked_and_its_usage_key_left_to_the_sweep needs "own-gateway";
    a_change_of_a_plan_that_meets_another_goes_on_when_it_is_sent_again needs "own-gateway";
    a_plan_that_a_deployment_made_anew_is_looked_up_again needs "own-gateway";
    a_record_that_may_be_written_is_taken_back_before_its_usage_key needs "own-gateway";
    a_table_that_refuses_leaves_no_usage_key needs "own-gateway";
    what_cannot_be_undone_opens_nothing_and_stays needs "own-gateway";
    api_gateway_that_does_not_answer_is_told_within_the_functions_time needs "own-gateway";
    a_list_of_api_gateway_that_does_not_end_is_told_within_the_functions_time needs "own-gateway";
    revoking_flushes_the_stage_and_deletes_the_usage_key needs "own-gateway";
    a_revocation_that_is_not_finished_says_so_and_is_finished_when_sent_again needs "own-gateway";
    a_stage_or_a_usage_key_that_is_gone_is_no_failure needs "own-gateway";
    a_usage_key_that_keys_share_outlives_them needs "own-gateway";
    only_a_rotation_without_grace_flushes_the_stage needs "own-gateway";
}

/// Nobody got a key, and nothing of it is left.
#[track_caller]
fn nothing_is_left(keys: &KeysFunction) {
    let after = format!("after {:?}", keys.api_gateway.faults());
    assert_eq!(keys.usage_keys(), [], "a usage key is left {after}");
    let list = keys.answer(Event::new("GET", "/keys")).expect(200);
    assert_eq!(list.body["items"], json!([]), "a record is left {after}");
}

/// There is one usage key, and it is the key's, on its plan.
#[track_caller]
fn is_metered(keys: &KeysFunction, id: &str) {
    let all = keys.usage_keys();
    let [usage_key] = &all[..] else {
        panic!("not one: {all:?}")
    };
    assert_eq!(usage_key.name, format!("{STACK}.{id}"));
    assert_eq!(usage_key.plan.as_deref(), Some("standardusageplan"));
}

fn each_key_has_a_usage_key_of_its_own_on_the_plan_it_asked_for(target: &Target) {
    let keys = KeysFunction::start(target);
    let first = keys.ask().expect(201);
    let body = json!({"name": "b", "scopes": ["books:read"], "usage_plan": "partner"});
    let second = keys.answer(Event::new("POST", "/keys").json(&body));
    let second = second.expect(201);
    for (answer, name, plan) in [
        (&first, "standard", "standardusageplan"),
        (&second, "partner", "partnerusageplan"),
    ] {
        let id = answer.id();
        let usage_key = keys.usage_key_of(&id).expect("a usage key");
        assert_eq!(usage_key.name, format!("{STACK}.{id}"));
        assert_eq!(usage_key.value, format!("keygate-usage-{id}"));
        assert_eq!(usage_key.stack.as_deref(), Some(STACK));
        assert_eq!(usage_key.plan.as_deref(), Some(plan));
        assert_eq!(answer.body["usage_plan"], name);
    }
    // A plan is looked up once.
    let before = keys.api_gateway.count("GetUsagePlans");
    keys.issue();
    assert_eq!(keys.api_gateway.count("GetUsagePlans"), before);
}

fn without_usage_plans_nothing_is_asked_of_api_gateway(target: &Target) {
    let keys = KeysFunction::with(target, &[]);
    let issued = keys.ask().expect(201);
    assert_eq!(issued.body["usage_plan"], json!(null));
    let body = json!({"name": "b", "scopes": ["books:read"], "usage_plan": "standard"});
    let refused = keys.answer(Event::new("POST", "/keys").json(&body));
    let refused = refused.problem("invalid-body");
    assert_eq!(refused.body["errors"][0]["field"], "usage_plan");
    keys.rotate_without_grace(&issued.id()).expect(200);
    keys.revoke(&issued.id()).expect(204);
    assert_eq!(keys.api_gateway.calls(), [""; 0]);
}

fn a_step_that_fails_while_a_key_is_issued_leaves_nothing_behind(target: &Target) {
    let keys = KeysFunction::start(target);
    for (operation, fault, slug) in [
        ("GetUsagePlans", UNAVAILABLE, "service-unavailable"),
        ("GetUsagePlans", REFUSED, "internal-error"),
        ("CreateApiKey", UNAVAILABLE, "service-unavailable"),
        ("CreateApiKey", THROTTLED, "service-unavailable"),
        ("CreateApiKey", CONFLICT, "service-unavailable"),
        ("CreateApiKey", REFUSED, "internal-error"),
        ("CreateUsagePlanKey", UNAVAILABLE, "service-unavailable"),
        ("CreateUsagePlanKey", REFUSED, "internal-error"),
        ("CreateUsagePlanKey", CONFLICT, "service-unavailable"),
        ("CreateUsagePlanKey", NOT_FOUND, "service-unavailable"),
    ] {
        keys.api_gateway.fail(operation, fault, ALWAYS);
        keys.ask().problem(slug);
        nothing_is_left(&keys);
        keys.api_gateway.recover();
    }
    let id = keys.issue();
    is_metered(&keys, &id);
}

fn an_answer_that_is_lost_once_makes_one_usage_key(target: &Target) {
    let keys = KeysFunction::start(target);
    for operation in ["GetUsagePlans", "CreateUsagePlanKey"] {
        keys.api_gateway.fail(operation, Fault::Lost, 1);
        let id = keys.issue();
        is_metered(&keys, &id);
        let flush = "FlushStageAuthorizersCache";
        for operation in [flush, "DeleteApiKey"] {
            keys.api_gateway.fail(operation, Fault::Lost, 1);
        }
        keys.revoke(&id).expect(204);
        assert_eq!(keys.usage_keys(), []);
    }
    for operation in ["PutItem", "UpdateItem"] {
        keys.dynamodb.fail(operation, Fault::Lost, 1);
        let id = keys.issue();
        is_metered(&keys, &id);
        let rotated = keys.rotate_without_grace(&id).expect(200);
        assert_eq!(rotated.id(), id);
        keys.revoke(&id).expect(204);
    }
}

fn a_usage_key_whose_id_was_lost_is_left_to_the_sweep(target: &Target) {
    let keys = KeysFunction::start(target);
    // The SDK's second try meets the first one's work.
    keys.api_gateway.fail("CreateApiKey", Fault::Lost, 1);
    let id = keys.issue();
    let all = keys.usage_keys();
    let plans = || all.iter().map(|usage_key| usage_key.plan.as_deref());
    assert_eq!(plans().flatten().collect::<Vec<_>>(), ["standardusageplan"]);
    assert_eq!(all.len(), 2, "{all:?}");
    // What is on the plan is what the record names.
    keys.revoke(&id).expect(204);
    let left = keys.usage_keys();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].plan, None);

    keys.api_gateway.fail("CreateApiKey", Fault::Lost, ALWAYS);
    keys.ask().problem("service-unavailable");
    let list = keys.answer(Event::new("GET", "/keys")).expect(200);
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
}

fn a_table_that_was_restored_under_another_name_works(target: &Target) {
    let mut keys = KeysFunction::start(target);
    let (id, rotated) = (keys.issue(), keys.issue());
    keys.restore_to("restored");
    keys.rotate_without_grace(&rotated).expect(200);
    let issued = keys.issue();
    for id in [&id, &rotated, &issued] {
        assert!(keys.usage_key_of(id).is_some());
        for _ in 0..2 {
            keys.revoke(id).expect(204);
        }
    }
    assert_eq!(keys.usage_keys(), []);
}

fn the_function_never_lists_usage_keys(target: &Target) {
    let keys = KeysFunction::start(target);
    let id = keys.issue();
    keys.rotate_without_grace(&id).expect(200);
    keys.revoke(&id).expect(204);
    keys.api_gateway
        .fail("CreateUsagePlanKey", UNAVAILABLE, ALWAYS);
    keys.ask().problem("service-unavailable");
    assert_eq!(keys.api_gateway.count("GetApiKeys"), 0);
    let calls = keys.api_gateway.calls();
    assert!(
        calls.iter().all(|call| !call.starts_with("GET /apikeys")),
        "{calls:?}"
    );
}

fn a_key_of_before_there_were_ids_is_revoked_and_its_usage_key_left_to_the_sweep(target: &Target) {
    let keys = KeysFunction::start(target);
    let id = keys.issue();
    unset(&keys.own, &keys.gateway, &id, "usage_key_id");
    keys.revoke(&id).expect(204);
    assert_eq!(keys.read(&id)["status"], "revoked");
    assert_eq!(keys.usage_keys().len(), 1);
}

fn a_change_of_a_plan_that_meets_another_goes_on_when_it_is_sent_again(target: &Target) {
    let keys = KeysFunction::start(target);
    keys.api_gateway.fail("CreateUsagePlanKey", CONFLICT, 1);
    keys.ask().problem("service-unavailable");
    nothing_is_left(&keys);
    let id = keys.issue();
    is_metered(&keys, &id);
}

fn a_plan_that_a_deployment_made_anew_is_looked_up_again(target: &Target) {
    let keys = KeysFunction::start(target);
    keys.issue();
    keys.api_gateway.fail("CreateUsagePlanKey", NOT_FOUND, 1);
    keys.ask().problem("service-unavailable");
    let before = keys.api_gateway.count("GetUsagePlans");
    keys.issue();
    assert!(keys.api_gateway.count("GetUsagePlans") > before);
}

fn a_record_that_may_be_written_is_taken_back_before_its_usage_key(target: &Target) {
    let keys = KeysFunction::start(target);
    keys.dynamodb.fail("PutItem", Fault::Lost, ALWAYS);
    keys.ask().problem("service-unavailable");
    nothing_is_left(&keys);
    // Without that, the record may be in use, and keeps its usage key.
    keys.dynamodb.fail("DeleteItem", UNAVAILABLE, ALWAYS);
    keys.ask().problem("service-unavailable");
    keys.dynamodb.recover();
    let list = keys.answer(Event::new("GET", "/keys")).expect(200);
    let id = list.body["items"][0]["id"].as_str().unwrap();
    is_metered(&keys, id);
}

fn a_table_that_refuses_leaves_no_usage_key(target: &Target) {
    let keys = KeysFunction::start(target);
    let table = json!({"TableName": KEY_TABLE});
    dynamodb(&keys.own, &keys.gateway, "DeleteTable", &table);
    // There is no record, so there must be no usage key.
    keys.ask().problem("internal-error");
    assert_eq!(keys.usage_keys(), []);
}

fn what_cannot_be_undone_opens_nothing_and_stays(target: &Target) {
    let keys = KeysFunction::start(target);
    for operation in ["CreateUsagePlanKey", "DeleteApiKey"] {
        keys.api_gateway.fail(operation, UNAVAILABLE, ALWAYS);
    }
    keys.ask().problem("service-unavailable");
    let left = keys.usage_keys();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].plan, None);
    let list = keys.answer(Event::new("GET", "/keys")).expect(200);
    assert_eq!(list.body["items"], json!([]));
}

/// Below the 10 s that the function has.
const IN_TIME: Duration = Duration::from_millis(9_500);

fn api_gateway_that_does_not_answer_is_told_within_the_functions_time(target: &Target) {
    let keys = KeysFunction::start(target);
    for operation in ["GetUsagePlans", "CreateApiKey", "CreateUsagePlanKey"] {
        keys.api_gateway.fail(operation, Fault::Hangs, ALWAYS);
        let started = Instant::now();
        keys.ask().problem("service-unavailable");
        assert!(started.elapsed() < IN_TIME, "{:?}", started.elapsed());
        nothing_is_left(&keys);
        keys.api_gateway.recover();
    }
    let id = keys.issue();
    for operation in ["FlushStageAuthorizersCache", "DeleteApiKey"] {
        keys.api_gateway.recover();
        keys.api_gateway.fail(operation, Fault::Hangs, ALWAYS);
        let started = Instant::now();
        keys.revoke(&id).problem("service-unavailable");
        assert!(started.elapsed() < IN_TIME, "{:?}", started.elapsed());
    }
}

fn a_list_of_api_gateway_that_does_not_end_is_told_within_the_functions_time(target: &Target) {
    let keys = KeysFunction::start(target);
    let operation = "GetUsagePlans";
    keys.api_gateway.fail(operation, Fault::Endless, ALWAYS);
    let started = Instant::now();
    let answer = keys.ask();
    assert!(started.elapsed() < IN_TIME, "{:?}", started.elapsed());
    // So many pages are no list of plans, or on a busy machine take too long before they are so many.
    let is_late = answer.body["status"] == 503;
    answer.problem(if is_late {
        "service-unavailable"
    } else {
        "internal-error"
    });
    nothing_is_left(&keys);
}

fn revoking_flushes_the_stage_and_deletes_the_usage_key(target: &Target) {
    let keys = KeysFunction::start(target);
    let (id, other) = (keys.issue(), keys.issue());
    for flushed in 1..=2 {
        keys.revoke(&id).expect(204);
        let flush = "FlushStageAuthorizersCache";
        assert_eq!(keys.api_gateway.count(flush), flushed);
    }
    is_metered(&keys, &other);
}

fn a_revocation_that_is_not_finished_says_so_and_is_finished_when_sent_again(target: &Target) {
    let keys = KeysFunction::start(target);
    for operation in ["FlushStageAuthorizersCache", "DeleteApiKey"] {
        for fault in [UNAVAILABLE, THROTTLED, REFUSED] {
            let id = keys.issue();
            keys.api_gateway.fail(operation, fault, ALWAYS);
            let answer = keys.revoke(&id).problem("service-unavailable");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("is revoked"), "{detail}");
            assert_eq!(keys.read(&id)["status"], "revoked");
            keys.api_gateway.recover();
            keys.revoke(&id).expect(204);
            assert_eq!(keys.usage_keys(), []);
        }
    }
}

fn a_stage_or_a_usage_key_that_is_gone_is_no_failure(target: &Target) {
    let keys = KeysFunction::start(target);
    let id = keys.issue();
    let flush = "FlushStageAuthorizersCache";
    keys.api_gateway.fail(flush, NOT_FOUND, ALWAYS);
    for _ in 0..2 {
        keys.revoke(&id).expect(204);
        assert_eq!(keys.usage_keys(), []);
    }
    // Gone between the look and the deletion.
    let id = keys.issue();
    keys.api_gateway.fail("DeleteApiKey", NOT_FOUND, ALWAYS);
    keys.revoke(&id).expect(204);
}

fn a_usage_key_that_keys_share_outlives_them(target: &Target) {
    let keys = KeysFunction::start(target);
    let shared = usage_keys(&keys.own, &keys.gateway, "");
    let shared = shared.first().expect("the template's usage key");
    let id = keys.issue();
    let value = json!({"S": shared.value});
    set(&keys.own, &keys.gateway, &id, "usage_key", &value);
    keys.revoke(&id).expect(204);
    let left = usage_keys(&keys.own, &keys.gateway, &shared.name);
    assert!(left.contains(shared), "{left:?}");
}

fn only_a_rotation_without_grace_flushes_the_stage(target: &Target) {
    let keys = KeysFunction::start(target);
    let id = keys.issue();
    let flush = "FlushStageAuthorizersCache";
    let path = format!("/keys/{id}/rotate");
    keys.answer(Event::new("POST", &path)).expect(200);
    assert_eq!(keys.api_gateway.count(flush), 0);
    keys.rotate_without_grace(&id).expect(200);
    assert_eq!(keys.api_gateway.count(flush), 1);

    keys.api_gateway.fail(flush, UNAVAILABLE, ALWAYS);
    let unfinished = keys.rotate_without_grace(&id);
    let unfinished = unfinished.problem("service-unavailable");
    assert_eq!(unfinished.body.get("key"), None);
    keys.api_gateway.recover();
    let rotated = keys.rotate_without_grace(&id).expect(200);
    assert!(rotated.body["key"].is_string());
}
