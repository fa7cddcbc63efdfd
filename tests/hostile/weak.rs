//! Keys in whose name anybody can sign, in a set beside an honest one.

use std::fs;
use std::process::Stdio;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use keygate_tests::authorizer::{Authorizer, Outcome, command};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::keygate::wait_for;
use keygate_tests::loopback::Response;
use keygate_tests::roca;
use keygate_tests::signer::{Signer, base64url};
use keygate_tests::small_order;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::cases::{binary, explain};

/// A published key, a token that nobody who holds its private half has signed, and why the key is
/// left out.
struct Weak {
    key: Value,
    token: String,
    why: &'static str,
}

/// The signature of the identity and zero, which a point of small order has for every eighth message
/// or more; and whether the crypto library would have taken it.
fn small_order(kid: &str, point: [u8; 32], issuer: &Issuer) -> (Weak, bool) {
    let mut signature = [0; 64];
    signature[0] = 1;
    let public = UnparsedPublicKey::new(&ED25519, point);
    let header = base64url(json!({"alg": "EdDSA", "kid": kid}).to_string());
    let signed = (0..200).map(|number| {
        let mut claims = issuer.claims();
        claims["jti"] = json!(number.to_string());
        format!("{header}.{}", base64url(claims.to_string()))
    });
    let signed: Vec<_> = signed.collect();
    let forged = signed
        .iter()
        .find(|signed| public.verify(signed.as_bytes(), &signature).is_ok());
    let weak = Weak {
        key: json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(point)}),
        token: format!("{}.{}", forged.unwrap_or(&signed[0]), base64url(signature)),
        why: "it is a point of small order, in whose name anybody can sign",
    };
    (weak, forged.is_some())
}

/// An RSA key of exponent 1, for which every message is its own signature (RFC 8017 section 9.2).
fn exponent_of_one(issuer: &Issuer) -> Weak {
    const SHA256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let mut key = Signer::rsa("one").jwk();
    key["e"] = json!("AQ");
    let header = base64url(json!({"alg": "RS256", "kid": "one"}).to_string());
    let signed = format!("{header}.{}", base64url(issuer.claims().to_string()));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, signed.as_bytes());
    let padding = vec![0xff; 256 - 3 - SHA256.len() - 32];
    let signature = [&[0, 1], &padding[..], &[0], &SHA256, digest.as_ref()].concat();
    Weak {
        key,
        token: format!("{signed}.{}", base64url(signature)),
        why: "its exponent is 1, even or longer than 32 bits",
    }
}

fn weak_keys(issuer: &Issuer) -> Vec<Weak> {
    let points = small_order::keys().enumerate();
    let (mut weak, forged): (Vec<_>, Vec<_>) = points
        .map(|(number, point)| small_order(&format!("point {number}"), point, issuer))
        .unzip();
    // The others are not read by the crypto library as it is today.
    assert_eq!(forged.iter().filter(|is_taken| **is_taken).count(), 8);
    weak.push(exponent_of_one(issuer));
    let roca = roca::signer("roca");
    weak.push(Weak {
        key: roca.jwk(),
        token: roca.token(&issuer.claims()),
        why: "its modulus is one of CVE-2017-15361 (ROCA), whose factors can be computed",
    });
    weak
}

/// An issuer that publishes these.
fn issuer_of(keys: impl FnOnce(&Issuer) -> Vec<Value>) -> Issuer {
    let issuer = Issuer::start(&[]);
    publish(&issuer, &keys(&issuer));
    issuer
}

fn publish(issuer: &Issuer, keys: &[Value]) {
    let document = json!({ "keys": keys }).to_string();
    issuer.answer_with(move || Response::new(200, document.clone()));
}

fn settings(issuer: &Issuer) -> [(&str, &str); 2] {
    [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ]
}

/// The `kid` and the reason of each key that was said to be left out, in order.
fn left_out(log: &str) -> Vec<(String, String)> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let lines = lines.filter(|line: &Value| line["message"] == "key left out");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines
        .map(|line| (text(&line["kid"]), text(&line["why"])))
        .collect()
}

#[test]
fn a_weak_key_is_left_out_and_named_once_and_the_honest_one_verifies() {
    let honest = Signer::ed25519("honest");
    let issuer = Issuer::start(&[]);
    let weak = weak_keys(&issuer);
    let mut keys: Vec<_> = weak.iter().map(|weak| weak.key.clone()).collect();
    keys.push(honest.jwk());
    publish(&issuer, &keys);
    let authorizer = Authorizer::start(binary(), &settings(&issuer));
    for weak in &weak {
        let refused = authorizer.authorize(&format!("Bearer {}", weak.token));
        assert_eq!(refused.error_message(), "Unauthorized", "{}", weak.key);
    }
    let good = format!("Bearer {}", honest.token(&issuer.claims()));
    authorizer.authorize(&good).response();
    // The first unknown kid had the set read anew, which is no reason to say it all again.
    assert_eq!(issuer.key_set_requests(), 2);
    let log = authorizer.log();
    let reasons = log.matches("\"key-unknown\"").count();
    assert_eq!(reasons, weak.len(), "{log}");
    let expected = weak.iter().map(|weak| {
        let kid = weak.key["kid"].as_str().unwrap();
        (kid.to_owned(), weak.why.to_owned())
    });
    assert_eq!(left_out(&log), expected.collect::<Vec<_>>());
}

