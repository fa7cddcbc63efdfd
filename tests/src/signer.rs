//! Keys made at run time, and tokens signed with them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key pair and the `kid` that it is published under.
pub struct Signer {
    /// The `kid`.
    pub kid: String,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    P521(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Base64url without padding.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    /// An RSA key of 2,048 bits.
    pub fn rsa(kid: &str) -> Self {
        Self::new(
            kid,
            Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        )
    }

    /// An RSA key of a private key in PKCS #8.
    pub fn rsa_of_pkcs8(kid: &str, key: &[u8]) -> Self {
        Self::new(kid, Key::Rsa(RsaKeyPair::from_pkcs8(key).unwrap()))
    }

    /// An ES256 key.
    pub fn p256(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::new(kid, Key::P256(key.unwrap()))
    }

    /// An ES384 key.
    pub fn p384(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING);
        Self::new(kid, Key::P384(key.unwrap()))
    }

    /// An ES512 key.
    pub fn p521(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING);
        Self::new(kid, Key::P521(key.unwrap()))
    }

    /// An `EdDSA` key.
    pub fn ed25519(kid: &str) -> Self {
        Self::new(kid, Key::Ed25519(Ed25519KeyPair::generate().unwrap()))
    }

    fn new(kid: &str, key: Key) -> Self {
        let kid = kid.to_owned();
        Self { kid, key }
    }

    /// The algorithm that the key is used with unless another is asked for.
    pub fn alg(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::P384(_) => "ES384",
            Key::P521(_) => "ES512",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        let kid = &self.kid;
        match &self.key {
            Key::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let (n, e) = (base64url(&public.n), base64url(&public.e));
                json!({"kty": "RSA", "kid": kid, "use": "sig", "n": n, "e": e})
            }
            Key::P256(pair) => ec(kid, "P-256", pair),
            Key::P384(pair) => ec(kid, "P-384", pair),
            Key::P521(pair) => ec(kid, "P-521", pair),
            Key::Ed25519(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
            }
        }
    }

    /// A token with the key's own algorithm and `kid`.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(
            &json!({"alg": self.alg(), "kid": self.kid, "typ": "at+jwt"}),
            claims,
        )
    }

    /// A token with any header; signed as its `alg` says, or with the key's own algorithm.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of_text(&header.to_string(), &claims.to_string())
    }

    /// A token of any header and claims, also such as are no JSON.
    pub fn token_of_text(&self, header: &str, claims: &str) -> String {
        let parsed: Value = serde_json::from_str(header).unwrap_or_default();
        let alg = parsed["alg"].as_str().unwrap_or_default();
        self.token_of_parts(&base64url(header), &base64url(claims), alg)
    }

    /// A token whose first two parts are these, whatever they are; signed as `alg` says, or with the
    /// key's own algorithm.
    pub fn token_of_parts(&self, header: &str, claims: &str, alg: &str) -> String {
        let signing_input = format!("{header}.{claims}");
        let signature = self.sign(alg, signing_input.as_bytes());
        format!("{signing_input}.{}", base64url(signature))
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair) => {
                let padding: &'static dyn aws_lc_rs::signature::RsaEncoding = match alg {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Key::P256(pair) | Key::P384(pair) | Key::P521(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn ec(kid: &str, curve: &str, pair: &EcdsaKeyPair) -> Value {
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "kid": kid, "x": base64url(x), "y": base64url(y)})
}
