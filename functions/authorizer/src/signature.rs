//! One signature, verified by an issuer's public key: by jsonwebtoken, and for ES512, which it does
//! not know, by the crypto library below it.

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use jsonwebtoken::DecodingKey;

use crate::algorithm::SigningAlgorithm;
use crate::token::Signature;

/// A public key that can verify signatures of one kind.
#[derive(Debug)]
pub(crate) enum PublicKey {
    /// A key that jsonwebtoken verifies with.
    Library(DecodingKey),
    /// An uncompressed point on P-521.
    P521(Vec<u8>),
}

impl PublicKey {
    /// An RSA key of a big-endian modulus and exponent without leading zeros.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Library(DecodingKey::from_rsa_raw_components(modulus, exponent))
    }

    /// A P-256 or P-384 key of an uncompressed point.
    pub(crate) fn ec(point: &[u8]) -> Self {
        Self::Library(DecodingKey::from_ec_der(point))
    }

    /// An Ed25519 key of 32 bytes.
    pub(crate) fn ed25519(bytes: &[u8]) -> Self {
        Self::Library(DecodingKey::from_ed_der(bytes))
    }

    /// Whether `signature` is this key's for `signed` by `algorithm`. A key of another kind than the
    /// algorithm's verifies nothing.
    pub(crate) fn verifies(
        &self,
        algorithm: SigningAlgorithm,
        signed: &[u8],
        signature: &Signature<'_>,
    ) -> bool {
        match (self, algorithm.library()) {
            (Self::Library(key), Some(algorithm)) => {
                jsonwebtoken::crypto::verify(signature.text, signed, key, algorithm)
                    .unwrap_or(false)
            }
            (Self::P521(point), None) => UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point)
                .verify(signed, &signature.bytes)
                .is_ok(),
            _ => false,
        }
    }
}
