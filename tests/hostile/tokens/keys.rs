//! Tokens that no key of the issuer's proves, or not by the algorithm that they name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_tests::signer::{Signer, base64url};
use serde_json::{Value, json};

use super::house::{House, split};
use crate::cases::Case;

/// The order of the Ed25519 group, little-endian (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn cases(house: &House) -> Vec<Case> {
    let mut cases = algorithms(house);
    cases.extend(confusions(house));
    cases.extend(unknown_keys(house));
    cases.extend(brought_along(house));
    cases.extend(signatures(house));
    cases
}

fn algorithms(house: &House) -> Vec<Case> {
    let mut cases = Vec::new();
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "HS256",
        "HS384",
        "HS512",
        "hs256",
        "rs256",
        "RS256 ",
        " RS256",
        "RS256\u{0}",
        "RS1",
        "RS224",
        "ES256K",
        "ES224",
        "Ed448",
        "ed25519",
        "EDDSA",
        "RSA-OAEP",
        "RSA1_5",
        "dir",
        "A128KW",
        "ECDH-ES",
        "PBES2-HS256+A128KW",
        "PS1",
    ] {
        let header = json!({"alg": alg, "kid": "rsa"});
        let token = house.rsa.token_with(&header, &house.claims());
        cases.push(Case::bearer(
            format!("alg {alg:?}"),
            &token,
            "algorithm-refused",
        ));
    }
    // The public key, which everybody has, as an HMAC secret.
    for secret in [
        house.rsa.jwk().to_string(),
        house.rsa.jwk()["n"].to_string(),
    ] {
        let header = base64url(json!({"alg": "HS256", "kid": "rsa"}).to_string());
        let signing_input = format!("{header}.{}", base64url(house.claims().to_string()));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, signing_input.as_bytes());
        let token = format!("{signing_input}.{}", base64url(tag.as_ref()));
        cases.push(Case::bearer(
            "signed with the public key",
            &token,
            "algorithm-refused",
        ));
    }
    cases
}

/// Each key under each algorithm that it is not for.
fn confusions(house: &House) -> Vec<Case> {
    const RSA: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let mut cases = Vec::new();
    for signer in house.signers() {
        let all = RSA
            .iter()
            .chain(&["ES256", "ES384", "ES512", "EdDSA", "Ed25519"]);
        for alg in all.filter(|alg| match signer.alg() {
            "RS256" => !RSA.contains(alg),
            "EdDSA" => **alg != "EdDSA" && **alg != "Ed25519",
            own => own != **alg,
        }) {
            let header = json!({"alg": alg, "kid": signer.kid});
            let token = signer.token_with(&header, &house.claims());
            let what = format!("{alg} with the key {}", signer.kid);
            cases.push(Case::bearer(what, &token, "key-unfit"));
        }
    }
    cases
}

fn unknown_keys(house: &House) -> Vec<Case> {
    let long = "k".repeat(4000);
    [
        "",
        " ",
        "RSA",
        "rsa ",
        "rsa\u{0}",
        "../rsa",
        "rsa' OR '1'='1",
        "/dev/null",
        "*",
        "\u{1f511}",
        "http://127.0.0.1:9/jwks.json",
        long.as_str(),
    ]
    .iter()
    .map(|kid| {
        let header = json!({"alg": "RS256", "kid": kid});
        let token = house.rsa.token_with(&header, &house.claims());
        Case::bearer(format!("kid {kid:.20?}"), &token, "key-unknown")
    })
    .collect()
}

/// Headers that bring or name a key of the attacker's.
fn brought_along(house: &House) -> Vec<Case> {
    let attacker = Signer::rsa("rsa");
    let public = attacker.jwk();
    [
        json!({"alg": "RS256", "kid": "rsa"}),
        json!({"alg": "RS256", "kid": "rsa", "jwk": public}),
        json!({"alg": "RS256", "jwk": public}),
        json!({"alg": "RS256", "kid": "rsa", "jku": "http://127.0.0.1:9/jwks.json"}),
        json!({"alg": "RS256", "kid": "rsa", "x5u": "http://127.0.0.1:9/cert.pem"}),
        json!({"alg": "RS256", "kid": "rsa", "x5c": ["MIIB"], "x5t": "AAAA"}),
        json!({"alg": "PS256", "kid": "rsa", "jwk": public}),
    ]
    .iter()
    .map(|header| {
        let token = attacker.token_with(header, &house.claims());
        let members: Vec<_> = header.as_object().unwrap().keys().cloned().collect();
        let what = format!("another's key, with {}", members.join(" "));
        Case::bearer(what, &token, "signature-invalid")
    })
    .collect()
}

