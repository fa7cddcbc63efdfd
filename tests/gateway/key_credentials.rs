//! API keys as credentials: each row of the authorizer's decision table that a key reaches.

use serde_json::json;

use crate::keys::{issue, text};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_key_opens_the_routes_of_its_scopes_under_either_scheme;
    a_key_acts_for_its_owner;
    a_key_that_is_mistyped_is_unauthorized;
    a_key_that_no_table_knows_is_unauthorized needs "own-gateway";
    a_former_secret_works_while_its_grace_period_runs;
    the_seeded_key_works_at_once needs "own-gateway";
    a_revoked_key_is_refused_once_the_caches_ran_out needs "own-gateway";
    a_former_secret_is_refused_after_its_grace_period needs "own-gateway";
    a_revoked_key_is_refused_at_the_next_request_although_its_answer_was_cached needs "authorizer-flush";
    a_former_secret_without_grace_is_refused_at_the_next_request needs "authorizer-flush";
}

/// A new key of a new client, with these scopes.
fn new_key(target: &Target, scopes: &[&str]) -> String {
    let issued = issue(target, &target.token(), scopes).json();
    text(&issued, "key").to_owned()
}

fn a_key_opens_the_routes_of_its_scopes_under_either_scheme(target: &Target) {
    let key = new_key(target, &["books:read"]);
    for scheme in ["Bearer", "bearer", "ApiKey", "apikey", "APIKEY"] {
        let authorization = format!("{scheme} {key}");
        list(target, &authorization).expect(200);
        let call = target.post("/books").authorization(&authorization);
        let refused = call.json(&json!({"name": "x"})).send();
        refused.gateway_problem(403, "insufficient-scope");
        let refused = target.get("/keys").authorization(&authorization).send();
        refused.gateway_problem(403, "insufficient-scope");
    }
}

fn a_key_acts_for_its_owner(target: &Target) {
    let owner = target.token();
    let issued = issue(target, &owner, &["books:read"]).json();
    let caller = |authorization: &str| {
        let event = list(target, authorization).expect(200).json();
        event["requestContext"]["authorizer"].clone()
    };
    let by_token = caller(&format!("Bearer {owner}"));
    let by_key = caller(&format!("ApiKey {}", text(&issued, "key")));
    assert_eq!(by_key["principal"], by_token["principal"]);
    assert_eq!(by_key["key_id"], issued["id"]);
}

fn a_key_that_is_mistyped_is_unauthorized(target: &Target) {
    let key = new_key(target, &["books:read"]);
    let changed_at = |position: usize| {
        let mut bytes = key.clone().into_bytes();
        bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
        String::from_utf8(bytes).unwrap()
    };
    for mistyped in [
        changed_at(4),
        changed_at(20),
        changed_at(key.len() - 1),
        key[..key.len() - 1].to_owned(),
        format!("{key}a"),
        key.to_ascii_uppercase(),
        key.replacen("kg_", "", 1),
    ] {
        for scheme in ["Bearer", "ApiKey"] {
            is_unauthorized(target, &list(target, &format!("{scheme} {mistyped}")));
        }
    }
    list(target, &format!("ApiKey {key}")).expect(200);
}

fn a_key_that_no_table_knows_is_unauthorized(target: &Target) {
    let (elsewhere, _) = target.own(&[]);
    let key = &elsewhere.ready.api_key;
    is_unauthorized(target, &list(target, &format!("ApiKey {key}")));
}

fn a_former_secret_works_while_its_grace_period_runs(target: &Target) {
    let token = target.token();
    let before = issue(target, &token, &["books:read"]).json();
    let rotate = target.post(&format!("/keys/{}/rotate", text(&before, "id")));
    let rotate = rotate.bearer(&token).json(&json!({"grace_seconds": 600}));
    let after = rotate.send().expect(200).json();
    for key in [text(&before, "key"), text(&after, "key")] {
        list(target, &format!("ApiKey {key}")).expect(200);
    }
}

fn the_seeded_key_works_at_once(target: &Target) {
    let (gateway, own) = target.own(&[]);
    list(&own, &format!("ApiKey {}", gateway.ready.api_key)).expect(200);
}

/// A gateway that keeps no answer of the authorizer.
fn without_caches(target: &Target) -> (Keygate, Target) {
    target.own(&["--parameter", "AuthorizerCacheTtl=0"])
}

/// The key stops working, and with the answer that an unknown one gets.
#[track_caller]
fn is_refused_before_long(target: &Target, key: &str) {
    let refused = wait_for(|| {
        let reply = list(target, &format!("ApiKey {key}"));
        // 503 says nothing of the key.
        (![200, 503].contains(&reply.status)).then_some(reply)
    });
    is_unauthorized(target, &refused.expect("the key stops working"));
}

fn a_revoked_key_is_refused_once_the_caches_ran_out(target: &Target) {
    let (_gateway, own) = without_caches(target);
    let token = own.token();
    let key = issue(&own, &token, &["books:read"]).json();
    list(&own, &format!("ApiKey {}", text(&key, "key"))).expect(200);
    let path = format!("/keys/{}", text(&key, "id"));
    own.delete(&path).bearer(&token).send().expect(204);
    is_refused_before_long(&own, text(&key, "key"));
}

fn a_former_secret_is_refused_after_its_grace_period(target: &Target) {
    let (_gateway, own) = without_caches(target);
    let token = own.token();
    let before = issue(&own, &token, &["books:read"]).json();
    list(&own, &format!("ApiKey {}", text(&before, "key"))).expect(200);
    let rotate = own.post(&format!("/keys/{}/rotate", text(&before, "id")));
    let rotate = rotate.bearer(&token).json(&json!({"grace_seconds": 0}));
    let after = rotate.send().expect(200).json();
    is_refused_before_long(&own, text(&before, "key"));
    list(&own, &format!("ApiKey {}", text(&after, "key"))).expect(200);
}

fn a_revoked_key_is_refused_at_the_next_request_although_its_answer_was_cached(target: &Target) {
    let token = target.token();
    for _ in 0..5 {
        let key = issue(target, &token, &["books:read"]).json();
        let credential = format!("ApiKey {}", text(&key, "key"));
        list(target, &credential).expect(200);
        list(target, &credential).expect(200);
        let path = format!("/keys/{}", text(&key, "id"));
        target.delete(&path).bearer(&token).send().expect(204);
        is_unauthorized(target, &list(target, &credential));
        // Revoked again it is as revoked as before.
        target.delete(&path).bearer(&token).send().expect(204);
        is_unauthorized(target, &list(target, &credential));
    }
}

fn a_former_secret_without_grace_is_refused_at_the_next_request(target: &Target) {
    let token = target.token();
    let before = issue(target, &token, &["books:read"]).json();
    let former = format!("ApiKey {}", text(&before, "key"));
    list(target, &former).expect(200);
    let rotate = target.post(&format!("/keys/{}/rotate", text(&before, "id")));
    let rotate = rotate.bearer(&token).json(&json!({"grace_seconds": 0}));
    let after = rotate.send().expect(200).json();
    is_unauthorized(target, &list(target, &former));
    list(target, &format!("ApiKey {}", text(&after, "key"))).expect(200);
}