#[test]
fn a_weak_key_is_not_tried_for_a_token_without_a_kid() {
    let honest = Signer::ed25519("");
    let issuer = Issuer::start(&[]);
    let (mut weak, is_forged) = small_order("", [0; 32], &issuer);
    assert!(is_forged);
    let mut unnamed = honest.jwk();
    for key in [&mut weak.key, &mut unnamed] {
        key["kid"] = Value::Null;
    }
    publish(&issuer, &[weak.key, unnamed]);
    let authorizer = Authorizer::start(binary(), &settings(&issuer));
    // Forged anew, as the header is another one.
    let header = base64url(r#"{"alg":"EdDSA"}"#);
    let mut zero = [0; 64];
    zero[0] = 1;
    for number in 0..40 {
        let mut claims = issuer.claims();
        claims["jti"] = json!(number.to_string());
        let claims = base64url(claims.to_string());
        let token = format!("{header}.{claims}.{}", base64url(zero));
        let refused = authorizer.authorize(&format!("Bearer {token}"));
        assert_eq!(refused.error_message(), "Unauthorized");
    }
    let token = honest.token_with(&json!({"alg": "EdDSA"}), &issuer.claims());
    authorizer.authorize(&format!("Bearer {token}")).response();
}

#[test]
fn a_set_without_a_usable_key_is_a_fault_and_the_last_good_set_goes_on() {
    let honest = Signer::p256("honest");
    let issuer = issuer_of(|_| vec![roca::signer("roca").jwk()]);
    let authorizer = Authorizer::start(binary(), &settings(&issuer));
    let good = format!("Bearer {}", honest.token(&issuer.claims()));
    let fault = authorizer.authorize(&good).error_message();
    assert!(!fault.contains("Unauthorized"), "{fault}");
    let until_published = issuer.key_set_requests();

    issuer.publish(&[&honest]);
    let accepted = wait_for(|| match authorizer.authorize(&good) {
        Outcome::Response(answer) => Some(answer),
        Outcome::Error(_) => None,
    });
    assert!(accepted.is_some());
    assert!(issuer.key_set_requests() > until_published);

    let mut encryption = honest.jwk();
    encryption["use"] = json!("enc");
    publish(&issuer, &[encryption]);
    let unknown = Signer::p256("other").token(&issuer.claims());
    let fault = authorizer.authorize(&format!("Bearer {unknown}"));
    assert!(!fault.error_message().contains("Unauthorized"));
    authorizer.authorize(&good).response();

    let log = authorizer.log();
    assert!(!log.contains("\"key-unknown\""), "{log}");
    assert!(log.contains("\"key-set-unavailable\""), "{log}");
    let kids: Vec<_> = left_out(&log).into_iter().map(|(kid, _)| kid).collect();
    assert_eq!(kids, ["roca", "honest"]);
}

#[test]
fn a_kid_can_neither_forge_nor_hide_nor_fill_a_log() {
    let kids = [
        "line\nbreak\r\u{2028}\u{85}",
        "\u{202e}thgir\u{2066}\u{200b}\u{feff}\u{0}\u{1b}[2J",
        "\",\"decision\":\"allow",
        &"\u{1f511}".repeat(50_000),
    ];
    let honest = Signer::p256("honest");
    let issuer = issuer_of(|_| {
        let unusable = kids.map(|kid| json!({"kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB"}));
        [&unusable[..], &[honest.jwk()]].concat()
    });
    let authorizer = Authorizer::start(binary(), &settings(&issuer));
    let good = format!("Bearer {}", honest.token(&issuer.claims()));
    authorizer.authorize(&good).response();
    let log = authorizer.log();
    assert!(log.lines().all(|line| line.len() < 2_000), "{log}");
    assert_eq!(left_out(&log).len(), kids.len(), "{log}");
    let is_seen = |one| matches!(one, ' '..='~' | '\n' | '\u{1f511}');
    assert!(log.chars().all(is_seen), "{log:?}");
}

#[test]
fn a_key_set_file_says_too_which_of_its_keys_are_left_out() {
    let honest = Signer::p256("honest");
    let issuer = Issuer::start(&[&honest]);
    let file = NamedTempFile::new().unwrap();
    let write = |keys: &[Value]| {
        fs::write(file.path(), json!({ "keys": keys }).to_string()).unwrap();
    };
    let [url, audience] = settings(&issuer);
    let settings = [
        url,
        audience,
        ("OAUTH_JWKS_FILE", file.path().to_str().unwrap()),
    ];
    write(&[roca::signer("roca").jwk(), honest.jwk()]);
    let authorizer = Authorizer::start(binary(), &settings);
    let good = format!("Bearer {}", honest.token(&issuer.claims()));
    authorizer.authorize(&good).response();
    let kids: Vec<_> = left_out(&authorizer.log()).into_iter().collect();
    assert!(matches!(&kids[..], [(kid, _)] if kid == "roca"), "{kids:?}");
}

#[test]
fn a_key_set_file_without_a_usable_key_ends_the_start_and_says_why() {
    let file = NamedTempFile::new().unwrap();
    let weak = roca::signer("roca\u{202e}").jwk();
    fs::write(file.path(), json!({ "keys": [weak] }).to_string()).unwrap();
    let settings = [
        ("OAUTH_ISSUER", "http://127.0.0.1:9"),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("OAUTH_JWKS_FILE", file.path().to_str().unwrap()),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
    ];
    let mut start = command(binary(), &settings);
    let output = start.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(
        said.contains(r#""message":"authorizer: OAUTH_JWKS_FILE is "#),
        "{said}"
    );
    assert!(said.contains(r"such as roca\u202e: its modulus"), "{said}");
}

#[test]
fn explain_says_which_keys_are_left_out() {
    let honest = Signer::p256("honest");
    let weak = roca::signer("roca");
    let issuer = issuer_of(|_| vec![weak.jwk(), honest.jwk()]);
    let (report, accepted) = explain(&settings(&issuer), &weak.token(&issuer.claims()));
    assert!(!accepted, "{report}");
    assert!(report.contains("left out roca: its modulus"), "{report}");
}