fn signatures(house: &House) -> Vec<Case> {
    let mut cases = Vec::new();
    for signer in house.signers() {
        let token = signer.token(&house.claims());
        let [header, claims, signature] = split(&token);
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let length = bytes.len();
        let mut add = |what: &str, bytes: &[u8]| {
            let token = format!("{header}.{claims}.{}", base64url(bytes));
            let what = format!("{}: {what}", signer.kid);
            cases.push(Case::bearer(what, &token, "signature-invalid"));
        };
        add("all zeros", &vec![0; length]);
        add("all ones", &vec![0xff; length]);
        add("one byte", &[1]);
        add("a byte less", &bytes[..length - 1]);
        add("a byte more", &[&bytes[..], &[0]].concat());
        add("a zero before it", &[&[0], &bytes[..]].concat());
        add("twice", &[&bytes[..], &bytes[..]].concat());
        for at in [0, length / 2, length - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            add(&format!("a bit flipped at {at}"), &flipped);
        }
        match signer.alg() {
            "ES256" | "ES384" | "ES512" => {
                let (r, s) = bytes.split_at(length / 2);
                add("r and s swapped", &[s, r].concat());
                add("in DER, as ECDSA is written elsewhere", &der(r, s));
                add("r is zero", &[&vec![0; r.len()], s].concat());
                add("s is zero", &[r, &vec![0; s.len()]].concat());
            }
            "EdDSA" => add("S grown by the group's order", &grown(&bytes)),
            _ => {}
        }
    }
    let claims = house.claims_with("sub", json!("root"));
    let good = house.good();
    let [header, _, signature] = split(&good);
    let other = format!("{header}.{}.{signature}", base64url(claims.to_string()));
    cases.push(Case::bearer("other claims", &other, "signature-invalid"));
    let other_header = base64url(json!({"alg": "RS256", "kid": "rsa", "x": 1}).to_string());
    let claims = base64url(house.claims().to_string());
    let other = format!("{other_header}.{claims}.{signature}");
    cases.push(Case::bearer("another header", &other, "signature-invalid"));
    cases.extend(other_rsa_signatures(house));
    cases
}

/// RSA signatures of the right key by another algorithm than the header's.
fn other_rsa_signatures(house: &House) -> Vec<Case> {
    let named_and_used: [(&str, &str); 6] = [
        ("RS256", "PS256"),
        ("PS256", "RS256"),
        ("RS256", "RS512"),
        ("RS512", "RS256"),
        ("PS384", "PS256"),
        ("PS256", "PS512"),
    ];
    let sign = |named: &str, used: &str| {
        let header: Value = json!({"alg": named, "kid": "rsa"});
        let header = base64url(header.to_string());
        let claims = base64url(house.claims().to_string());
        house.rsa.token_of_parts(&header, &claims, used)
    };
    named_and_used
        .map(|(named, used)| {
            let what = format!("{named} that is {used}");
            Case::bearer(what, &sign(named, used), "signature-invalid")
        })
        .into()
}

/// A raw ECDSA signature in DER.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let length = u8::try_from(bytes.len() + 1).unwrap();
        [&[2, length, 0], bytes].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[0x30, 0x81, length], &body[..]].concat()
}

/// An Ed25519 signature whose S is another number for the same residue (RFC 8032 section 5.1.7).
fn grown(signature: &[u8]) -> Vec<u8> {
    let mut grown = signature.to_vec();
    let mut carry = 0;
    for (byte, order) in grown[32..].iter_mut().zip(ED25519_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    grown
}
