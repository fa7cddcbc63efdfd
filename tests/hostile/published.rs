//! Key sets as issuers and their libraries write them, which is not always as RFC 7517 says: each
//! with a token that one of its keys has signed.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use keygate_tests::authorizer::Authorizer;
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::loopback::{self, Response};
use keygate_tests::signer::{Signer, base64url};
use serde_json::{Value, json};

use crate::cases::{Case, binary, refuse_all};

/// A set's keys, and a token's header with the key that signs it.
struct Shape {
    what: String,
    keys: Vec<Value>,
    signer: Signer,
    header: Value,
}

impl Shape {
    /// A set of one key as `write` makes it of the usual form, and a token that names it as the set
    /// does.
    fn of(what: &str, signer: Signer, write: impl Fn(&mut Value)) -> Self {
        let mut key = signer.jwk();
        write(&mut key);
        let mut header = json!({"alg": signer.alg()});
        if let Some(kid) = key.get("kid") {
            header["kid"] = kid.clone();
        }
        Self {
            what: format!("{what}, {}", signer.alg()),
            keys: vec![key],
            signer,
            header,
        }
    }

    fn with_header(mut self, header: Value) -> Self {
        self.header = header;
        self
    }

    fn token(&self, issuer: &Issuer) -> String {
        self.signer.token_with(&self.header, &issuer.claims())
    }
}

const EACH_KIND: [fn(&str) -> Signer; 5] = [
    Signer::rsa,
    Signer::p256,
    Signer::p384,
    Signer::p521,
    Signer::ed25519,
];

/// Writes the key's numbers and coordinates anew.
fn rewrite(key: &mut Value, write: impl Fn(&[u8]) -> String) {
    for (name, value) in key.as_object_mut().unwrap() {
        if ["n", "e", "x", "y"].contains(&name.as_str()) {
            let bytes = URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap();
            *value = json!(write(&bytes));
        }
    }
}

fn of_each_kind() -> impl Iterator<Item = Shape> {
    EACH_KIND.into_iter().flat_map(|generate| {
        let shape = |what, write: fn(&mut Value)| Shape::of(what, generate("1"), write);
        [
            shape("members that are null", |key| {
                for name in ["alg", "use", "key_ops", "x5c", "x5u", "d", "p", "k"] {
                    key[name] = Value::Null;
                }
            }),
            shape("a kid that is null, here and there", |key| {
                key["kid"] = Value::Null;
            }),
            shape("a kid that is null", |key| key["kid"] = Value::Null)
                .with_header(json!({"alg": generate("").alg()})),
            shape("a kid that is null in the token", |_| {})
                .with_header(json!({"alg": generate("").alg(), "kid": null})),
            shape("no operations", |key| key["key_ops"] = json!([])),
            shape("padded", |key| {
                rewrite(key, |bytes| URL_SAFE.encode(bytes));
            }),
        ]
    })
}

/// Coordinates as authlib writes them: the number alone.
fn short_coordinates() -> impl Iterator<Item = Shape> {
    let generators: [fn(&str) -> Signer; 3] = [Signer::p256, Signer::p384, Signer::p521];
    generators.into_iter().flat_map(|generate| {
        ["x", "y"].map(|name| {
            // One key in 256 has such a number, and every second on P-521.
            let signer = std::iter::repeat_with(|| generate("1"))
                .find(|signer| first_byte(&signer.jwk(), name) == 0)
                .unwrap();
            Shape::of(&format!("a short {name}"), signer, |key| {
                rewrite(key, |bytes| {
                    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                    base64url(&bytes[zeros..])
                });
                assert_ne!(first_byte(key, name), 0);
            })
        })
    })
}

fn first_byte(key: &Value, name: &str) -> u8 {
    let text = key[name].as_str().unwrap();
    URL_SAFE_NO_PAD.decode(text).unwrap()[0]
}

/// Each way to name the one algorithm (RFC 8037, RFC 9864), in the set and in the token.
fn ed25519_by_both_names() -> impl Iterator<Item = Shape> {
    let names = [json!(null), json!("EdDSA"), json!("Ed25519")];
    names.into_iter().flat_map(|published| {
        ["EdDSA", "Ed25519"].map(|alg| {
            let what = format!("{published} in the set, {alg} in the token");
            let signer = Signer::ed25519("1");
            Shape::of(&what, signer, |key| key["alg"] = published.clone())
                .with_header(json!({"alg": alg, "kid": "1"}))
        })
    })
}

