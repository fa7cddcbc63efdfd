//! `keygate keys sweep`: whatever a failure has left, and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::faulty::{ALWAYS, Fault, Faulty, UNAVAILABLE};
use crate::keys::{issue, text};
use crate::operator::{run, said};
use crate::services::{
    KEY_TABLE, STACK, dynamodb, management, pk, set, unset, usage_key_of, usage_keys,
};
use keygate_tests::keygate::Keygate;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_sweep_finds_a_gateway_in_order needs "own-gateway";
    usage_keys_without_a_key_in_use_are_deleted_once_they_are_old_and_no_others needs "own-gateway";
    a_key_in_use_gets_its_usage_key_and_its_plan_again needs "own-gateway";
    what_was_made_before_there_were_tags_and_ids_gets_them needs "own-gateway";
    a_clients_usage_key_is_swept_like_a_keys needs "own-gateway";
    a_table_that_knows_none_of_the_usage_keys_is_taken_for_the_wrong_one needs "own-gateway";
    another_stacks_usage_keys_are_taken_over_only_when_that_is_said needs "own-gateway";
    what_a_sweep_cannot_do_is_named_and_stops_nothing_else needs "own-gateway";
    a_sweep_that_cannot_read_says_so needs "own-gateway";
    a_list_that_does_not_end_ends_the_sweep needs "own-gateway";
}

/// A gateway with its API Gateway behind a listener, for an operator's commands.
fn start(target: &Target) -> (Keygate, Target, Faulty) {
    let (mut gateway, own) = target.own(&[]);
    let api_gateway = Faulty::before(target.reaching(&gateway), &gateway.ready.api_gateway);
    gateway.ready.api_gateway.clone_from(&api_gateway.url);
    (gateway, own, api_gateway)
}

fn sweep(target: &Target, gateway: &Keygate) -> Value {
    run(target, gateway, &["sweep"])
}

/// The ids of issued keys, sorted.
fn issued<const N: usize>(own: &Target) -> [String; N] {
    let token = own.token();
    let mut ids = [(); N].map(|()| {
        let key = issue(own, &token, &["books:read"]).json();
        text(&key, "id").to_owned()
    });
    ids.sort();
    ids
}

