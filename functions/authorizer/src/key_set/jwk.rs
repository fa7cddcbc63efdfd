//! One JSON Web Key (RFC 7517 section 4) as a key that verifies signatures.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::key::VerifyingKey;
use crate::algorithm::{KeyKind, SigningAlgorithm};
use crate::signature::PublicKey;

/// RSA moduli in bits: RFC 7518 section 3.3 asks for 2,048 at least, and verifying with a larger
/// one than this takes longer than a caller may make us work.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The longest RSA exponent in bytes; every issuer uses three (65,537).
const RSA_EXPONENT_BYTES: usize = 4;

/// The members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Reads a key; `None` when it cannot, or must not, verify the signatures of tokens.
pub(super) fn verifying_key(jwk: &Value) -> Option<VerifyingKey> {
    let jwk = jwk.as_object()?;
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    // A key whose private half is published proves nothing.
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) || !is_for_signatures(jwk) {
        return None;
    }
    let kid = match jwk.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str()?.to_owned()),
    };
    let (key_kind, key) = match (text("kty")?, text("crv")) {
        ("RSA", _) => (KeyKind::Rsa, rsa(&bytes("n")?, &bytes("e")?)?),
        ("EC", Some("P-256")) => (KeyKind::P256, ec(&bytes("x")?, &bytes("y")?, 32)?),
        ("EC", Some("P-384")) => (KeyKind::P384, ec(&bytes("x")?, &bytes("y")?, 48)?),
        ("EC", Some("P-521")) => (KeyKind::P521, p521(&bytes("x")?, &bytes("y")?)?),
        ("OKP", Some("Ed25519")) => (KeyKind::Ed25519, ed25519(&bytes("x")?)?),
        _ => return None,
    };
    let algorithm = match jwk.get("alg") {
        None => None,
        Some(alg) => Some(alg.as_str()?.parse::<SigningAlgorithm>().ok()?),
    };
    Some(VerifyingKey {
        kid,
        kind: key_kind,
        algorithm,
        key,
    })
}

/// Whether `use` and `key_ops`, where present, allow verifying (RFC 7517 sections 4.2 and 4.3).
fn is_for_signatures(jwk: &serde_json::Map<String, Value>) -> bool {
    let by_use = jwk.get("use").is_none_or(|value| value == "sig");
    let by_operations = jwk.get("key_ops").is_none_or(|value| {
        let operations = value.as_array();
        operations.is_some_and(|operations| operations.iter().any(|name| name == "verify"))
    });
    by_use && by_operations
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
    let modulus = without_leading_zeros(modulus);
    let exponent = without_leading_zeros(exponent);
    let leading = modulus.first()?.leading_zeros() as usize;
    if !RSA_BITS.contains(&(modulus.len() * 8 - leading)) || exponent.len() > RSA_EXPONENT_BYTES {
        return None;
    }
    // 1 would make every message its own signature, and no even exponent is an RSA exponent.
    let is_odd = exponent.last()? % 2 == 1;
    if !is_odd || exponent == [1] {
        return None;
    }
    Some(PublicKey::rsa(modulus, exponent))
}

/// Some issuers write a sign byte, which RFC 7518 section 6.3.1.1 forbids and costs nothing to read.
fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn ec(x: &[u8], y: &[u8], length: usize) -> Option<PublicKey> {
    Some(PublicKey::ec(&uncompressed(x, y, length)?))
}

fn p521(x: &[u8], y: &[u8]) -> Option<PublicKey> {
    Some(PublicKey::P521(uncompressed(x, y, 66)?))
}

/// The uncompressed point; whether it lies on the curve is checked at each verification. Both
/// coordinates have the curve's full length (RFC 7518 section 6.2.1.2).
fn uncompressed(x: &[u8], y: &[u8], length: usize) -> Option<Vec<u8>> {
    (x.len() == length && y.len() == length).then(|| [&[4], x, y].concat())
}

fn ed25519(x: &[u8]) -> Option<PublicKey> {
    (x.len() == 32).then(|| PublicKey::ed25519(x))
}
