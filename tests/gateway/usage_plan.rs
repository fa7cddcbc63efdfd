//! The usage plan: rate, burst and quota, each reached on a gateway of its own.

use crate::cors::{ALLOWED, is_readable_by};
use crate::keys::text;
use crate::tokens::list;
use keygate_tests::call::Reply;
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;
use serde_json::json;
use tempfile::TempDir;

keygate_tests::tests! { for Target:
    a_client_that_sends_too_fast_is_told_so_and_served_again_later needs "usage-plans", "own-gateway";
    a_client_that_used_up_its_quota_is_told_so needs "usage-plans", "own-gateway";
    what_was_not_let_in_is_not_counted needs "usage-plans", "own-gateway";
    an_api_key_is_metered_like_a_token needs "usage-plans", "own-gateway";
    each_issued_key_is_metered_by_itself_and_on_its_plan needs "usage-plans", "own-gateway";
    each_registered_client_is_metered_by_itself_and_on_its_plan needs "usage-plans", "own-gateway";
    clients_that_nobody_registered_share_a_plan_without_a_quota needs "usage-plans", "own-gateway";
    the_plan_partner_takes_more_at_once_than_standard needs "usage-plans", "own-gateway";
    issued_keys_are_metered_on_their_plan_after_a_restart needs "usage-plans", "restart", "own-gateway";
}

fn own(target: &Target, settings: &[&str]) -> (Keygate, Target) {
    let parameters: Vec<&str> = settings
        .iter()
        .flat_map(|setting| ["--parameter", setting])
        .collect();
    target.own(&parameters)
}

/// `GET /books` as a browser sends it.
fn browse(target: &Target, credential: &str) -> Reply {
    let call = target.get("/books").authorization(credential);
    call.header("origin", ALLOWED).send()
}

/// Sends until an answer is other than 200, at most 200 times.
fn until_refused(target: &Target, credential: &str) -> (usize, Reply) {
    let mut answers = (0..200).map(|_| browse(target, credential)).enumerate();
    let refused = answers.find(|(_, reply)| reply.status != 200);
    refused.expect("a limit is reached")
}

/// Registers a client on a plan, and gives a token of it as a credential.
fn registered(target: &Target, client: &str, plan: &str) -> String {
    let call = target.post("/clients").bearer(&target.token());
    let body = json!({"client_id": client, "usage_plan": plan});
    let registered = call.json(&body).send().expect(201).json();
    assert_eq!(registered["usage_plan"], plan);
    format!("Bearer {}", target.token_with(&[("client_id", client)]))
}

fn a_client_that_sends_too_fast_is_told_so_and_served_again_later(target: &Target) {
    let (_gateway, own) = own(target, &["RateLimit=1", "BurstLimit=3"]);
    let credential = registered(&own, "fast", "standard");
    let (served, refused) = until_refused(&own, &credential);
    assert!(served >= 3, "the burst is 3, and {served} were served");
    refused.problem(429, "too-many-requests");
    is_readable_by(&refused, ALLOWED);
    let seconds: u64 = refused.must_header("retry-after").parse().unwrap();
    assert!(seconds > 0);
    // What needs no credential is not metered by client.
    own.get("/problems").send().expect(200);
    let served = wait_for(|| {
        let reply = browse(&own, &credential);
        (reply.status != 429).then_some(reply)
    });
    served.expect("the client is served again").expect(200);
}

fn a_client_that_used_up_its_quota_is_told_so(target: &Target) {
    let (_gateway, own) = own(target, &["QuotaLimit=3"]);
    let credential = registered(&own, "busy", "standard");
    let (served, refused) = until_refused(&own, &credential);
    assert_eq!(served, 3);
    refused.problem(429, "quota-exceeded");
    is_readable_by(&refused, ALLOWED);
    browse(&own, &credential).problem(429, "quota-exceeded");
}

fn what_was_not_let_in_is_not_counted(target: &Target) {
    let (_gateway, own) = own(target, &["QuotaLimit=3"]);
    let credential = registered(&own, "refused", "standard");
    for _ in 0..5 {
        list(&own, "Bearer x").expect(401);
        own.get("/books").send().expect(401);
        own.get("/nothing")
            .authorization(&credential)
            .send()
            .expect(404);
        own.get("/problems")
            .authorization(&credential)
            .send()
            .expect(200);
    }
    assert_eq!(until_refused(&own, &credential).0, 3);
}

