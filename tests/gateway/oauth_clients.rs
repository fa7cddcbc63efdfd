//! The resource `/clients`: registering OAuth clients, putting them on a plan, shutting them out and
//! removing them; and `keygate clients`, which does the same for an operator.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::keys::text;
use crate::operator::said;
use crate::services::{STACK, put, usage_key_of, usage_keys};
use crate::tokens::{is_unauthorized, list, part};
use keygate_tests::keygate::Keygate;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_client_is_registered_read_changed_and_removed;
    a_client_is_registered_once;
    a_client_whose_id_is_an_address_has_a_path needs "encoded-slash";
    a_client_that_never_was_is_not_found;
    a_client_that_cannot_be_registered_is_refused_with_each_field_named;
    clients_need_their_own_scope;
    a_client_that_is_shut_out_is_refused_at_once_until_it_is_let_in_again needs "authorizer-flush";
    a_record_of_another_issuers_client_neither_meters_nor_shuts_out needs "own-gateway";
    clients_are_listed_in_pages_in_the_order_of_their_registration needs "own-gateway";
    a_client_whose_plan_was_changed_is_let_in_by_what_is_remembered_too needs "own-gateway";
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
    let credential = |client: &str| format!("Bearer {}", own.token_with(&[("client_id", client)]));
    let register = |client: &str, issuer: &str, status: &str| {
        let body = json!({"client_id": client, "issuer": issuer, "status": status});
        own.post("/clients").bearer(&admin).json(&body).send()
    };
    let other = "https://login.other.example";
    let untrusted = register("active", other, "active").problem(422, "invalid-body");
    assert_eq!(untrusted["errors"][0]["field"], "issuer");
    for status in ["active", "revoked"] {
        // As it may be left where issuers were several.
        let item = json!({
            "pk": {"S": format!("client#{status}")}, "status": {"S": status},
            "issuer": {"S": other}, "usage_key": {"S": "keygate-usage-of-another"},
        });
        put(&own, &gateway, &[item]);
        let credential = credential(status);
        for _ in 0..3 {
            list(&own, &credential).expect(200);
        }
    }
    let register = |client: &str, status: &str| {
        register(client, &gateway.ready.issuer, status).expect(201);
        credential(client)
    };
    let metered = register("metered", "active");
    list(&own, &metered).expect(200);
    list(&own, &metered).problem(429, "quota-exceeded");
    let shut_out = register("shut-out", "revoked");
    is_unauthorized(&own, &list(&own, &shut_out));
}

fn clients_are_listed_in_pages_in_the_order_of_their_registration(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let registered = ["third", "first", "second"];
    for (client, second) in registered.into_iter().zip(1..) {
        let item = json!({
            "pk": {"S": format!("client#{client}")}, "status": {"S": "active"},
            "owner": {"S": "\"oauth-clients\""}, "created_at": {"N": second.to_string()},
        });
        put(&own, &gateway, &[item]);
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
    assert_eq!(listed, registered);
    // And none of them is anybody's key.
    let keys = own.get("/keys").bearer(&token).send().expect(200);
    assert_eq!(keys.json()["items"], json!([]));
    // Behind the others a cursor of the form, whose name is too long for any client.
    let long = part(&json!(["a".repeat(1_025), 1]));
    let long = format!("cursor={long}");
    for query in ["limit=0", "cursor=nonsense", "cursor=e30", &long] {
        let list = own.get(&format!("/clients?{query}")).bearer(&token).send();
        list.problem(400, "bad-request");
    }
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

fn a_client_whose_plan_was_changed_is_let_in_by_what_is_remembered_too(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "KeyCacheTtl=600"]);
    run(target, &gateway, &["create", "mobile"]);
    let credential = format!("Bearer {}", own.token_with(&[("client_id", "mobile")]));
    list(&own, &credential).expect(200);
    run(target, &gateway, &["plan", "mobile", "partner"]);
    // The authorizer is asked again, and remembers the record of before.
    list(&own, &credential).expect(200);
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
    let usage_keys = usage_keys(&own, &gateway, &format!("{STACK}.client%23mobile"));
    let plans: Vec<_> = usage_keys.iter().map(|key| key.plan.as_deref()).collect();
    assert_eq!(plans.len(), 2);
    assert!(plans.contains(&Some("partnerusageplan")), "{plans:?}");
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
