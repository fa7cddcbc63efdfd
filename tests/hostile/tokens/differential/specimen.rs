//! A token to compare verifiers by, and those that are honest.

use keygate_tests::issuer::{AUDIENCE, epoch_seconds};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

use super::super::house::House;

/// A token, and how it came about.
#[derive(Debug, Clone)]
pub(super) struct Specimen {
    pub(super) what: String,
    pub(super) token: String,
}

/// Tokens that nothing is wrong with: every algorithm, and what headers and claims may be.
pub(super) fn honest(house: &House) -> Vec<Specimen> {
    let mut tokens = Vec::new();
    for (alg, signer) in algorithms(house) {
        for (what, header) in headers(alg, &signer.kid) {
            for (which, claims) in claims(house) {
                tokens.push(Specimen {
                    what: format!("{alg}, {what}, {which}"),
                    token: signer.token_with(&header, &claims),
                });
            }
        }
    }
    tokens
}

fn algorithms(house: &House) -> [(&'static str, &Signer); 10] {
    [
        ("RS256", &house.rsa),
        ("RS384", &house.rsa),
        ("RS512", &house.rsa),
        ("PS256", &house.rsa),
        ("PS384", &house.rsa),
        ("PS512", &house.rsa),
        ("ES256", &house.p256),
        ("ES384", &house.p384),
        ("ES512", &house.p521),
        ("EdDSA", &house.ed25519),
    ]
}

fn headers(alg: &str, kid: &str) -> [(&'static str, Value); 4] {
    [
        ("no type", json!({"alg": alg, "kid": kid})),
        ("JWT", json!({"typ": "JWT", "alg": alg, "kid": kid})),
        ("at+jwt", json!({"alg": alg, "kid": kid, "typ": "at+jwt"})),
        (
            "another member",
            json!({"alg": alg, "kid": kid, "x5t": "AQAB"}),
        ),
    ]
}

fn claims(house: &House) -> Vec<(&'static str, Value)> {
    let now = epoch_seconds();
    let with = |name: &str, value: Value| house.claims_with(name, value);
    vec![
        ("as they are", house.claims()),
        ("an audience in a list", with("aud", json!([AUDIENCE]))),
        ("two audiences", with("aud", json!(["other", AUDIENCE]))),
        ("a fraction", with("exp", json!(1e9 + 4e9 + 0.5))),
        ("nbf", with("nbf", json!(now - 60))),
        ("without iat", house.claims_without("iat")),
        (
            "a name of any language",
            with("sub", json!("d\u{e9}j\u{e0}|\u{540d}")),
        ),
        (
            "nested claims",
            with("realm_access", json!({"roles": ["a", {"b": [1.5, null]}]})),
        ),
    ]
}