fn sorted(ids: &Value) -> Vec<&str> {
    let ids = ids.as_array().unwrap().iter();
    let mut ids: Vec<&str> = ids.map(|id| id.as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn a_sweep_finds_a_gateway_in_order(target: &Target) {
    let (gateway, own) = target.own(&[]);
    issued::<1>(&own);
    let swept = sweep(target, &gateway);
    let nothing = json!([]);
    assert_eq!(
        swept,
        json!({
            "dry_run": false, "in_order": 1, "deleted": nothing, "restored": nothing,
            "young": nothing, "failed": nothing,
        })
    );
}

fn usage_keys_without_a_key_in_use_are_deleted_once_they_are_old_and_no_others(target: &Target) {
    let (gateway, own, api_gateway) = start(target);
    let [kept] = issued(&own);
    let left_over: [String; 3] = issued(&own);
    let [revoked, expired, gone] = &left_over;
    api_gateway.fail("DeleteApiKey", UNAVAILABLE, ALWAYS);
    let unfinished = target.build().keys(&gateway, &["revoke", revoked]);
    assert_eq!(unfinished.status.code(), Some(1));
    assert!(
        said(&unfinished).contains("is revoked"),
        "{}",
        said(&unfinished)
    );
    api_gateway.recover();
    set(&own, &gateway, expired, "expires_at", &json!({"N": "1000"}));
    let delete = json!({"TableName": KEY_TABLE, "Key": pk(gone)});
    dynamodb(&own, &gateway, "DeleteItem", &delete);
    // What others have made: another stack, and somebody by hand, also with names and values like
    // those here.
    let tag = |stack: &str| json!({"keygate:stack": stack});
    let others = [
        (
            "keygate-other.000000000000",
            "keygate-usage-000000000000",
            tag("keygate-other"),
        ),
        (
            "keygate-local.000000000001",
            "keygate-usage-000000000001",
            json!({}),
        ),
        ("keygate-local.by-hand", "keygate-usage-by-hand", json!({})),
        (
            "another",
            "a-value-of-somebody-else",
            json!({"keygate": STACK}),
        ),
    ];
    for (name, value, tags) in others {
        let key = json!({"name": name, "value": value, "enabled": true, "tags": tags});
        management(&own, &gateway, Method::POST, "/apikeys", &key).expect(201);
    }
    let before = usage_keys(&own, &gateway, "").len();

    // At first they may belong to keys that are being issued.
    let swept = sweep(target, &gateway);
    assert_eq!(sorted(&swept["young"]), left_over);
    assert_eq!(swept["deleted"], json!([]));
    api_gateway.age(15 * 60);
    let dry = run(target, &gateway, &["sweep", "--dry-run"]);
    assert_eq!(dry["dry_run"], json!(true));
    assert_eq!(sorted(&dry["deleted"]), left_over);
    assert_eq!(usage_keys(&own, &gateway, "").len(), before);
    let swept = sweep(target, &gateway);
    assert_eq!(sorted(&swept["deleted"]), left_over);
    assert_eq!(
        (&swept["in_order"], &swept["restored"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(usage_keys(&own, &gateway, "").len(), before - 3);
    assert!(usage_key_of(&own, &gateway, &kept).is_some());
    // A second one finds nothing to do.
    assert_eq!(sweep(target, &gateway)["deleted"], json!([]));
}

fn a_key_in_use_gets_its_usage_key_and_its_plan_again(target: &Target) {
    let (gateway, own, _) = start(target);
    let [gone, planless, kept] = issued(&own);
    let token = own.token();
    let body = json!({"name": "b", "scopes": ["books:read"], "usage_plan": "partner"});
    let partner = own.post("/keys").bearer(&token).json(&body).send();
    let partner = text(&partner.expect(201).json(), "id").to_owned();
    let delete = |path: &str| {
        management(&own, &gateway, Method::DELETE, path, &Value::Null).expect(202);
    };
    for id in [&gone, &partner] {
        let usage_key = usage_key_of(&own, &gateway, id).unwrap();
        delete(&format!("/apikeys/{}", usage_key.id));
    }
    let usage_key = usage_key_of(&own, &gateway, &planless).unwrap();
    delete(&format!(
        "/usageplans/standardusageplan/keys/{}",
        usage_key.id
    ));

    let swept = sweep(target, &gateway);
    let mut restored = [&gone, &partner, &planless];
    restored.sort();
    assert_eq!(sorted(&swept["restored"]), restored);
    assert_eq!(
        (&swept["in_order"], &swept["failed"]),
        (&json!(1), &json!([]))
    );
    for (id, plan) in [
        (&gone, "standardusageplan"),
        (&planless, "standardusageplan"),
        (&kept, "standardusageplan"),
        (&partner, "partnerusageplan"),
    ] {
        let usage_key = usage_key_of(&own, &gateway, id).unwrap();
        assert_eq!(usage_key.plan.as_deref(), Some(plan));
    }
    let again = sweep(target, &gateway);
    assert_eq!(
        (&again["in_order"], &again["restored"]),
        (&json!(4), &json!([]))
    );
}

fn what_was_made_before_there_were_tags_and_ids_gets_them(target: &Target) {
    let (gateway, own, api_gateway) = start(target);
    let [former, revoked] = issued(&own);
    let usage_keys_of_before = |id: &str| {
        let usage_key = usage_key_of(&own, &gateway, id).unwrap();
        let path = format!("/apikeys/{}", usage_key.id);
        management(&own, &gateway, Method::DELETE, &path, &Value::Null).expect(202);
        let name = format!("{KEY_TABLE}.{id}");
        let key = json!({"name": name, "value": usage_key.value, "enabled": true});
        let made = management(&own, &gateway, Method::POST, "/apikeys", &key).expect(201);
        let made = text(&made.json(), "id").to_owned();
        let member = json!({"keyId": made, "keyType": "API_KEY"});
        let path = "/usageplans/standardusageplan/keys";
        management(&own, &gateway, Method::POST, path, &member).expect(201);
        unset(&own, &gateway, id, "usage_key_id");
        made
    };
    let kept = usage_keys_of_before(&former);
    usage_keys_of_before(&revoked);
    set(&own, &gateway, &revoked, "status", &json!({"S": "revoked"}));
    api_gateway.age(15 * 60);
    let swept = sweep(target, &gateway);
    assert_eq!(swept["restored"], json!([former]));
    assert_eq!(swept["deleted"], json!([revoked]));
    let all = usage_keys(&own, &gateway, KEY_TABLE);
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0].id, all[0].stack.as_deref()), (&kept, Some(STACK)));
    // From now on it is deleted with its key.
    run(target, &gateway, &["revoke", &former]);
    assert_eq!(usage_keys(&own, &gateway, KEY_TABLE), []);
}

fn a_clients_usage_key_is_swept_like_a_keys(target: &Target) {
    let (gateway, own, api_gateway) = start(target);
    let token = own.token();
    for client in ["kept", "gone", "lacking"] {
        let call = own.post("/clients").bearer(&token);
        call.json(&json!({"client_id": client})).send().expect(201);
    }
    let delete = json!({"TableName": KEY_TABLE, "Key": {"pk": {"S": "client#gone"}}});
    dynamodb(&own, &gateway, "DeleteItem", &delete);
    let usage_key = usage_key_of(&own, &gateway, "client#lacking").unwrap();
    let path = format!("/apikeys/{}", usage_key.id);
    management(&own, &gateway, Method::DELETE, &path, &Value::Null).expect(202);
    let swept = sweep(target, &gateway);
    assert_eq!(swept["young"], json!(["client#gone"]));
    assert_eq!(swept["restored"], json!(["client#lacking"]));
    let again = usage_key_of(&own, &gateway, "client#lacking").unwrap();
    assert_eq!(again.value, usage_key.value);
    assert_eq!(again.plan.as_deref(), Some("standardusageplan"));
    api_gateway.age(15 * 60);
    let swept = sweep(target, &gateway);
    assert_eq!(swept["deleted"], json!(["client#gone"]));
    assert_eq!(swept["in_order"], json!(2));
}

fn a_table_that_knows_none_of_the_usage_keys_is_taken_for_the_wrong_one(target: &Target) {
    let (gateway, own, api_gateway) = start(target);
    let ids: [String; 2] = issued(&own);
    for id in &ids {
        let delete = json!({"TableName": KEY_TABLE, "Key": pk(id)});
        dynamodb(&own, &gateway, "DeleteItem", &delete);
    }
    api_gateway.age(15 * 60);
    fails(target, &gateway, "--force");
    assert_eq!(usage_keys(&own, &gateway, STACK).len(), 3);
    let dry = run(target, &gateway, &["sweep", "--dry-run"]);
    assert_eq!(sorted(&dry["deleted"]), ids);
    let swept = run(target, &gateway, &["sweep", "--force"]);
    assert_eq!(sorted(&swept["deleted"]), ids);
}

fn another_stacks_usage_keys_are_taken_over_only_when_that_is_said(target: &Target) {
    let (gateway, own, _) = start(target);
    let [taken, _] = issued(&own);
    let usage_key = usage_key_of(&own, &gateway, &taken).unwrap();
    let tag = |stack: &str| {
        let arn = format!("arn:aws:apigateway:us-east-1::/apikeys/{}", usage_key.id);
        let path = format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"));
        let tags = json!({"tags": {"keygate:stack": stack}});
        management(&own, &gateway, Method::PUT, &path, &tags).expect(204);
    };
    let stack = || usage_key_of(&own, &gateway, &taken).unwrap().stack;
    tag("keygate-prod");
    let output = target
        .build()
        .keys(&gateway, &["sweep", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let swept: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(swept["failed"][0][0], json!(taken));
    let reason = swept["failed"][0][1].to_string();
    assert!(reason.contains("--adopt-from keygate-prod"), "{reason}");
    assert_eq!(stack().as_deref(), Some("keygate-prod"));
    let arguments = ["sweep", "--adopt-from", "keygate-prod"];
    let swept = run(target, &gateway, &arguments);
    assert_eq!(swept["restored"], json!([taken]));
    assert_eq!(stack().as_deref(), Some(STACK));
}

fn what_a_sweep_cannot_do_is_named_and_stops_nothing_else(target: &Target) {
    let (gateway, own, _) = start(target);
    let [unknown_plan, gone] = issued(&own);
    let former = json!({"S": "former"});
    set(&own, &gateway, &unknown_plan, "usage_plan", &former);
    let broken = "000000000003";
    set(&own, &gateway, broken, "owner", &json!({"S": "me"}));
    let usage_key = usage_key_of(&own, &gateway, &gone).unwrap();
    let path = format!("/apikeys/{}", usage_key.id);
    management(&own, &gateway, Method::DELETE, &path, &Value::Null).expect(202);
    let output = target
        .build()
        .keys(&gateway, &["sweep", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let swept: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(swept["restored"], json!([gone]));
    let failed = &swept["failed"];
    assert_eq!(failed[0][0], format!("key#{broken}"));
    assert_eq!(failed[1][0], json!(unknown_plan));
    assert!(failed[1][1].to_string().contains("former"), "{failed}");
    assert_eq!(failed.as_array().unwrap().len(), 2);
}

/// The sweep ends with one line that has this word.
#[track_caller]
fn fails(target: &Target, gateway: &Keygate, word: &str) {
    let output = target.build().keys(gateway, &["sweep"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(word), "{said}");
    assert!(output.stdout.is_empty());
}

fn a_sweep_that_cannot_read_says_so(target: &Target) {
    let (gateway, _, api_gateway) = start(target);
    for operation in ["GetApiKeys", "GetUsagePlans", "GetUsagePlanKeys"] {
        api_gateway.fail(operation, UNAVAILABLE, ALWAYS);
        fails(target, &gateway, "ServiceUnavailableException");
        api_gateway.recover();
    }
    api_gateway.fail("GetApiKeys", Fault::Hangs, ALWAYS);
    fails(target, &gateway, "is the gateway running?");
}

fn a_list_that_does_not_end_ends_the_sweep(target: &Target) {
    let (gateway, _, api_gateway) = start(target);
    api_gateway.fail("GetApiKeys", Fault::Endless, ALWAYS);
    fails(target, &gateway, "not ended");
}
