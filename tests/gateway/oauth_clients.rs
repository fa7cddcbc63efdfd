//! The resource `/clients`: registering OAuth clients, putting them on a plan, shutting them out and
//! removing them; and `keygate clients`, which does the same for an operator.

use keygate_tests::event::Event;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::faulty::{ALWAYS, CONFLICT, Fault, REFUSED, THROTTLED, UNAVAILABLE};
use crate::keys::text;
use crate::keys_function::{Answer, KeysFunction};
use crate::operator::said;
use crate::services::{KEY_TABLE, STACK, dynamodb, usage_key_of};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::keygate::Keygate;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_client_is_registered_read_changed_and_removed;
    a_client_is_registered_once;
    a_client_whose_id_is_an_address_has_a_path;
    a_client_that_never_was_is_not_found;
    a_client_that_cannot_be_registered_is_refused_with_each_field_named;
    clients_need_their_own_scope;
    a_client_that_is_shut_out_is_refused_at_once_until_it_is_let_in_again needs "authorizer-flush";
    a_record_of_another_issuers_client_neither_meters_nor_shuts_out needs "own-gateway";
    clients_are_listed_in_pages_in_the_order_of_their_registration needs "own-gateway";
    each_client_has_a_usage_key_of_its_own_on_its_plan needs "own-gateway";
    a_step_that_fails_while_a_client_is_registered_leaves_nothing_behind needs "own-gateway";
    a_change_that_is_not_finished_says_so_and_is_finished_when_sent_again needs "own-gateway";
    a_record_that_somebody_wrote_by_hand_is_taken_over needs "own-gateway";
    without_usage_plans_a_client_is_shut_out_all_the_same needs "own-gateway";
    with_10_000_clients_each_request_reads_as_little_as_with_one needs "own-gateway";
    an_operator_registers_plans_shuts_out_and_removes_a_client needs "own-gateway";
    an_operators_mistake_is_named_in_one_line needs "own-gateway";
}

fn new_client() -> String {
    format!("client-{}", Uuid::new_v4())
}

fn a_client_is_registered_read_changed_and_removed(target: &Target) {
    let token = target.token();
    let client = new_client();
    let body = json!({"client_id": client, "name": "é", "usage_plan": "standard"});
    let registered = target.post("/clients").bearer(&token).json(&body).send();
    let registered = registered.expect(201);
    let path = format!("/clients/{client}");
    assert!(registered.must_header("location").ends_with(&path));
    let registered = registered.json();
    let created_at = text(&registered, "created_at");
    let expected = json!({
        "client_id": client, "issuer": null, "name": "é", "status": "active",
        "usage_plan": "standard", "created_at": created_at,
    });
    assert_eq!(registered, expected);
    let read = || target.get(&path).bearer(&token).send();
    assert_eq!(read().expect(200).json(), expected);

    let body = json!({"status": "active", "usage_plan": "partner"});
    let changed = target.put(&path).bearer(&token).json(&body).send();
    let changed = changed.expect(200).json();
    assert_eq!(
        (&changed["usage_plan"], &changed["name"]),
        (&json!("partner"), &Value::Null)
    );
    assert_eq!(changed["created_at"], registered["created_at"]);
    assert_eq!(read().expect(200).json(), changed);

    let removed = target.delete(&path).bearer(&token).send().expect(204);
    assert_eq!(removed.body, "");
    read().problem(404, "not-found");
}

fn a_client_is_registered_once(target: &Target) {
    let token = target.token();
    let body = json!({"client_id": new_client()});
    let register = || target.post("/clients").bearer(&token).json(&body).send();
    register().expect(201);
    register().problem(409, "conflict");
}

fn a_client_whose_id_is_an_address_has_a_path(target: &Target) {
    let token = target.token();
    let client = format!("https://{}.example/client?a=b%20c", Uuid::new_v4());
    let body = json!({"client_id": client});
    let registered = target.post("/clients").bearer(&token).json(&body).send();
    let registered = registered.expect(201);
    let location = registered.must_header("location");
    let path = &location[location.find("/clients/").unwrap()..];
    let read = target.get(path).bearer(&token).send().expect(200);
    assert_eq!(read.json()["client_id"], json!(client));
    target.delete(path).bearer(&token).send().expect(204);
}

