//! The steps by which OAuth clients are registered, changed and removed, what becomes of them when one
//! fails, and how much they read.

use keygate_tests::event::Event;
use serde_json::{Value, json};

use crate::faulty::{ALWAYS, CONFLICT, Fault, REFUSED, THROTTLED, UNAVAILABLE};
use crate::keys_function::{Answer, KeysFunction};
use crate::services::{KEY_TABLE, STACK, dynamodb};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    each_client_has_a_usage_key_of_its_own_on_its_plan needs "own-gateway";
    a_step_that_fails_while_a_client_is_registered_leaves_nothing_behind needs "own-gateway";
    a_change_that_is_not_finished_says_so_and_is_finished_when_sent_again needs "own-gateway";
    a_record_that_somebody_wrote_by_hand_is_taken_over needs "own-gateway";
    without_usage_plans_a_client_is_shut_out_all_the_same needs "own-gateway";
    with_10_000_clients_each_request_reads_as_little_as_with_one needs "own-gateway";
}

/// Registers a client at the function.
fn register(keys: &KeysFunction, client: &str) -> Answer {
    let body = json!({"client_id": client});
    keys.answer(Event::new("POST", "/clients").json(&body))
}

fn change(keys: &KeysFunction, client: &str, body: &Value) -> Answer {
    keys.answer(Event::new("PUT", &format!("/clients/{client}")).json(body))
}

fn remove(keys: &KeysFunction, client: &str) -> Answer {
    keys.answer(Event::new("DELETE", &format!("/clients/{client}")))
}

/// The plan of a client's usage key, which is its only one.
#[track_caller]
fn plan_of(keys: &KeysFunction, client: &str) -> Option<String> {
    let name = format!("{STACK}.client#{client}");
    let all = keys.usage_keys();
    let mut own = all.iter().filter(|usage_key| usage_key.name == name);
    let first = own.next()?;
    assert_eq!(own.next(), None);
    assert_eq!(first.stack.as_deref(), Some(STACK));
    first.plan.clone()
}

fn each_client_has_a_usage_key_of_its_own_on_its_plan(target: &Target) {
    let keys = KeysFunction::start(target);
    for client in ["one", "other"] {
        register(&keys, client).expect(201);
        assert_eq!(plan_of(&keys, client).as_deref(), Some("standardusageplan"));
    }
    let partner = json!({"status": "active", "usage_plan": "partner"});
    for _ in 0..2 {
        change(&keys, "one", &partner).expect(200);
        assert_eq!(plan_of(&keys, "one").as_deref(), Some("partnerusageplan"));
    }
    // The same again made nothing anew.
    assert_eq!(keys.api_gateway.count("CreateApiKey"), 3);
    let revoked = json!({"status": "revoked", "usage_plan": "partner"});
    for _ in 0..2 {
        change(&keys, "one", &revoked).expect(200);
        assert_eq!(plan_of(&keys, "one"), None);
    }
    change(&keys, "one", &partner).expect(200);
    assert_eq!(plan_of(&keys, "one").as_deref(), Some("partnerusageplan"));
    remove(&keys, "one").expect(204);
    remove(&keys, "one").problem("not-found");
    assert_eq!(plan_of(&keys, "one"), None);
    assert_eq!(
        plan_of(&keys, "other").as_deref(),
        Some("standardusageplan")
    );
    assert_eq!(keys.api_gateway.count("GetApiKeys"), 0);
}

fn a_step_that_fails_while_a_client_is_registered_leaves_nothing_behind(target: &Target) {
    let keys = KeysFunction::start(target);
    for (operation, fault, slug) in [
        ("GetUsagePlans", UNAVAILABLE, "service-unavailable"),
        ("CreateApiKey", UNAVAILABLE, "service-unavailable"),
        ("CreateApiKey", THROTTLED, "service-unavailable"),
        ("CreateApiKey", REFUSED, "internal-error"),
        ("CreateUsagePlanKey", UNAVAILABLE, "service-unavailable"),
        ("CreateUsagePlanKey", CONFLICT, "service-unavailable"),
    ] {
        keys.api_gateway.fail(operation, fault, ALWAYS);
        register(&keys, "mobile").problem(slug);
        keys.api_gateway.recover();
        assert_eq!(keys.usage_keys(), [], "{operation}");
        let list = keys.answer(Event::new("GET", "/clients")).expect(200);
        assert_eq!(list.body["items"], json!([]), "{operation}");
    }
    keys.dynamodb.fail("PutItem", Fault::Lost, ALWAYS);
    register(&keys, "mobile").problem("service-unavailable");
    assert_eq!(keys.usage_keys(), []);
    keys.dynamodb.recover();
    // An answer that is lost once is no failure.
    keys.dynamodb.fail("PutItem", Fault::Lost, 1);
    register(&keys, "mobile").expect(201);
    keys.dynamodb.fail("UpdateItem", Fault::Lost, 1);
    let partner = json!({"status": "active", "usage_plan": "partner"});
    change(&keys, "mobile", &partner).expect(200);
    assert_eq!(
        plan_of(&keys, "mobile").as_deref(),
        Some("partnerusageplan")
    );
}

fn a_change_that_is_not_finished_says_so_and_is_finished_when_sent_again(target: &Target) {
    let keys = KeysFunction::start(target);
    let revoked = json!({"status": "revoked"});
    for operation in ["FlushStageAuthorizersCache", "DeleteApiKey"] {
        for client in ["shut-out", "removed"] {
            register(&keys, client).expect(201);
        }
        keys.api_gateway.fail(operation, UNAVAILABLE, ALWAYS);
        change(&keys, "shut-out", &revoked).problem("service-unavailable");
        let read = keys
            .answer(Event::new("GET", "/clients/shut-out"))
            .expect(200);
        assert_eq!(read.body["status"], "revoked", "{operation}");
        remove(&keys, "removed").problem("service-unavailable");
        keys.api_gateway.recover();
        change(&keys, "shut-out", &revoked).expect(200);
        for client in ["removed", "shut-out"] {
            remove(&keys, client).expect(204);
        }
        assert_eq!(keys.usage_keys(), [], "{operation}");
    }
}