/// Of several keys that have no name, each may have signed.
fn several_without_kid() -> impl Iterator<Item = Shape> {
    (0..4).map(|at| {
        let header = json!({"alg": "ES256"});
        let unnamed = |key: &mut Value| {
            key.as_object_mut().unwrap().remove("kid");
        };
        let shape = Shape::of("", Signer::p256("1"), unnamed).with_header(header);
        let mut others: Vec<Value> = ["1", "2", "3"].map(|kid| Signer::p256(kid).jwk()).into();
        others.iter_mut().for_each(unnamed);
        let [key] = shape.keys.try_into().unwrap();
        others.insert(at, key);
        others.push(Signer::rsa("rsa").jwk());
        Shape {
            what: format!("the key at {at} of four without a kid"),
            keys: others,
            ..shape
        }
    })
}

fn document(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

#[test]
fn a_key_verifies_however_the_issuer_writes_it() {
    let shapes = of_each_kind()
        .chain(short_coordinates())
        .chain(ed25519_by_both_names())
        .chain(several_without_kid());
    let issued: Vec<_> = shapes
        .map(|shape| {
            let issuer = Issuer::start(&[]);
            let set = document(&shape.keys);
            issuer.answer_with(move || Response::new(200, set.clone()));
            (issuer, shape)
        })
        .collect();
    let issuers = issued.iter().enumerate().map(|(number, (issuer, shape))| {
        json!({
            "issuer": issuer.url,
            "audience": [AUDIENCE],
            "algorithms": [shape.header["alg"]],
            "principal_prefix": format!("{number}|"),
        })
    });
    let issuers = Value::Array(issuers.collect()).to_string();
    let authorizer = Authorizer::start(binary(), &[("OAUTH_ISSUERS", &issuers)]);
    for (issuer, shape) in &issued {
        let token = shape.token(issuer);
        let outcome = format!("{:?}", authorizer.authorize(&format!("Bearer {token}")));
        assert!(outcome.contains("alice"), "{}: {outcome}", shape.what);
        // It was the signature that decided.
        let mut other = issuer.claims();
        other["sub"] = json!("root");
        let (header, signed) = token.split_once('.').unwrap();
        let (_, signature) = signed.split_once('.').unwrap();
        let claims = base64url(other.to_string());
        let changed = format!("Bearer {header}.{claims}.{signature}");
        let refused = authorizer.authorize(&changed).error_message();
        assert_eq!(refused, "Unauthorized", "{}", shape.what);
    }
    let log = authorizer.log();
    assert!(!log.contains("key left out"), "{log}");
}

#[test]
fn more_keys_without_a_kid_than_a_few_are_not_tried() {
    let signers: Vec<_> = (0..5).map(|_| Signer::p256("1")).collect();
    let mut keys: Vec<_> = signers.iter().map(Signer::jwk).collect();
    for key in &mut keys {
        key["kid"] = Value::Null;
    }
    let named = Signer::p256("named");
    keys.push(named.jwk());
    let issuer = Issuer::start(&[]);
    let set = document(&keys);
    issuer.answer_with(move || Response::new(200, set.clone()));
    let cases: Vec<_> = signers
        .iter()
        .map(|signer| {
            let token = signer.token_with(&json!({"alg": "ES256"}), &issuer.claims());
            Case::bearer("one of five", &token, "key-ambiguous")
        })
        .collect();
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let good = format!("Bearer {}", named.token(&issuer.claims()));
    refuse_all(&settings, &cases, &good);
}

#[test]
fn a_byte_order_mark_before_the_documents_is_passed_over() {
    let signer = Signer::p256("1");
    let base = Arc::new(Mutex::new(String::new()));
    let (own, key) = (Arc::clone(&base), signer.jwk());
    let address = loopback::serve(move |request| {
        let base = own.lock().unwrap().clone();
        let document = match request.path.as_str() {
            "/jwks.json" => json!({ "keys": [key] }),
            _ => json!({"issuer": base, "jwks_uri": format!("{base}/jwks.json")}),
        };
        Response::new(200, format!("\u{feff}{document}"))
    });
    let url = format!("http://{address}");
    base.lock().unwrap().clone_from(&url);
    let mut claims = Issuer::start(&[]).claims();
    claims["iss"] = json!(url);
    let settings = [("OAUTH_ISSUER", url.as_str()), ("OAUTH_AUDIENCE", AUDIENCE)];
    let authorizer = Authorizer::start(binary(), &settings);
    let header = format!("Bearer {}", signer.token(&claims));
    authorizer.authorize(&header).response();
}