fn a_client_that_never_was_is_not_found(target: &Target) {
    let token = target.token();
    for id in [new_client().as_str(), "%22", "a%5Cb"] {
        let path = format!("/clients/{id}");
        target
            .get(&path)
            .bearer(&token)
            .send()
            .problem(404, "not-found");
        let removed = target.delete(&path).bearer(&token).send();
        removed.problem(404, "not-found");
        let call = target.put(&path).bearer(&token);
        let changed = call.json(&json!({"status": "revoked"})).send();
        changed.problem(404, "not-found");
    }
}

fn a_client_that_cannot_be_registered_is_refused_with_each_field_named(target: &Target) {
    let token = target.token();
    let client = new_client();
    for (body, field) in [
        (json!({}), "client_id"),
        (json!({"client_id": "a\"b"}), "client_id"),
        (
            json!({"client_id": client, "usage_plan": "none"}),
            "usage_plan",
        ),
        (json!({"client_id": client, "status": "gone"}), "status"),
        (json!({"client_id": client, "issuer": ""}), "issuer"),
        (json!({"client_id": client, "scopes": []}), "scopes"),
    ] {
        let refused = target.post("/clients").bearer(&token).json(&body).send();
        let problem = refused.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    let path = format!("/clients/{client}");
    target
        .get(&path)
        .bearer(&token)
        .send()
        .problem(404, "not-found");
}

fn clients_need_their_own_scope(target: &Target) {
    let token = target.token_with(&[("scope", "books:read books:write")]);
    let call = target.post("/clients").bearer(&token);
    let refused = call.json(&json!({"client_id": new_client()})).send();
    refused.gateway_problem(403, "insufficient-scope");
    let refused = target.delete("/clients/a").bearer(&token).send();
    refused.gateway_problem(403, "insufficient-scope");
}

fn a_client_that_is_shut_out_is_refused_at_once_until_it_is_let_in_again(target: &Target) {
    let admin = target.token();
    let client = new_client();
    let credential = format!("Bearer {}", target.token_with(&[("client_id", &client)]));
    // Its answer is cached from here on.
    list(target, &credential).expect(200);
    let body = json!({"client_id": client, "status": "revoked"});
    target
        .post("/clients")
        .bearer(&admin)
        .json(&body)
        .send()
        .expect(201);
    is_unauthorized(target, &list(target, &credential));
    let path = format!("/clients/{client}");
    let change = |status: &str| {
        let call = target.put(&path).bearer(&admin);
        call.json(&json!({"status": status})).send().expect(200);
    };
    change("active");
    list(target, &credential).expect(200);
    change("revoked");
    is_unauthorized(target, &list(target, &credential));
    // Without a record it is a client like any other.
    target.delete(&path).bearer(&admin).send().expect(204);
    list(target, &credential).expect(200);
}

fn a_record_of_another_issuers_client_neither_meters_nor_shuts_out(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "QuotaLimit=1"]);
    let admin = own.token();
    let register = |client: &str, issuer: &str, status: &str| {
        let body = json!({"client_id": client, "issuer": issuer, "status": status});
        own.post("/clients")
            .bearer(&admin)
            .json(&body)
            .send()
            .expect(201);
        format!("Bearer {}", own.token_with(&[("client_id", client)]))
    };
    for status in ["active", "revoked"] {
        let credential = register(status, "https://login.other.example", status);
        for _ in 0..3 {
            list(&own, &credential).expect(200);
        }
    }
    let metered = register("metered", &gateway.ready.issuer, "active");
    list(&own, &metered).expect(200);
    list(&own, &metered).problem(429, "quota-exceeded");
    let shut_out = register("shut-out", &gateway.ready.issuer, "revoked");
    is_unauthorized(&own, &list(&own, &shut_out));
}

