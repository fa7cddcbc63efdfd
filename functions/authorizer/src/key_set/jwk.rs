//! One JSON Web Key (RFC 7517 section 4) as a key that verifies signatures.
//!
//! Keys come from the issuer that is trusted, so they are read as issuers write them: what does not
//! change which key is meant is no reason to refuse all of its tokens. Tokens are read strictly.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::key::VerifyingKey;
use super::left_out::Unusable;
use super::weak;
use crate::algorithm::SigningAlgorithm;
use crate::signature::PublicKey;

/// RSA moduli in bits: RFC 7518 section 3.3 asks for 2,048 at least, and verifying with a larger
/// one than this takes longer than a caller may make us work.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The longest RSA exponent in bytes; every issuer uses three (65,537).
const RSA_EXPONENT_BYTES: usize = 4;

/// The members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Base64url, with or without the padding, which RFC 7515 section 2 forbids and the encoders of Java
/// and Python write unless they are told not to.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a key, or says why it cannot, or must not, verify the signatures of tokens.
pub(super) fn verifying_key(jwk: &Value) -> Result<VerifyingKey, Unusable> {
    let jwk = Members(jwk.as_object().ok_or(Unusable::NotObject)?);
    if PRIVATE.iter().any(|name| jwk.get(name).is_some()) {
        return Err(Unusable::Private);
    }
    is_for_signatures(&jwk)?;
    let kid = match jwk.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or(Unusable::Kid)?.to_owned()),
    };
    let algorithm = match jwk.get("alg") {
        None => None,
        Some(alg) => Some(signing_algorithm(alg).ok_or(Unusable::Algorithm)?),
    };
    let key = match (jwk.text("kty"), jwk.text("crv")) {
        (Some("RSA"), _) => rsa(&jwk.bytes("n")?, &jwk.bytes("e")?)?,
        (Some("EC"), Some("P-256")) => ec(&jwk, 32, PublicKey::p256)?,
        (Some("EC"), Some("P-384")) => ec(&jwk, 48, PublicKey::p384)?,
        (Some("EC"), Some("P-521")) => ec(&jwk, 66, PublicKey::p521)?,
        (Some("OKP"), Some("Ed25519")) => ed25519(&jwk.bytes("x")?)?,
        _ => return Err(Unusable::Type),
    };
    if algorithm.is_some_and(|algorithm| algorithm.key_kind() != key.kind()) {
        return Err(Unusable::OtherAlgorithm);
    }
    Ok(VerifyingKey {
        kid,
        algorithm,
        key,
    })
}

/// The members of a key. One that is null counts as absent: that is how many serializers write what
/// is not there.
struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, Unusable> {
        let text = self.text(name).filter(|text| !text.is_empty());
        let bytes = text.and_then(|text| BASE64URL.decode(text).ok());
        bytes.ok_or(Unusable::Member(name))
    }
}

fn signing_algorithm(alg: &Value) -> Option<SigningAlgorithm> {
    alg.as_str()?.parse().ok()
}

/// Whether `use` and `key_ops`, where present, allow verifying (RFC 7517 sections 4.2 and 4.3).
/// Operations of which there are none say as little as no operations.
fn is_for_signatures(jwk: &Members<'_>) -> Result<(), Unusable> {
    if jwk.get("use").is_some_and(|value| value != "sig") {
        return Err(Unusable::Use);
    }
    match jwk.get("key_ops").map(Value::as_array) {
        None => Ok(()),
        Some(Some(names)) if names.is_empty() || names.iter().any(|name| name == "verify") => {
            Ok(())
        }
        Some(_) => Err(Unusable::Operations),
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, Unusable> {
    let modulus = without_leading_zeros(modulus);
    let exponent = without_leading_zeros(exponent);
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros()) as usize;
    if !RSA_BITS.contains(&(modulus.len() * 8 - leading)) {
        return Err(Unusable::ModulusSize);
    }
    if !is_odd(modulus) {
        return Err(Unusable::EvenModulus);
    }
    // 1 would make every message its own signature, and no even exponent is an RSA exponent.
    if !is_odd(exponent) || exponent == [1] || exponent.len() > RSA_EXPONENT_BYTES {
        return Err(Unusable::Exponent);
    }
    if weak::is_roca(modulus) {
        return Err(Unusable::Roca);
    }
    Ok(PublicKey::rsa(modulus, exponent))
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte % 2 == 1)
}

/// Some issuers write a sign byte, which RFC 7518 section 6.3.1.1 forbids and costs nothing to read.
fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// An elliptic curve's key whose coordinates have `length` bytes.
fn ec(
    jwk: &Members<'_>,
    length: usize,
    on_curve: fn(&[u8]) -> Option<PublicKey>,
) -> Result<PublicKey, Unusable> {
    let (x, y) = (jwk.bytes("x")?, jwk.bytes("y")?);
    let mut uncompressed = vec![4];
    for coordinate in [x, y] {
        // The full length of RFC 7518 section 6.2.1.2, also where the issuer wrote the number alone
        // or with a sign byte.
        let number = without_leading_zeros(&coordinate);
        let missing = length.checked_sub(number.len());
        let missing = missing.ok_or(Unusable::NotOnCurve)?;
        uncompressed.resize(uncompressed.len() + missing, 0);
        uncompressed.extend_from_slice(number);
    }
    on_curve(&uncompressed).ok_or(Unusable::NotOnCurve)
}

fn ed25519(x: &[u8]) -> Result<PublicKey, Unusable> {
    let bytes: [u8; 32] = x.try_into().map_err(|_| Unusable::NotOnCurve)?;
    if weak::is_small_order(bytes) {
        return Err(Unusable::SmallOrder);
    }
    Ok(PublicKey::ed25519(&bytes))
}

#[cfg(test)]
mod tests;
