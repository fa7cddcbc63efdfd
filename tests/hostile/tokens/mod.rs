//! Bad tokens.

mod claims;
mod context;
mod differential;
mod form;
mod house;
mod issuers;
mod keys;

use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

use crate::cases::{Case, explain, refuse_all};
use house::HOUSE;

fn corpus() -> Vec<Case> {
    let house = &*HOUSE;
    [form::cases(house), keys::cases(house), claims::cases(house)]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_bad_token_is_refused_for_its_own_reason() {
    let cases = corpus();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    println!("{} bad tokens", cases.len());
    refuse_all(&HOUSE.settings(), &cases, &HOUSE.good_header());
}

/// `keygate explain` goes through the same checks, so the first that fails must be the one for which
/// the authorizer refuses.
#[test]
fn explain_names_the_reason_for_which_the_authorizer_refuses() {
    let settings = HOUSE.settings();
    // One of each reason and then some: each is a process of its own.
    for case in corpus().iter().step_by(5) {
        let authorization = case.event["authorizationToken"].as_str().unwrap();
        // What is typed or piped in may end with a line break.
        if authorization != authorization.trim() {
            continue;
        }
        let (report, accepted) = explain(&settings, authorization);
        assert!(!accepted, "{}: {report}", case.what);
        let refused = format!("refused: {}\n", case.reason);
        assert!(report.contains(&refused), "{}: {report}", case.what);
        let signature = authorization.rsplit('.').next().unwrap();
        assert!(
            signature.len() < 20 || !report.contains(signature),
            "{}: {report}",
            case.what
        );
    }
    let (report, accepted) = explain(&settings, &HOUSE.good());
    assert!(
        accepted && report.contains("accepted, 5 routes"),
        "{report}"
    );
}

#[test]
fn a_token_of_each_algorithm_is_accepted_by_its_own_key() {
    let house = &*HOUSE;
    let authorizer =
        keygate_tests::authorizer::Authorizer::start(crate::cases::binary(), &house.settings());
    for (alg, signer) in house.by_algorithm() {
        let header = json!({"alg": alg, "kid": signer.kid});
        let token = signer.token_with(&header, &house.claims());
        authorizer.authorize(&format!("Bearer {token}")).response();
    }
}

#[test]
fn an_issuer_can_demand_that_a_token_says_that_it_is_an_access_token() {
    let house = &*HOUSE;
    let issuers = |member: &str, value: &str| {
        json!([{"issuer": house.issuer.url, "audience": [AUDIENCE], member: value}]).to_string()
    };
    let token = |header: Value, claims: Value| house.rsa.token_with(&header, &claims);
    let header = |typ: &str| json!({"alg": "RS256", "kid": "rsa", "typ": typ});

    let at_jwt = issuers("required_typ", "at+jwt");
    let untyped = json!({"alg": "RS256", "kid": "rsa"});
    let mut cases = vec![Case::bearer(
        "no typ",
        &token(untyped, house.claims()),
        "token-type",
    )];
    for typ in [
        "JWT",
        "",
        "at",
        "at+jwt;v=1",
        "application/at",
        "id+jwt",
        " at+jwt",
    ] {
        let token = token(header(typ), house.claims());
        cases.push(Case::bearer(format!("typ {typ:?}"), &token, "token-type"));
    }
    let good = token(header("application/AT+JWT"), house.claims());
    refuse_all(
        &[("OAUTH_ISSUERS", &at_jwt)],
        &cases,
        &format!("Bearer {good}"),
    );

    let cognito = issuers("token_use", "access");
    let mut cases = vec![Case::bearer("no token_use", &house.good(), "token-use")];
    for (value, reason) in [
        (json!("id"), "token-use"),
        (json!("ACCESS"), "token-use"),
        (json!(""), "token-use"),
        (json!(["access"]), "claim-malformed"),
        (json!(null), "claim-malformed"),
    ] {
        let token = house
            .rsa
            .token(&house.claims_with("token_use", value.clone()));
        cases.push(Case::bearer(format!("token_use {value}"), &token, reason));
    }
    let good = house
        .rsa
        .token(&house.claims_with("token_use", json!("access")));
    refuse_all(
        &[("OAUTH_ISSUERS", &cognito)],
        &cases,
        &format!("Bearer {good}"),
    );
}

#[test]
fn a_token_is_tried_with_its_own_issuer_s_keys_alone() {
    let (first, second) = (Signer::p256("shared"), Signer::p256("shared"));
    let (one, other) = (Issuer::start(&[&first]), Issuer::start(&[&second]));
    let issuers = json!([
        {"issuer": one.url, "audience": ["a"]},
        {"issuer": other.url, "audience": ["b"], "algorithms": ["ES256"], "principal_prefix": "b|"},
    ]);
    let claims = |issuer: &Issuer, audience: &str| {
        let mut claims = issuer.claims();
        claims["aud"] = json!(audience);
        claims
    };
    let cases = [
        (
            "the other's key",
            first.token(&claims(&other, "b")),
            "signature-invalid",
        ),
        (
            "the other's key, turned round",
            second.token(&claims(&one, "a")),
            "signature-invalid",
        ),
        (
            "the other's audience",
            first.token(&claims(&one, "b")),
            "audience-mismatch",
        ),
    ];
    let cases = cases.map(|(what, token, reason)| Case::bearer(what, &token, reason));
    let settings = [("OAUTH_ISSUERS", &*issuers.to_string())];
    let good = format!("Bearer {}", first.token(&claims(&one, "a")));
    refuse_all(&settings, &cases, &good);

    let authorizer =
        keygate_tests::authorizer::Authorizer::start(crate::cases::binary(), &settings);
    let principal = |header: &str| authorizer.authorize(header).response()["principalId"].clone();
    assert_eq!(principal(&good), "alice");
    let of_other = second.token(&claims(&other, "b"));
    assert_eq!(principal(&format!("Bearer {of_other}")), "b|alice");
}

#[test]
fn a_deployment_s_own_rule_refuses_after_all_else() {
    let house = &*HOUSE;
    let mut settings = house.settings();
    settings.push((
        "OAUTH_RULE",
        "header.alg == 'RS256' && claims.tenant in ['a', 'b'] && claims.amr.exists(m, m == 'mfa')",
    ));
    let with = |tenant: Value, amr: Value| {
        let mut claims = house.claims();
        claims["tenant"] = tenant;
        claims["amr"] = amr;
        claims
    };
    let mfa = json!(["pwd", "mfa"]);
    let good = house.rsa.token(&with(json!("b"), mfa.clone()));
    let many = json!(vec![1; 2000]);
    let mut late = with(json!("c"), mfa.clone());
    late["exp"] = json!(1);
    let cases = [
        (
            "another tenant",
            house.rsa.token(&with(json!("c"), mfa.clone())),
            "rule-not-true",
        ),
        (
            "no second factor",
            house.rsa.token(&with(json!("a"), json!([]))),
            "rule-not-true",
        ),
        ("a claim that is missing", house.good(), "rule-error"),
        (
            "a claim of another type",
            house.rsa.token(&with(json!("a"), json!(1))),
            "rule-error",
        ),
        (
            "another algorithm",
            house.p256.token(&with(json!("a"), mfa)),
            "rule-not-true",
        ),
        (
            "two thousand factors, and not the second",
            house.rsa.token(&with(json!("a"), many)),
            "rule-not-true",
        ),
        (
            "an expired token too",
            house.rsa.token(&late),
            "token-expired",
        ),
    ];
    let cases = cases.map(|(what, token, reason)| Case::bearer(what, &token, reason));
    refuse_all(&settings, &cases, &format!("Bearer {good}"));
}

#[test]
fn a_key_that_two_could_be_meant_by_is_not_guessed() {
    let (first, second) = (Signer::p256("1"), Signer::p256("2"));
    let issuer = Issuer::start(&[&first, &second]);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let unnamed = first.token_with(&json!({"alg": "ES256"}), &issuer.claims());
    let cases = [Case::bearer("no kid", &unnamed, "key-ambiguous")];
    let good = format!("Bearer {}", first.token(&issuer.claims()));
    refuse_all(&settings, &cases, &good);
}
