//! The signature algorithms that a token may be signed with: asymmetric ones only.
//!
//! `none` and the HMAC family have no value of [`SigningAlgorithm`], so a configuration or a token
//! that names one cannot get further than its parser (RFC 8725 sections 3.1 and 3.2).

use std::str::FromStr;

use jsonwebtoken::Algorithm;

/// What a key must be to verify an algorithm's signatures (RFC 7518 sections 3.3 to 3.5, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl KeyKind {
    /// The exact length of a signature in bytes; `None` for RSA, where the modulus decides.
    pub(crate) fn signature_length(self) -> Option<usize> {
        match self {
            Self::Rsa => None,
            Self::P256 | Self::Ed25519 => Some(64),
            Self::P384 => Some(96),
            Self::P521 => Some(132),
        }
    }
}

/// An `alg` of RFC 7518 or RFC 8037 that this authorizer verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SigningAlgorithm {
    name: &'static str,
    library: Option<Algorithm>,
    key_kind: KeyKind,
}

const fn algorithm(name: &'static str, library: Algorithm, key_kind: KeyKind) -> SigningAlgorithm {
    SigningAlgorithm {
        name,
        library: Some(library),
        key_kind,
    }
}

const ALL: [SigningAlgorithm; 10] = [
    algorithm("RS256", Algorithm::RS256, KeyKind::Rsa),
    algorithm("RS384", Algorithm::RS384, KeyKind::Rsa),
    algorithm("RS512", Algorithm::RS512, KeyKind::Rsa),
    algorithm("PS256", Algorithm::PS256, KeyKind::Rsa),
    algorithm("PS384", Algorithm::PS384, KeyKind::Rsa),
    algorithm("PS512", Algorithm::PS512, KeyKind::Rsa),
    algorithm("ES256", Algorithm::ES256, KeyKind::P256),
    algorithm("ES384", Algorithm::ES384, KeyKind::P384),
    SigningAlgorithm {
        name: "ES512",
        library: None,
        key_kind: KeyKind::P521,
    },
    algorithm("EdDSA", Algorithm::EdDSA, KeyKind::Ed25519),
];

/// What is accepted when nothing is configured.
const DEFAULT: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// A name that is none of the accepted algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("algorithms are RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA")]
pub(crate) struct UnknownAlgorithm;

impl SigningAlgorithm {
    /// The algorithms accepted when none are configured.
    pub(crate) fn defaults() -> Vec<Self> {
        DEFAULT
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// What kind of key verifies it.
    pub(crate) fn key_kind(self) -> KeyKind {
        self.key_kind
    }

    /// Its `alg`.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// jsonwebtoken's name for it; `None` for ES512, which it does not know.
    pub(crate) fn library(self) -> Option<Algorithm> {
        self.library
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    /// Case decides: `alg` values are case-sensitive (RFC 7515 section 4.1.1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ALL.iter()
            .find(|algorithm| algorithm.name == text)
            .copied()
            .ok_or(UnknownAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_none_nor_a_shared_secret_algorithm_can_be_named() {
        for name in [
            "none", "None", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "dir",
        ] {
            assert_eq!(
                name.parse::<SigningAlgorithm>(),
                Err(UnknownAlgorithm),
                "{name:?}"
            );
        }
    }

    #[test]
    fn every_default_is_an_algorithm() {
        assert_eq!(SigningAlgorithm::defaults().len(), DEFAULT.len());
    }
}
