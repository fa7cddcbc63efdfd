//! One signature, verified by an issuer's public key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use crate::algorithm::{KeyKind, SigningAlgorithm};

/// A public key that can verify signatures of one kind.
#[derive(Debug)]
pub(crate) enum PublicKey {
    /// One that any RSA algorithm verifies with.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    /// A point on a curve, which has one algorithm.
    Point {
        curve: KeyKind,
        key: ParsedPublicKey,
    },
}

impl PublicKey {
    /// An RSA key of a big-endian modulus and exponent without leading zeros.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa(RsaPublicKeyComponents {
            n: modulus.to_vec(),
            e: exponent.to_vec(),
        })
    }

    /// A key on `curve` of an uncompressed point, or of the 32 bytes of Ed25519; `None` when a point
    /// of a NIST curve is not on it. Whether one of Ed25519 is shows when it verifies nothing.
    pub(crate) fn point(curve: KeyKind, bytes: &[u8]) -> Option<Self> {
        let algorithm: &'static dyn VerificationAlgorithm = match curve {
            KeyKind::Rsa => return None,
            KeyKind::P256 => &ECDSA_P256_SHA256_FIXED,
            KeyKind::P384 => &ECDSA_P384_SHA384_FIXED,
            KeyKind::P521 => &ECDSA_P521_SHA512_FIXED,
            KeyKind::Ed25519 => &ED25519,
        };
        let key = ParsedPublicKey::new(algorithm, bytes).ok()?;
        Some(Self::Point { curve, key })
    }

    /// What kind of algorithm it verifies for.
    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa(_) => KeyKind::Rsa,
            Self::Point { curve, .. } => *curve,
        }
    }

    /// Whether `signature` is this key's for `signed` by `algorithm`. A key of another kind than the
    /// algorithm's verifies nothing.
    pub(crate) fn verifies(
        &self,
        algorithm: SigningAlgorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> bool {
        match (self, rsa_parameters(algorithm)) {
            (Self::Rsa(key), Some(parameters)) => key.verify(parameters, signed, signature).is_ok(),
            (Self::Point { curve, key }, None) => {
                *curve == algorithm.key_kind() && key.verify_sig(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn rsa_parameters(algorithm: SigningAlgorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        SigningAlgorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        SigningAlgorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        SigningAlgorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        SigningAlgorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        SigningAlgorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        SigningAlgorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        SigningAlgorithm::Es256
        | SigningAlgorithm::Es384
        | SigningAlgorithm::Es512
        | SigningAlgorithm::Ed25519 => None,
    }
}
