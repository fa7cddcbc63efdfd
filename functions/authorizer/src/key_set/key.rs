//! A key that an issuer's tokens can be verified with.

use crate::algorithm::SigningAlgorithm;
use crate::signature::PublicKey;

/// A public key that can verify signatures.
#[derive(Debug)]
pub(crate) struct VerifyingKey {
    pub(crate) kid: Option<String>,
    /// The only algorithm that the issuer meant it for, when it says so.
    pub(crate) algorithm: Option<SigningAlgorithm>,
    pub(crate) key: PublicKey,
}

impl VerifyingKey {
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        self.key.kind() == algorithm.key_kind()
            && self
                .algorithm
                .is_none_or(|meant_for| meant_for == algorithm)
    }
}
