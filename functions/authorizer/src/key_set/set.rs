//! A set of published keys (RFC 7517 section 5), and the choice of the one that a header names.

use std::sync::Arc;

use serde_json::Value;

use super::key::VerifyingKey;
use super::left_out::{LeftOut, WITHOUT_KID, shown};
use super::{jwk, published};
use crate::algorithm::SigningAlgorithm;

/// The most keys that a set may list. Issuers publish two or three.
const MAX_KEYS: usize = 100;

/// The most keys that one token's signature is tried with.
const MAX_TRIED: usize = 4;

/// Why a document is no key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("it is no JSON object with an array named keys")]
    NotKeySet,
    #[error("it lists more than {MAX_KEYS} keys")]
    TooManyKeys,
    /// To take it for the issuer's word would refuse every token for what is the issuer's fault.
    #[error("it lists no key that can be used{}", first(.0))]
    NoneUsable(Arc<[LeftOut]>),
}

fn first(left_out: &[LeftOut]) -> String {
    let key = left_out.first();
    key.map_or_else(String::new, |key| format!(", such as {key}"))
}

/// Why no key of a set may verify a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKey {
    /// Reading the issuer's keys anew may help.
    #[error("the issuer's key set has no such key")]
    Unknown,
    #[error("the key's type, curve or use does not fit the token's algorithm")]
    Unfit,
    #[error("several keys of the issuer could be meant")]
    Ambiguous,
}

impl NoKey {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unknown => "key-unknown",
            Self::Unfit => "key-unfit",
            Self::Ambiguous => "key-ambiguous",
        }
    }
}

/// The keys of one issuer that can be used; at least one, but for the default.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    keys: Vec<VerifyingKey>,
    left_out: Vec<LeftOut>,
}

