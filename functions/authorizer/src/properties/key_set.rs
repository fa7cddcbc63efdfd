//! Of a document that may be a key set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::key_set::set::KeySet;
use crate::token::Signature;

const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];
/// With one message a weak key may show nothing.
const MESSAGES: [&[u8]; 4] = [b"", b"a", b"header.claims", b"e30.e30"];
/// The lengths of signatures, of a curve and of RSA.
const LENGTHS: [usize; 4] = [64, 96, 132, 256];

/// A key of a set is one that the document lists and that can be a public key, it verifies no
/// signature that anybody can write, and no set with a private half in each key has any.
pub fn key_set(document: &[u8]) {
    let Ok(set) = KeySet::parse(document) else {
        return;
    };
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let mut listed: Value = serde_json::from_slice(document).unwrap();
    let keys = listed["keys"].as_array_mut().unwrap();
    let possible = keys.iter().filter(|key| may_verify(key)).count();
    assert!(set.len() <= possible, "{} of {possible}", set.len());

    for key in set.all() {
        let name = key.kid.as_deref();
        let is_listed = |jwk: &Value| jwk.get("kid").and_then(Value::as_str) == name;
        assert!(keys.iter().any(is_listed), "{name:?}");
        for algorithm in ALGORITHMS.map(|name| name.parse().unwrap()) {
            for (message, bytes) in anybody_s() {
                let text = &URL_SAFE_NO_PAD.encode(&bytes);
                let signature = Signature { text, bytes };
                assert!(!key.key().verifies(algorithm, message, &signature));
            }
            assert!(set.choose(Some("no such key \u{0}"), algorithm).is_err());
        }
    }

    keys.extend(keys.first().cloned());
    let doubled = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
    assert!(doubled.is_ok_and(|doubled| doubled.len() == set.len()) || keys.len() > 100);
    for key in keys.iter_mut().filter_map(Value::as_object_mut) {
        key.insert("d".to_owned(), json!("AQAB"));
    }
    let private = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
    assert!(private.map_or(0, |private| private.len()) == 0);
}

/// Messages, and signatures of them that need no private key: zeros, and the neutral point of Ed25519
/// before zeros, which sign for a key of small order.
fn anybody_s() -> impl Iterator<Item = (&'static [u8], Vec<u8>)> {
    MESSAGES.into_iter().flat_map(|message| {
        LENGTHS.into_iter().flat_map(move |length| {
            let zeros = vec![0; length];
            let neutral = [&[1], &zeros[1..]].concat();
            [(message, zeros), (message, neutral)]
        })
    })
}

/// Whether it has the members of a public key and none that only other keys have.
fn may_verify(jwk: &Value) -> bool {
    let has = |name: &str| jwk.get(name).is_some_and(|value| !value.is_null());
    let is_public = match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => has("n") && has("e"),
        Some("EC") => has("crv") && has("x") && has("y"),
        Some("OKP") => has("crv") && has("x"),
        _ => false,
    };
    is_public && !["d", "p", "q", "k"].iter().any(|name| has(name))
}

#[cfg(test)]
mod tests {
    use keygate_tests::signer::Signer;

    use super::*;

    #[test]
    fn it_holds_of_sets_of_good_keys_of_bad_ones_and_of_what_is_none() {
        let keys = [
            Signer::rsa("rsa").jwk(),
            Signer::p256("p256").jwk(),
            Signer::p384("p384").jwk(),
            Signer::p521("p521").jwk(),
            Signer::ed25519("ed25519").jwk(),
            json!({"kty": "oct", "k": "AQAB"}),
            json!({}),
        ];
        key_set(json!({ "keys": keys }).to_string().as_bytes());
        for text in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"RSA"}]}"#] {
            key_set(text.as_bytes());
        }
    }
}