fn an_api_key_is_metered_like_a_token(target: &Target) {
    let (_gateway, own) = own(target, &["QuotaLimit=2"]);
    let credential = issue_on(&own, &own.token(), "standard");
    let (served, refused) = until_refused(&own, &credential);
    assert_eq!(served, 2);
    refused.problem(429, "quota-exceeded");
}

/// Issues a key on a usage plan, as a credential.
fn issue_on(target: &Target, token: &str, plan: &str) -> String {
    let body = json!({"name": plan, "scopes": ["books:read"], "usage_plan": plan});
    let issued = target.post("/keys").bearer(token).json(&body).send();
    let issued = issued.expect(201).json();
    assert_eq!(issued["usage_plan"], plan);
    format!("ApiKey {}", text(&issued, "key"))
}

fn each_issued_key_is_metered_by_itself_and_on_its_plan(target: &Target) {
    let (_gateway, own) = own(target, &["QuotaLimit=5", "PartnerQuotaLimit=8"]);
    let token = own.token();
    for (plan, quota) in [("standard", 5), ("standard", 5), ("partner", 8)] {
        let credential = issue_on(&own, &token, plan);
        let (served, refused) = until_refused(&own, &credential);
        assert_eq!(served, quota, "{plan}");
        refused.problem(429, "quota-exceeded");
    }
}

fn each_registered_client_is_metered_by_itself_and_on_its_plan(target: &Target) {
    let (_gateway, own) = own(target, &["QuotaLimit=5", "PartnerQuotaLimit=8"]);
    for (client, plan, quota) in [
        ("one", "standard", 5),
        ("other", "standard", 5),
        ("large", "partner", 8),
    ] {
        let credential = registered(&own, client, plan);
        let (served, refused) = until_refused(&own, &credential);
        assert_eq!(served, quota, "{client}");
        refused.problem(429, "quota-exceeded");
    }
    // Whoever used up a quota gets on with a larger plan at once.
    let call = own.put("/clients/one").bearer(&own.token());
    let body = json!({"status": "active", "usage_plan": "partner"});
    call.json(&body).send().expect(200);
    let credential = format!("Bearer {}", own.token_with(&[("client_id", "one")]));
    assert_eq!(until_refused(&own, &credential).0, 8);
}

fn clients_that_nobody_registered_share_a_plan_without_a_quota(target: &Target) {
    let settings = [
        "QuotaLimit=1",
        "BurstLimit=1",
        "UnregisteredRateLimit=1",
        "UnregisteredBurstLimit=20",
    ];
    let (_gateway, own) = own(target, &settings);
    let tokens = [own.token(), own.token()].map(|token| format!("Bearer {token}"));
    for _ in 0..5 {
        for credential in &tokens {
            browse(&own, credential).expect(200);
        }
    }
    let (served, refused) = until_refused(&own, &tokens[0]);
    assert!(served >= 10, "{served}");
    refused.problem(429, "too-many-requests");
    // What one of them has used up, the other lacks.
    let replies = (0..3).map(|_| browse(&own, &tokens[1]).status);
    assert!(replies.into_iter().any(|status| status == 429));
}

fn the_plan_partner_takes_more_at_once_than_standard(target: &Target) {
    let (_gateway, own) = own(
        target,
        &[
            "RateLimit=1",
            "BurstLimit=3",
            "PartnerRateLimit=1",
            "PartnerBurstLimit=30",
        ],
    );
    let token = own.token();
    let [standard, partner] = ["standard", "partner"].map(|plan| issue_on(&own, &token, plan));
    let (few, refused) = until_refused(&own, &standard);
    refused.problem(429, "too-many-requests");
    let (many, refused) = until_refused(&own, &partner);
    refused.problem(429, "too-many-requests");
    assert!((3..30).contains(&few) && many >= 30, "{few} and {many}");
}

fn issued_keys_are_metered_on_their_plan_after_a_restart(target: &Target) {
    let data = TempDir::new().unwrap();
    let arguments = [
        "--data",
        data.path().to_str().unwrap(),
        "--parameter",
        "PartnerQuotaLimit=4",
    ];
    let (gateway, own) = target.own(&arguments);
    let token = own.token();
    let credential = issue_on(&own, &token, "partner");
    assert_eq!(until_refused(&own, &credential).0, 4);
    assert!(gateway.stop().success());
    // Counters start anew, on the same plan.
    let (_gateway, own) = target.own(&arguments);
    let (served, refused) = until_refused(&own, &credential);
    assert_eq!(served, 4);
    refused.problem(429, "quota-exceeded");
}
