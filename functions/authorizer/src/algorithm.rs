//! The signature algorithms that a token may be signed with: asymmetric ones only.
//!
//! `none` and the HMAC family have no value of [`SigningAlgorithm`], so a configuration or a token
//! that names one cannot get further than its parser (RFC 8725 sections 3.1 and 3.2).

use std::fmt;
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

/// A signature algorithm that this authorizer verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SigningAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    Ed25519,
}

/// Every algorithm by its `alg`: of RFC 7518, RFC 8037 and RFC 9864. The last two mean one algorithm
/// here: RFC 9864 deprecates `EdDSA` because it leaves the curve to the key, and Ed25519 is the only
/// such curve that is verified.
const BY_NAME: [(&str, SigningAlgorithm); 11] = [
    ("RS256", SigningAlgorithm::Rs256),
    ("RS384", SigningAlgorithm::Rs384),
    ("RS512", SigningAlgorithm::Rs512),
    ("PS256", SigningAlgorithm::Ps256),
    ("PS384", SigningAlgorithm::Ps384),
    ("PS512", SigningAlgorithm::Ps512),
    ("ES256", SigningAlgorithm::Es256),
    ("ES384", SigningAlgorithm::Es384),
    ("ES512", SigningAlgorithm::Es512),
    ("EdDSA", SigningAlgorithm::Ed25519),
    ("Ed25519", SigningAlgorithm::Ed25519),
];

/// What is accepted when nothing is configured.
const DEFAULT: [SigningAlgorithm; 4] = [
    SigningAlgorithm::Rs256,
    SigningAlgorithm::Ps256,
    SigningAlgorithm::Es256,
    SigningAlgorithm::Ed25519,
];

/// A name that is none of the accepted algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = BY_NAME.map(|(name, _)| name).join(", ");
        write!(formatter, "algorithms are {names}")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl SigningAlgorithm {
    /// The algorithms accepted when none are configured.
    pub(crate) fn defaults() -> Vec<Self> {
        DEFAULT.to_vec()
    }

    /// What kind of key verifies it.
    pub(crate) fn key_kind(self) -> KeyKind {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                KeyKind::Rsa
            }
            Self::Es256 => KeyKind::P256,
            Self::Es384 => KeyKind::P384,
            Self::Es512 => KeyKind::P521,
            Self::Ed25519 => KeyKind::Ed25519,
        }
    }

    /// jsonwebtoken's name for it; `None` for ES512, which it does not know.
    pub(crate) fn library(self) -> Option<Algorithm> {
        Some(match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::Es512 => return None,
            Self::Ed25519 => Algorithm::EdDSA,
        })
    }

    /// Every `alg` that means it.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let all = BY_NAME.iter();
        all.filter_map(move |(name, algorithm)| (*algorithm == self).then_some(*name))
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownAlgorithm;

    /// Case decides: `alg` values are case-sensitive (RFC 7515 section 4.1.1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = BY_NAME.iter().find(|(name, _)| *name == text);
        named
            .map(|(_, algorithm)| *algorithm)
            .ok_or(UnknownAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_none_nor_a_shared_secret_algorithm_can_be_named() {
        for name in [
            "none", "None", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "dir", "ed25519",
            "Ed448",
        ] {
            assert_eq!(
                name.parse::<SigningAlgorithm>(),
                Err(UnknownAlgorithm),
                "{name:?}"
            );
        }
    }

    #[test]
    fn eddsa_has_a_second_name_and_the_others_have_one() {
        let both: Vec<_> = SigningAlgorithm::Ed25519.names().collect();
        assert_eq!(both, ["EdDSA", "Ed25519"]);
        for (name, algorithm) in BY_NAME {
            assert_eq!(name.parse(), Ok(algorithm));
            let is_first = algorithm.names().next() == Some(name);
            assert!(is_first || name == "Ed25519", "{name}");
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_those_that_there_are() {
        let said = UnknownAlgorithm.to_string();
        assert!(said.starts_with("algorithms are RS256, "), "{said}");
        assert!(said.ends_with(", EdDSA, Ed25519"), "{said}");
    }
}
