//! The steps by which OAuth clients are registered, changed and removed, what becomes of them when one
//! fails, and how much they read.

use keygate_tests::event::Event;
use serde_json::{Value, json};

use crate::faulty::{ALWAYS, CONFLICT, Fault, REFUSED, THROTTLED, UNAVAILABLE};
use crate::keys_function::{Answer, KeysFunction};
use crate::operator::run;
use crate::services::{KEY_TABLE, STACK, dynamodb, put, set_of};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    each_client_has_a_usage_key_of_its_own_on_its_plan needs "own-gateway";
    the_usage_key_of_before_a_change_of_the_plan_stays_for_two_hours needs "own-gateway";
    a_step_that_fails_while_a_client_is_registered_leaves_nothing_behind needs "own-gateway";
    a_change_that_is_not_finished_says_so_and_is_finished_when_sent_again needs "own-gateway";
    a_record_that_somebody_wrote_by_hand_is_taken_over needs "own-gateway";
    whoever_a_record_lets_in_can_be_shut_out_by_it needs "own-gateway";
    no_client_is_registered_where_none_is_looked_up needs "own-gateway";
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

/// The plans of a client's usage keys, sorted.
#[track_caller]
fn plans_of(keys: &KeysFunction, client: &str) -> Vec<String> {
    let name = format!("{STACK}.client#{client}");
    let own = keys.usage_keys().into_iter();
    let own = own.filter(|usage_key| usage_key.name == name);
    let mut plans: Vec<String> = own
        .map(|usage_key| {
            assert_eq!(usage_key.stack.as_deref(), Some(STACK));
            usage_key.plan.expect("the usage key is on a plan")
        })
        .collect();
    plans.sort();
    plans
}

fn active_on(plan: &str) -> Value {
    json!({"status": "active", "usage_plan": plan})
}

/// Sets an attribute of a client's item.
fn set(keys: &KeysFunction, client: &str, attribute: &str, value: &Value) {
    let key = json!({"pk": {"S": format!("client#{client}")}});
    set_of(&keys.own, &keys.gateway, &key, attribute, value);
}

fn each_client_has_a_usage_key_of_its_own_on_its_plan(target: &Target) {
    let keys = KeysFunction::start(target);
    for client in ["one", "other"] {
        register(&keys, client).expect(201);
        assert_eq!(plans_of(&keys, client), ["standardusageplan"]);
    }
    for _ in 0..2 {
        change(&keys, "one", &active_on("partner")).expect(200);
        let both = ["partnerusageplan", "standardusageplan"];
        assert_eq!(plans_of(&keys, "one"), both);
    }
    // The same again made nothing anew.
    assert_eq!(keys.api_gateway.count("CreateApiKey"), 3);
    let revoked = json!({"status": "revoked", "usage_plan": "partner"});
    for _ in 0..2 {
        change(&keys, "one", &revoked).expect(200);
        assert_eq!(plans_of(&keys, "one"), [""; 0]);
    }
    change(&keys, "one", &active_on("partner")).expect(200);
    assert_eq!(plans_of(&keys, "one"), ["partnerusageplan"]);
    remove(&keys, "one").expect(204);
    remove(&keys, "one").problem("not-found");
    assert_eq!(plans_of(&keys, "one"), [""; 0]);
    assert_eq!(plans_of(&keys, "other"), ["standardusageplan"]);
    assert_eq!(keys.api_gateway.count("GetApiKeys"), 0);
}

