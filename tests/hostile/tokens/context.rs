//! What handlers are told of a token: its claims beside Keygate's own words, never in place of them,
//! and never more than they may be given.

use keygate_tests::authorizer::{Authorizer, event};
use serde_json::{Value, json};

use super::house::HOUSE;
use crate::cases::{binary, explain};

fn settings(claims: &str) -> Vec<(&str, &str)> {
    let mut settings = HOUSE.settings();
    settings.push(("OAUTH_CONTEXT_CLAIMS", claims));
    settings
}

/// A good token with these claims besides.
fn token(more: &Value) -> String {
    let mut claims = HOUSE.claims();
    let members = claims.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    HOUSE.rsa.token(&claims)
}

#[test]
fn claims_are_told_by_names_of_their_own() {
    let settings = settings(
        "tenant, email_verified,realm_access.roles,principal,scopes,issuer,claim_tenant,\
         https://example.com/org,absent,nothing,iss",
    );
    let token = token(&json!({
        "tenant": "acme \"1\"\\\n\u{202e}",
        "email_verified": false,
        "realm_access": {"roles": ["reader", "a \"b\""]},
        "principal": "mallory",
        "scopes": "keys:admin",
        "issuer": "https://evil.example",
        "claim_tenant": "other",
        "https://example.com/org": {"id": 7, "name": null},
        "nothing": null,
        "not_named": "x",
    }));
    let authorizer = Authorizer::start(binary(), &settings);
    let answer = authorizer.authorize(&format!("Bearer {token}")).response();
    assert_eq!(
        answer["context"],
        json!({
            "principal": "alice",
            "credential": "jwt",
            "scopes": "books:read books:write",
            "issuer": HOUSE.issuer.url,
            "claim_tenant": "acme \"1\"\\\n\u{202e}",
            "claim_email_verified": "false",
            "claim_realm_access_roles": "[\"reader\",\"a \\\"b\\\"\"]",
            "claim_principal": "mallory",
            "claim_scopes": "keys:admin",
            "claim_issuer": "https://evil.example",
            "claim_claim_tenant": "other",
            "claim_https___example_com_org": "{\"id\":7,\"name\":null}",
            "claim_iss": HOUSE.issuer.url,
        })
    );
    // Claims are for handlers, and the log is for more eyes.
    let log = authorizer.log();
    assert!(log.contains("granted") && !log.contains("acme"), "{log}");
    let (report, accepted) = explain(&settings, &token);
    assert!(accepted, "{report}");
    assert!(report.contains("claim_realm_access_roles"), "{report}");
}

#[test]
fn claims_that_are_too_large_are_a_fault_and_nobody_s_who_calls() {
    let settings = settings("a,b,c");
    let authorizer = Authorizer::start(binary(), &settings);
    let large = [
        json!({"a": "x".repeat(2049)}),
        json!({"a": vec!["x"; 1000]}),
        // Characters of two bytes.
        json!({"a": "é".repeat(1025)}),
        json!({"a": "x".repeat(1500), "b": "x".repeat(1500), "c": "x".repeat(1500)}),
    ];
    for claims in &large {
        let answer = authorizer.invoke(event(&format!("Bearer {}", token(claims))));
        assert_ne!(answer.error_message(), "Unauthorized");
    }
    let fits = json!({"a": "x".repeat(2000), "b": "é".repeat(1000)});
    let answer = authorizer
        .authorize(&format!("Bearer {}", token(&fits)))
        .response();
    assert_eq!(answer["context"]["claim_b"], "é".repeat(1000));
    // A token that is refused has no claims to be too large.
    let mut late = HOUSE.claims_with("a", json!("x".repeat(2049)));
    late["exp"] = json!(1);
    let late = format!("Bearer {}", HOUSE.rsa.token(&late));
    let message = authorizer.invoke(event(&late)).error_message();
    assert_eq!(message, "Unauthorized");
    let reasons = authorizer.reasons();
    let (faults, others) = reasons.split_at(large.len());
    assert!(
        faults.iter().all(|reason| reason == "context-too-large"),
        "{faults:?}"
    );
    assert_eq!(others, ["granted", "token-expired"]);
    let (report, accepted) = explain(&settings, &token(&large[0]));
    let verdict = "not to be decided now: context-too-large (503)";
    assert!(!accepted && report.contains(verdict), "{report}");
}

#[test]
fn a_backslash_is_part_of_a_name_and_ends_no_text_of_the_access_log() {
    let authorizer = Authorizer::start(binary(), &HOUSE.settings());
    for (sub, id) in [
        (r"DOMAIN\user", "DOMAIN%5Cuser"),
        (r"\", "%5C"),
        (r"\u0022,\n", "%5Cu0022,%5Cn"),
        ("50%5C", "50%255C"),
    ] {
        let token = HOUSE.rsa.token(&HOUSE.claims_with("sub", json!(sub)));
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        assert_eq!(answer["context"]["principal"], sub);
        assert_eq!(answer["principalId"], id);
    }
}