impl KeySet {
    /// Reads a document. A key that cannot be used is left out: it may be meant for something else.
    /// So is one that stands there twice, which would be ambiguous.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let document = published::json(document).ok_or(KeySetError::NotKeySet)?;
        let listed = document.get("keys").and_then(Value::as_array);
        let listed = listed.ok_or(KeySetError::NotKeySet)?;
        if listed.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut set = Self::default();
        for (position, jwk) in listed.iter().enumerate() {
            if listed[..position].contains(jwk) {
                continue;
            }
            match jwk::verifying_key(jwk) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.left_out.push(LeftOut::new(jwk, why)),
            }
        }
        if set.keys.is_empty() {
            return Err(KeySetError::NoneUsable(set.left_out.into()));
        }
        Ok(set)
    }

    /// The keys that can be used.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn all(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// How many keys can be used.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The keys that were listed and cannot be used.
    pub(super) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The ids of the keys that can be used, and why the others cannot, for a person to read.
    pub(crate) fn names(&self) -> String {
        let kids = self.keys.iter().map(|key| key.kid.as_deref());
        let names: Vec<_> = kids
            .map(|kid| kid.map_or(WITHOUT_KID.to_owned(), shown))
            .collect();
        let left_out = self.left_out.iter();
        let left_out = left_out.map(|key| format!("left out {key}"));
        let parts: Vec<_> = std::iter::once(names.join(", ")).chain(left_out).collect();
        parts.join("; ")
    }

    /// The keys that a header may mean, to be tried one after another: the one that has its `kid`.
    /// Without a `kid` those without one are meant, at most a few, and where every key has one the
    /// only key that fits.
    pub(crate) fn choose(
        &self,
        kid: Option<&str>,
        algorithm: SigningAlgorithm,
    ) -> Result<Vec<&VerifyingKey>, NoKey> {
        let has_kid = |key: &VerifyingKey| key.kid.as_deref() == kid;
        let fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        let (same, other): (Vec<_>, Vec<_>) = fitting.partition(|key| has_kid(key));
        let (meant, at_most) = match kid {
            Some(_) => (same, 1),
            None if same.is_empty() => (other, 1),
            None => (same, MAX_TRIED),
        };
        if meant.len() > at_most {
            Err(NoKey::Ambiguous)
        } else if !meant.is_empty() {
            Ok(meant)
        } else if kid.is_some() && self.keys.iter().any(has_kid) {
            Err(NoKey::Unfit)
        } else {
            Err(NoKey::Unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use keygate_tests::signer::Signer;

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    fn algorithm(name: &str) -> SigningAlgorithm {
        name.parse().unwrap()
    }

    fn with(mut key: Value, member: &str, value: Value) -> Value {
        key[member] = value;
        key
    }

    #[test]
    fn a_key_is_chosen_by_its_id() {
        let set = set(&[Signer::rsa("a").jwk(), Signer::rsa("b").jwk()]);
        let meant = set.choose(Some("b"), algorithm("RS256")).unwrap();
        let kids: Vec<_> = meant.iter().map(|key| key.kid.as_deref()).collect();
        assert_eq!(kids, [Some("b")]);
        assert_eq!(
            set.choose(Some("c"), algorithm("RS256")).unwrap_err(),
            NoKey::Unknown
        );
    }

    #[test]
    fn without_an_id_the_only_key_that_fits_is_meant() {
        let (rsa, p256) = (Signer::rsa("a").jwk(), Signer::p256("b").jwk());
        let one_of_each = set(&[rsa.clone(), p256]);
        assert!(one_of_each.choose(None, algorithm("ES256")).is_ok());
        assert_eq!(
            one_of_each.choose(None, algorithm("EdDSA")).unwrap_err(),
            NoKey::Unknown
        );
        let two = set(&[rsa, Signer::rsa("c").jwk()]);
        assert_eq!(
            two.choose(None, algorithm("RS256")).unwrap_err(),
            NoKey::Ambiguous
        );
    }

    /// This many P-256 keys without an id, behind an RSA key without one and a P-256 key that has one.
    fn with_unnamed(count: usize) -> KeySet {
        let unnamed = |signer: Signer| with(signer.jwk(), "kid", Value::Null);
        let mut keys = vec![unnamed(Signer::rsa("")), Signer::p256("a").jwk()];
        keys.extend((0..count).map(|_| unnamed(Signer::p256(""))));
        set(&keys)
    }

    #[test]
    fn without_an_id_the_keys_that_have_none_and_fit_are_tried_if_they_are_a_few() {
        for count in 1..=MAX_TRIED {
            let set = with_unnamed(count);
            let meant = set.choose(None, algorithm("ES256")).unwrap();
            assert_eq!(meant.len(), count);
            assert!(meant.iter().all(|key| key.kid.is_none()));
        }
        let too_many = with_unnamed(MAX_TRIED + 1);
        let error = too_many.choose(None, algorithm("ES256")).unwrap_err();
        assert_eq!(error, NoKey::Ambiguous);
        assert!(too_many.choose(None, algorithm("RS256")).is_ok());
        assert!(too_many.choose(Some("a"), algorithm("ES256")).is_ok());
        // An id is never a reason to try a key that has none.
        let error = too_many.choose(Some("b"), algorithm("ES256")).unwrap_err();
        assert_eq!(error, NoKey::Unknown);
    }

    #[test]
    fn an_id_that_stands_on_two_keys_names_neither_of_them() {
        let set = set(&[Signer::p256("a").jwk(), Signer::p256("a").jwk()]);
        let error = set.choose(Some("a"), algorithm("ES256")).unwrap_err();
        assert_eq!(error, NoKey::Ambiguous);
    }

    #[test]
    fn a_key_that_stands_there_twice_is_one() {
        let key = Signer::p256("a").jwk();
        let set = set(&[key.clone(), key]);
        assert_eq!(set.len(), 1);
        assert!(set.choose(Some("a"), algorithm("ES256")).is_ok());
    }

    #[test]
    fn a_key_verifies_only_what_its_type_curve_and_alg_allow() {
        let rsa = Signer::rsa("a").jwk();
        let unfit =
            |key: Value, alg: &str| set(&[key]).choose(Some("a"), algorithm(alg)).unwrap_err();
        assert_eq!(unfit(rsa.clone(), "ES256"), NoKey::Unfit);
        assert_eq!(unfit(rsa.clone(), "EdDSA"), NoKey::Unfit);
        assert_eq!(
            unfit(with(rsa, "alg", json!("RS256")), "PS256"),
            NoKey::Unfit
        );
        assert_eq!(unfit(Signer::p256("a").jwk(), "ES384"), NoKey::Unfit);
        assert_eq!(unfit(Signer::p521("a").jwk(), "ES384"), NoKey::Unfit);
        assert_eq!(unfit(Signer::ed25519("a").jwk(), "ES256"), NoKey::Unfit);
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out_and_the_others_stay() {
        let p256 = Signer::p256("a").jwk();
        let encryption = with(Signer::rsa("b").jwk(), "use", json!("enc"));
        let set = set(&[json!({}), p256, encryption, json!("no key")]);
        assert_eq!(set.len(), 1);
        assert!(set.choose(Some("a"), algorithm("ES256")).is_ok());
        let left_out: Vec<_> = set.left_out().iter().map(ToString::to_string).collect();
        let [empty, encryption, text] = left_out.try_into().unwrap();
        assert!(empty.starts_with("(without a kid): "), "{empty}");
        assert_eq!(encryption, "b: its use is not sig");
        assert!(text.starts_with("(without a kid): "), "{text}");
        assert!(set.names().starts_with("a; left out (without a kid): "));
    }

    #[test]
    fn a_set_of_which_no_key_is_usable_is_refused_and_says_why() {
        let unusable = with(Signer::p256("a").jwk(), "use", json!("enc"));
        for (keys, expected) in [
            (json!([]), "it lists no key that can be used"),
            (
                json!([unusable, {}]),
                "it lists no key that can be used, such as a: its use is not sig",
            ),
        ] {
            let document = json!({ "keys": keys }).to_string();
            let error = KeySet::parse(document.as_bytes()).unwrap_err();
            assert!(matches!(error, KeySetError::NoneUsable(_)));
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for document in ["", "[]", "{}", "{\"keys\":{}}", "<html>", "null"] {
            let error = KeySet::parse(document.as_bytes()).unwrap_err();
            assert_eq!(error, KeySetError::NotKeySet, "{document}");
        }
        let mut most = vec![json!({}); MAX_KEYS];
        most[7] = Signer::p256("a").jwk();
        let document = |keys: &[Value]| json!({ "keys": keys }).to_string();
        assert!(KeySet::parse(document(&most).as_bytes()).is_ok());
        let many = json!({ "keys": vec![json!({}); MAX_KEYS + 1] }).to_string();
        assert_eq!(
            KeySet::parse(many.as_bytes()).unwrap_err(),
            KeySetError::TooManyKeys
        );
    }
}