fn the_usage_key_of_before_a_change_of_the_plan_stays_for_two_hours(target: &Target) {
    let mut keys = KeysFunction::start(target);
    keys.gateway
        .ready
        .api_gateway
        .clone_from(&keys.api_gateway.url);
    let partner = active_on("partner");
    for client in ["changed", "swept", "removed"] {
        register(&keys, client).expect(201);
        // A change that is finished at the second attempt is no other.
        let operation = "FlushStageAuthorizersCache";
        keys.api_gateway.fail(operation, UNAVAILABLE, ALWAYS);
        change(&keys, client, &partner).problem("service-unavailable");
        keys.api_gateway.recover();
        change(&keys, client, &partner).expect(200);
    }
    // However old it is: it was in use till now.
    keys.api_gateway.age(15 * 60);
    let swept = run(target, &keys.gateway, &["sweep"]);
    assert_eq!(swept["deleted"], json!([]));
    assert_eq!(swept["young"].as_array().unwrap().len(), 3);
    for client in ["changed", "swept"] {
        let over = json!({"N": "1000"});
        set(&keys, client, "former_usage_key_until", &over);
    }
    change(&keys, "changed", &partner).expect(200);
    assert_eq!(plans_of(&keys, "changed"), ["partnerusageplan"]);
    let swept = run(target, &keys.gateway, &["sweep"]);
    assert_eq!(swept["deleted"], json!(["client#swept"]));
    assert_eq!(plans_of(&keys, "swept"), ["partnerusageplan"]);
    remove(&keys, "removed").expect(204);
    assert_eq!(plans_of(&keys, "removed"), [""; 0]);
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
    change(&keys, "mobile", &active_on("partner")).expect(200);
    let both = ["partnerusageplan", "standardusageplan"];
    assert_eq!(plans_of(&keys, "mobile"), both);
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
    put(&keys.own, &keys.gateway, &[item]);
    let read = || {
        keys.answer(Event::new("GET", "/clients/by-hand"))
            .expect(200)
    };
    assert_eq!(read().body["created_at"], Value::Null);
    register(&keys, "by-hand").problem("conflict");
    change(&keys, "by-hand", &json!({"status": "active"})).expect(200);
    assert_eq!(plans_of(&keys, "by-hand"), ["standardusageplan"]);
    let list = keys.answer(Event::new("GET", "/clients")).expect(200);
    assert_eq!(list.body["items"], json!([read().body]));
    let get = json!({"TableName": KEY_TABLE, "Key": {"pk": {"S": "client#by-hand"}}});
    let item = dynamodb(&keys.own, &keys.gateway, "GetItem", &get);
    assert_eq!(item["Item"]["note"]["S"], "kept");
}

fn whoever_a_record_lets_in_can_be_shut_out_by_it(target: &Target) {
    let keys = KeysFunction::start(target);
    let item = json!({
        "pk": {"S": "client#by-hand"}, "status": {"S": "active"}, "name": {"N": "1"},
        "usage_key_id": {"BOOL": true}, "usage_plan": {"L": []},
    });
    put(&keys.own, &keys.gateway, &[item]);
    let revoked = json!({"status": "revoked"});
    let changed = change(&keys, "by-hand", &revoked).expect(200);
    assert_eq!(changed.body["status"], "revoked");
    change(&keys, "by-hand", &active_on("partner")).expect(200);
    assert_eq!(plans_of(&keys, "by-hand"), ["partnerusageplan"]);
    let long = "l".repeat(1024);
    register(&keys, &long).expect(201);
    change(&keys, &long, &revoked).expect(200);
    remove(&keys, &long).expect(204);
    assert_eq!(keys.usage_keys().len(), 1);
}

fn no_client_is_registered_where_none_is_looked_up(target: &Target) {
    let keys = KeysFunction::with(target, &[("OAUTH_REVOCATION", "jti")]);
    register(&keys, "mobile").problem("conflict");
    change(&keys, "mobile", &json!({"status": "revoked"})).problem("conflict");
}

fn without_usage_plans_a_client_is_shut_out_all_the_same(target: &Target) {
    let keys = KeysFunction::with(target, &[]);
    register(&keys, "mobile").expect(201);
    let revoked = json!({"status": "revoked"});
    let changed = change(&keys, "mobile", &revoked).expect(200);
    assert_eq!(changed.body["status"], "revoked");
    change(&keys, "mobile", &active_on("standard")).problem("invalid-body");
    remove(&keys, "mobile").expect(204);
    assert_eq!(keys.api_gateway.calls(), [""; 0]);
}

/// Puts so many clients into the table, as if they had been registered a second after each other.
fn fill(keys: &KeysFunction, clients: usize) {
    let item = |number: usize| {
        json!({
            "pk": {"S": format!("client#filling-{number}")}, "status": {"S": "active"},
            "owner": {"S": "\"oauth-clients\""}, "created_at": {"N": number.to_string()},
            "usage_key": {"S": format!("keygate-usage-{number:012}")},
            "usage_key_id": {"S": format!("{number:010}")}, "usage_plan": {"S": "standard"},
        })
    };
    let items: Vec<Value> = (1..=clients).map(item).collect();
    put(&keys.own, &keys.gateway, &items);
}

fn with_10_000_clients_each_request_reads_as_little_as_with_one(target: &Target) {
    let keys = KeysFunction::start(target);
    fill(&keys, 10_000);
    // Each plan is looked up once.
    let id = keys.issue();
    let partner = active_on("partner");
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