fn clients_are_listed_in_pages_in_the_order_of_their_registration(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let token = own.token();
    let mut registered: Vec<String> = (0..3).map(|_| new_client()).collect();
    for client in &registered {
        let body = json!({"client_id": client});
        own.post("/clients")
            .bearer(&token)
            .json(&body)
            .send()
            .expect(201);
    }
    let mut listed = Vec::new();
    let mut path = "/clients?limit=2".to_owned();
    for page in 0.. {
        assert!(page < 3, "the list does not end");
        let list = own.get(&path).bearer(&token).send().expect(200).json();
        let clients = list["items"].as_array().unwrap();
        listed.extend(
            clients
                .iter()
                .map(|client| text(client, "client_id").to_owned()),
        );
        match list["next_cursor"].as_str() {
            Some(cursor) => path = format!("/clients?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    registered.sort();
    listed.sort();
    assert_eq!(listed, registered);
    // And none of them is anybody's key.
    let keys = own.get("/keys").bearer(&token).send().expect(200);
    assert_eq!(keys.json()["items"], json!([]));
    for query in ["limit=0", "cursor=nonsense", "cursor=e30"] {
        let list = own.get(&format!("/clients?{query}")).bearer(&token).send();
        list.problem(400, "bad-request");
    }
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
    reads("listing keys", &["Query"], 2, &|| {
        keys.answer(Event::new("GET", "/keys")).expect(200);
    });
    reads("revoking a key", &["UpdateItem"], 0, &|| {
        drop(keys.revoke(&id).expect(204));
    });
}

/// Runs a command that must succeed, and reads the JSON that it prints.
#[track_caller]
fn run(target: &Target, gateway: &Keygate, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    let output = target.build().clients(gateway, &arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    assert_eq!(said(&output), "");
    serde_json::from_slice(&output.stdout).expect("JSON is printed")
}

fn an_operator_registers_plans_shuts_out_and_removes_a_client(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let credential = format!("Bearer {}", own.token_with(&[("client_id", "mobile")]));
    list(&own, &credential).expect(200);
    let issuer = gateway.ready.issuer.clone();
    let created = run(target, &gateway, &["create", "mobile", "--issuer", &issuer]);
    assert_eq!(created["issuer"], json!(issuer));
    assert_eq!(created["usage_plan"], "standard");
    let planned = run(target, &gateway, &["plan", "mobile", "partner"]);
    assert_eq!(planned["usage_plan"], "partner");
    let usage_key = usage_key_of(&own, &gateway, "client#mobile").unwrap();
    assert_eq!(usage_key.plan.as_deref(), Some("partnerusageplan"));
    list(&own, &credential).expect(200);
    let revoked = run(target, &gateway, &["revoke", "mobile"]);
    assert_eq!(
        (&revoked["status"], &revoked["usage_plan"]),
        (&json!("revoked"), &json!("partner"))
    );
    is_unauthorized(&own, &list(&own, &credential));
    assert_eq!(run(target, &gateway, &["show", "mobile"]), revoked);
    assert_eq!(run(target, &gateway, &["list"]), json!([revoked]));
    run(target, &gateway, &["restore", "mobile"]);
    list(&own, &credential).expect(200);
    let removed = run(target, &gateway, &["remove", "mobile"]);
    let expected = json!({"client_id": "mobile", "removed": true, "flushed": true});
    assert_eq!(removed, expected);
    list(&own, &credential).expect(200);
    assert_eq!(run(target, &gateway, &["list"]), json!([]));
    assert_eq!(usage_key_of(&own, &gateway, "client#mobile"), None);
}

fn an_operators_mistake_is_named_in_one_line(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    run(target, &gateway, &["create", "there"]);
    for (arguments, code, word) in [
        (&["show", "nobody"][..], 1, "nobody"),
        (&["revoke", "nobody"], 1, "nobody"),
        (&["remove", "nobody"], 1, "nobody"),
        (&["create", "there"], 1, "registered already"),
        (&["create", "a\"b"], 64, "quotes"),
        (&["create", "other", "--usage-plan", "none"], 64, "none"),
        (&["plan", "there", "none"], 64, "none"),
        (&["list", "--stack", "a"], 64, "--table"),
    ] {
        let output = target.build().clients(&gateway, arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}
