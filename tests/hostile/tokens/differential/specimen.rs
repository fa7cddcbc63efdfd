//! A token to compare verifiers by, and those that are honest.

use keygate_tests::issuer::{AUDIENCE, epoch_seconds};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

use super::super::house::{ALGORITHMS, House};

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

/// The algorithms of which every verifier is told, each with its signer.
fn algorithms(house: &House) -> impl Iterator<Item = (&'static str, &Signer)> {
    let signers = house.by_algorithm().into_iter();
    signers.filter(|(alg, _)| ALGORITHMS.split(',').any(|told| told == *alg))
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