fn a_record_that_somebody_wrote_by_hand_is_taken_over(target: &Target) {
    let keys = KeysFunction::start(target);
    let item = json!({
        "pk": {"S": "client#by-hand"}, "status": {"S": "active"},
        "usage_key": {"S": "a-value-of-somebody-s-own"}, "note": {"S": "kept"},
    });
    let put = json!({"TableName": KEY_TABLE, "Item": item});
    dynamodb(&keys.own, &keys.gateway, "PutItem", &put);
    let read = || {
        keys.answer(Event::new("GET", "/clients/by-hand"))
            .expect(200)
    };
    assert_eq!(read().body["created_at"], Value::Null);
    register(&keys, "by-hand").problem("conflict");
    change(&keys, "by-hand", &json!({"status": "active"})).expect(200);
    assert_eq!(
        plan_of(&keys, "by-hand").as_deref(),
        Some("standardusageplan")
    );
    let list = keys.answer(Event::new("GET", "/clients")).expect(200);
    assert_eq!(list.body["items"], json!([read().body]));
    let get = json!({"TableName": KEY_TABLE, "Key": {"pk": {"S": "client#by-hand"}}});
    let item = dynamodb(&keys.own, &keys.gateway, "GetItem", &get);
    assert_eq!(item["Item"]["note"]["S"], "kept");
}

fn without_usage_plans_a_client_is_shut_out_all_the_same(target: &Target) {
    let keys = KeysFunction::with(target, &[]);
    register(&keys, "mobile").expect(201);
    let revoked = json!({"status": "revoked"});
    let changed = change(&keys, "mobile", &revoked).expect(200);
    assert_eq!(changed.body["status"], "revoked");
    let planned = json!({"status": "active", "usage_plan": "standard"});
    change(&keys, "mobile", &planned).problem("invalid-body");
    remove(&keys, "mobile").expect(204);
    assert_eq!(keys.api_gateway.calls(), [""; 0]);
}

/// Puts so many clients into the table, as if they had been registered a second after each other.
fn fill(keys: &KeysFunction, clients: usize) {
    let item = |number: usize| {
        json!({"PutRequest": {"Item": {
            "pk": {"S": format!("client#filling-{number}")}, "status": {"S": "active"},
            "owner": {"S": "\"oauth-clients\""}, "created_at": {"N": number.to_string()},
            "usage_key": {"S": format!("keygate-usage-{number:012}")},
            "usage_key_id": {"S": format!("{number:010}")}, "usage_plan": {"S": "standard"},
        }}})
    };
    for batch in (1..=clients).collect::<Vec<_>>().chunks(25) {
        let items: Vec<Value> = batch.iter().map(|number| item(*number)).collect();
        let written = json!({"RequestItems": {KEY_TABLE: items}});
        dynamodb(&keys.own, &keys.gateway, "BatchWriteItem", &written);
    }
}

fn with_10_000_clients_each_request_reads_as_little_as_with_one(target: &Target) {
    let keys = KeysFunction::start(target);
    fill(&keys, 10_000);
    // Each plan is looked up once.
    let id = keys.issue();
    let partner = json!({"status": "active", "usage_plan": "partner"});
    register(&keys, "first").expect(201);
    change(&keys, "first", &partner).expect(200);
    let reads = |what: &str, calls: &[&str], scanned: u64, ask: &dyn Fn()| {
        let (before, at_first) = (keys.dynamodb.calls().len(), keys.dynamodb.scanned());
        let at_api_gateway = keys.api_gateway.calls().len();
        ask();
        assert_eq!(keys.dynamodb.calls()[before..], *calls, "{what}");
        let scanned_now = keys.dynamodb.scanned() - at_first;
        assert!(scanned_now <= scanned, "{what} read {scanned_now} items");
        let asked = keys.api_gateway.calls()[at_api_gateway..].to_vec();
        assert!(
            asked.iter().all(|call| !call.starts_with("Get")),
            "{what}: {asked:?}"
        );
    };
    let page = |query: &str| {
        let list = keys
            .answer(Event::new("GET", &format!("/clients?{query}")))
            .expect(200);
        assert_eq!(list.body["items"].as_array().unwrap().len(), 20, "{query}");
        list.body["next_cursor"].as_str().unwrap().to_owned()
    };
    reads("a list", &["Query"], 21, &|| drop(page("limit=20")));
    let cursor = page("limit=20");
    let next = format!("limit=20&cursor={cursor}");
    reads("a later page", &["Query"], 21, &|| drop(page(&next)));
    reads("registering", &["GetItem", "PutItem"], 0, &|| {
        register(&keys, "mobile").expect(201);
    });
    reads("a change", &["GetItem", "UpdateItem"], 0, &|| {
        change(&keys, "mobile", &partner).expect(200);
    });
    reads("shutting out", &["GetItem", "UpdateItem"], 0, &|| {
        change(&keys, "mobile", &json!({"status": "revoked"})).expect(200);
    });
    reads("removing", &["UpdateItem", "DeleteItem"], 0, &|| {
        remove(&keys, "mobile").expect(204);
    });
    reads("issuing a key", &["PutItem"], 0, &|| drop(keys.issue()));
    reads("revoking a key", &["UpdateItem"], 0, &|| {
        drop(keys.revoke(&id).expect(204));
    });
}
