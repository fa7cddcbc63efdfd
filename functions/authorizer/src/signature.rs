//! One signature, verified by an issuer's public key: by jsonwebtoken, and for ES512, which it does
//! not know, by the crypto library below it.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
};
use jsonwebtoken::DecodingKey;

use crate::algorithm::{KeyKind, SigningAlgorithm};
use crate::token::Signature;

/// A public key that can verify signatures of one kind.
#[derive(Debug)]
pub(crate) struct PublicKey {
    kind: KeyKind,
    key: Key,
}

#[derive(Debug)]
enum Key {
    /// One that jsonwebtoken verifies with.
    Library(DecodingKey),
    /// A point on P-521.
    P521(ParsedPublicKey),
}

impl PublicKey {
    /// An RSA key of a big-endian modulus and exponent without leading zeros.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::library(
            KeyKind::Rsa,
            DecodingKey::from_rsa_raw_components(modulus, exponent),
        )
    }

    /// A P-256 key of an uncompressed point; `None` when that is not on the curve.
    pub(crate) fn p256(point: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
        Some(Self::library(
            KeyKind::P256,
            DecodingKey::from_ec_der(point),
        ))
    }

    /// The same on P-384.
    pub(crate) fn p384(point: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).ok()?;
        Some(Self::library(
            KeyKind::P384,
            DecodingKey::from_ec_der(point),
        ))
    }

    /// The same on P-521.
    pub(crate) fn p521(point: &[u8]) -> Option<Self> {
        let key = ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point).ok()?;
        Some(Self {
            kind: KeyKind::P521,
            key: Key::P521(key),
        })
    }

    /// An Ed25519 key. Whether it is a point of the curve shows when it verifies nothing.
    pub(crate) fn ed25519(bytes: &[u8; 32]) -> Self {
        Self::library(KeyKind::Ed25519, DecodingKey::from_ed_der(bytes))
    }

    fn library(kind: KeyKind, key: DecodingKey) -> Self {
        Self {
            kind,
            key: Key::Library(key),
        }
    }

    /// What kind of algorithm it verifies for.
    pub(crate) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `signature` is this key's for `signed` by `algorithm`. A key of another kind than the
    /// algorithm's verifies nothing.
    pub(crate) fn verifies(
        &self,
        algorithm: SigningAlgorithm,
        signed: &[u8],
        signature: &Signature<'_>,
    ) -> bool {
        if self.kind != algorithm.key_kind() {
            return false;
        }
        match (&self.key, algorithm.library()) {
            (Key::Library(key), Some(algorithm)) => {
                jsonwebtoken::crypto::verify(signature.text, signed, key, algorithm)
                    .unwrap_or(false)
            }
            (Key::P521(key), None) => key.verify_sig(signed, &signature.bytes).is_ok(),
            _ => false,
        }
    }
}
