//! An issuer with a key of each kind, and tokens of it.

use std::sync::LazyLock;

use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use serde_json::Value;

/// Every algorithm there is, so that none is refused for not being configured.
const ALGORITHMS: &str = "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA";

/// An issuer with a key of each kind.
pub(crate) struct House {
    pub(crate) rsa: Signer,
    pub(crate) p256: Signer,
    pub(crate) p384: Signer,
    pub(crate) p521: Signer,
    pub(crate) ed25519: Signer,
    pub(crate) issuer: Issuer,
}

/// The one of all tests.
pub(crate) static HOUSE: LazyLock<House> = LazyLock::new(|| {
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
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("OAUTH_ISSUER", self.issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("OAUTH_ALGORITHMS", ALGORITHMS),
        ]
    }

    pub(crate) fn signers(&self) -> [&Signer; 5] {
        [&self.rsa, &self.p256, &self.p384, &self.p521, &self.ed25519]
    }

    pub(crate) fn claims(&self) -> Value {
        self.issuer.claims()
    }

    /// Good claims but for one.
    pub(crate) fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    pub(crate) fn claims_without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    /// A token that nothing is wrong with.
    pub(crate) fn good(&self) -> String {
        self.rsa.token(&self.claims())
    }

    pub(crate) fn good_header(&self) -> String {
        format!("Bearer {}", self.good())
    }
}
