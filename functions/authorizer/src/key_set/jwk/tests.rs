use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keygate_tests::roca;
use keygate_tests::signer::{Signer, base64url};
use serde_json::json;

use super::*;

fn with(key: &Value, member: &str, value: Value) -> Value {
    let mut key = key.clone();
    key[member] = value;
    key
}

fn bytes(key: &Value, member: &str) -> Vec<u8> {
    let text = key[member].as_str().unwrap();
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn read(key: &Value) -> VerifyingKey {
    verifying_key(key).unwrap_or_else(|why| panic!("{key}: {why}"))
}

/// A key of the curve whose x begins with a zero byte: one in 256 does, of P-521 every second.
fn with_short_x(generate: impl Fn() -> Signer) -> Signer {
    std::iter::repeat_with(generate)
        .find(|signer| bytes(&signer.jwk(), "x")[0] == 0)
        .unwrap()
}

#[test]
fn members_that_are_null_count_as_absent() {
    for signer in [Signer::rsa("a"), Signer::p256("a"), Signer::ed25519("a")] {
        let mut key = signer.jwk();
        for name in PRIVATE {
            key[name] = Value::Null;
        }
        for name in ["kid", "alg", "use", "key_ops", "x5c", "x5t#S256"] {
            key[name] = Value::Null;
        }
        let read = read(&key);
        assert_eq!((read.kid, read.algorithm), (None, None));
    }
}

#[test]
fn an_rsa_key_has_2048_to_8192_bits_and_an_exponent_of_32_at_most() {
    /// An odd number of so many bits, and no power of anything.
    fn number(bits: usize) -> Vec<u8> {
        let mut bytes = vec![0xb5; bits.div_ceil(8)];
        bytes[0] = 0xff >> (bytes.len() * 8 - bits);
        bytes
    }
    let key = |bits: usize, exponent: usize| {
        let (n, e) = (number(bits), number(exponent));
        verifying_key(&json!({"kty": "RSA", "n": base64url(n), "e": base64url(e)})).err()
    };
    for (bits, exponent, expected) in [
        (2047, 17, Some(Unusable::ModulusSize)),
        (2048, 17, None),
        (2049, 32, None),
        (8192, 2, None),
        (8193, 17, Some(Unusable::ModulusSize)),
        (2048, 33, Some(Unusable::Exponent)),
    ] {
        assert_eq!(key(bits, exponent), expected, "{bits} bits, {exponent}");
    }
}

#[test]
fn operations_of_which_there_are_none_forbid_nothing() {
    let key = Signer::p256("a").jwk();
    for operations in [json!([]), json!(["verify"]), json!(["sign", "verify"])] {
        read(&with(&key, "key_ops", operations));
    }
}

#[test]
fn an_ed25519_key_may_name_its_algorithm_in_either_way() {
    let key = Signer::ed25519("a").jwk();
    for alg in ["EdDSA", "Ed25519"] {
        let read = read(&with(&key, "alg", json!(alg)));
        assert_eq!(read.algorithm, Some(SigningAlgorithm::Ed25519), "{alg}");
        assert!(read.fits(SigningAlgorithm::Ed25519));
    }
}

#[test]
fn base64url_may_be_padded() {
    for (signer, members) in [
        (Signer::rsa("a"), &["n", "e"][..]),
        (Signer::p256("a"), &["x", "y"]),
        (Signer::ed25519("a"), &["x"]),
    ] {
        let mut key = signer.jwk();
        for name in members {
            let padded = base64::engine::general_purpose::URL_SAFE.encode(bytes(&key, name));
            key[*name] = json!(padded);
        }
        read(&key);
    }
}

#[test]
fn numbers_may_be_written_without_their_leading_zeros_or_with_a_sign_byte() {
    for generate in [Signer::p256, Signer::p384, Signer::p521] {
        let key = with_short_x(|| generate("a")).jwk();
        for name in ["x", "y"] {
            let full = bytes(&key, name);
            let number = without_leading_zeros(&full);
            read(&with(&key, name, json!(base64url(number))));
            let signed = [&[0], &full[..]].concat();
            read(&with(&key, name, json!(base64url(signed))));
        }
    }
    let key = Signer::rsa("a").jwk();
    let signed = [&[0], &bytes(&key, "n")[..]].concat();
    read(&with(&key, "n", json!(base64url(signed))));
}

#[test]
fn what_a_key_is_left_out_for_is_named() {
    let (rsa, p256, ed25519) = (
        Signer::rsa("a").jwk(),
        Signer::p256("a").jwk(),
        Signer::ed25519("a").jwk(),
    );
    let even = {
        let mut modulus = bytes(&rsa, "n");
        modulus[255] &= 0xfe;
        base64url(modulus)
    };
    let order_two = {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (0xec, 0x7f);
        base64url(y)
    };
    for (key, expected) in [
        (json!(null), Unusable::NotObject),
        (json!("a"), Unusable::NotObject),
        (json!({}), Unusable::Type),
        (json!({"kty": "oct", "k": "AQAB"}), Unusable::Private),
        (
            json!({"kty": "OKP", "crv": "X25519", "x": "A"}),
            Unusable::Type,
        ),
        (with(&p256, "crv", json!("secp256k1")), Unusable::Type),
        (with(&rsa, "kty", json!("EC")), Unusable::Type),
        (with(&rsa, "kty", json!(null)), Unusable::Type),
        (with(&rsa, "d", json!("AQAB")), Unusable::Private),
        (with(&rsa, "p", json!("AQAB")), Unusable::Private),
        (with(&p256, "d", json!("")), Unusable::Private),
        (with(&rsa, "use", json!("enc")), Unusable::Use),
        (with(&rsa, "use", json!("")), Unusable::Use),
        (with(&rsa, "key_ops", json!(["sign"])), Unusable::Operations),
        (with(&rsa, "key_ops", json!("verify")), Unusable::Operations),
        (with(&rsa, "kid", json!(1)), Unusable::Kid),
        (with(&rsa, "alg", json!("RSA-OAEP")), Unusable::Algorithm),
        (with(&rsa, "alg", json!("HS256")), Unusable::Algorithm),
        (with(&rsa, "alg", json!("ES256")), Unusable::OtherAlgorithm),
        (with(&p256, "alg", json!("ES384")), Unusable::OtherAlgorithm),
        (
            with(&p256, "alg", json!("Ed25519")),
            Unusable::OtherAlgorithm,
        ),
        (with(&rsa, "n", json!(null)), Unusable::Member("n")),
        (with(&rsa, "n", json!(1)), Unusable::Member("n")),
        (with(&rsa, "n", json!("")), Unusable::Member("n")),
        (with(&rsa, "n", json!("AQAB")), Unusable::ModulusSize),
        (with(&rsa, "n", json!(even)), Unusable::EvenModulus),
        // Padding that is too much, and bits that are too many.
        (with(&rsa, "e", json!("AQAB=")), Unusable::Member("e")),
        (with(&rsa, "e", json!("AR")), Unusable::Member("e")),
        (with(&rsa, "e", json!("AQ")), Unusable::Exponent),
        (with(&rsa, "e", json!("AA")), Unusable::Exponent),
        (with(&rsa, "e", json!("Ag")), Unusable::Exponent),
        (with(&rsa, "e", json!("AQAC")), Unusable::Exponent),
        (with(&rsa, "e", json!("AQAAAAE")), Unusable::Exponent),
        (roca::signer("a").jwk(), Unusable::Roca),
        (with(&p256, "x", json!("AQAB")), Unusable::NotOnCurve),
        (with(&p256, "crv", json!("P-384")), Unusable::NotOnCurve),
        (
            with(&p256, "x", json!(base64url([1; 33]))),
            Unusable::NotOnCurve,
        ),
        (with(&ed25519, "x", json!("AQAB")), Unusable::NotOnCurve),
        (with(&ed25519, "x", json!(order_two)), Unusable::SmallOrder),
        (
            with(&ed25519, "x", json!(base64url([0; 32]))),
            Unusable::SmallOrder,
        ),
    ] {
        assert_eq!(verifying_key(&key).unwrap_err(), expected, "{key}");
    }
    for key in [rsa, p256, ed25519] {
        read(&key);
    }
}
