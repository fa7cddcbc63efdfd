//! The issuer whose tokens are mangled.

use std::sync::LazyLock;

use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use serde_json::Value;

/// Every algorithm there is, so that none is refused for not being configured.
pub(super) const ALGORITHMS: &str = "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA";

/// An issuer with a key of each kind.
pub(super) struct House {
    pub(super) rsa: Signer,
    pub(super) p256: Signer,
    pub(super) p384: Signer,
    pub(super) p521: Signer,
    pub(super) ed25519: Signer,
    pub(super) issuer: Issuer,
}

pub(super) static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let rsa = Signer::rsa("rsa");
    let p256 = Signer::p256("p256");
    let p384 = Signer::p384("p384");
    let p521 = Signer::p521("p521");
    let ed25519 = Signer::ed25519("ed25519");
    let issuer = Issuer::start(&[&rsa, &p256, &p384, &p521, &ed25519]);
    House {
        rsa,
        p256,
        p384,
        p521,
        ed25519,
        issuer,
    }
});

impl House {
    /// Every `alg`, with the signer whose key it needs.
    pub(super) fn by_algorithm(&self) -> [(&'static str, &Signer); 11] {
        [
            ("RS256", &self.rsa),
            ("RS384", &self.rsa),
            ("RS512", &self.rsa),
            ("PS256", &self.rsa),
            ("PS384", &self.rsa),
            ("PS512", &self.rsa),
            ("ES256", &self.p256),
            ("ES384", &self.p384),
            ("ES512", &self.p521),
            ("EdDSA", &self.ed25519),
            ("Ed25519", &self.ed25519),
        ]
    }

    pub(super) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("OAUTH_ISSUER", self.issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("OAUTH_ALGORITHMS", ALGORITHMS),
        ]
    }

    pub(super) fn signers(&self) -> [&Signer; 5] {
        [&self.rsa, &self.p256, &self.p384, &self.p521, &self.ed25519]
    }

    pub(super) fn claims(&self) -> Value {
        self.issuer.claims()
    }

    /// Good claims but for one.
    pub(super) fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    pub(super) fn claims_without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    /// A token that nothing is wrong with.
    pub(super) fn good(&self) -> String {
        self.rsa.token(&self.claims())
    }

    pub(super) fn good_header(&self) -> String {
        format!("Bearer {}", self.good())
    }
}

pub(super) fn split(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().unwrap()
}
