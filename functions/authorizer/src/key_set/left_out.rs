//! The keys of a set that are not used, each with why, and which of them have been reported.

use std::fmt;

use serde_json::Value;

/// Why a published key cannot, or must not, verify the signatures of tokens. Nothing of the key is
/// in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("it is no JSON object")]
    NotObject,
    #[error("its kid is no text")]
    Kid,
    #[error("its use is not sig")]
    Use,
    #[error("its key_ops do not have verify")]
    Operations,
    #[error("its kty and crv are none that tokens are verified with")]
    Type,
    #[error("its alg is none that tokens are verified with")]
    Algorithm,
    #[error("its alg is one of another type or curve")]
    OtherAlgorithm,
    /// A key whose private half is published proves nothing.
    #[error("it is published with a private or secret member")]
    Private,
    #[error("its member {0} is missing or no base64url")]
    Member(&'static str),
    #[error("its modulus has fewer than 2,048 or more than 8,192 bits")]
    ModulusSize,
    #[error("its modulus is even")]
    EvenModulus,
    #[error("its exponent is 1, even or longer than 32 bits")]
    Exponent,
    #[error("its modulus is one of CVE-2017-15361 (ROCA), whose factors can be computed")]
    Roca,
    #[error("its coordinates are no point on its curve")]
    NotOnCurve,
    #[error("it is a point of small order, in whose name anybody can sign")]
    SmallOrder,
}

impl Unusable {
    /// Whether the key is only meant for something else, such as encryption.
    fn is_for_something_else(self) -> bool {
        matches!(
            self,
            Self::Use | Self::Operations | Self::Type | Self::Algorithm
        )
    }
}

/// A key that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Bounded.
    kid: String,
    why: Unusable,
}

impl LeftOut {
    pub(super) fn new(jwk: &Value, why: Unusable) -> Self {
        let kid = match jwk.get("kid") {
            Some(Value::String(kid)) => shown(kid),
            Some(Value::Number(kid)) => shown(&kid.to_string()),
            _ => WITHOUT_KID.to_owned(),
        };
        Self { kid, why }
    }

    fn log(&self, issuer: &str) {
        let (kid, why) = (self.kid.as_str(), self.why);
        if why.is_for_something_else() {
            tracing::info!(issuer, kid, %why, "key left out");
        } else {
            tracing::warn!(issuer, kid, %why, "key left out");
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kid, self.why)
    }
}

/// What stands in the place of a `kid` that a key does not have.
pub(super) const WITHOUT_KID: &str = "(without a kid)";

/// How many characters of a `kid` are shown. A SHA-256 thumbprint has 43 in base64url, 64 in
/// hexadecimal digits.
const SHOWN: usize = 64;

/// A `kid` for people and logs, bounded. Whatever writes it shows what is invisible in it.
pub(super) fn shown(kid: &str) -> String {
    match kid.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", kid.get(..end).unwrap_or_default()),
        None => kid.to_owned(),
    }
}

/// The keys of one issuer that were reported before, so that a refetch does not report them again.
#[derive(Debug, Default)]
pub(super) struct Reported(Vec<LeftOut>);

impl Reported {
    /// How many are remembered: two sets of the largest size. An issuer that goes beyond is reported
    /// on anew.
    const AT_MOST: usize = 200;

    /// Logs those that were not reported before.
    pub(super) fn report(&mut self, issuer: &str, left_out: &[LeftOut]) {
        for key in left_out {
            if self.is_new(key) {
                key.log(issuer);
            }
        }
    }

    fn is_new(&mut self, key: &LeftOut) -> bool {
        if self.0.contains(key) {
            return false;
        }
        if self.0.len() == Self::AT_MOST {
            self.0.clear();
        }
        self.0.push(key.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left_out(kid: &Value) -> LeftOut {
        LeftOut::new(&json!({"kid": kid, "n": "AQAB"}), Unusable::EvenModulus)
    }

    #[test]
    fn a_kid_is_shown_in_bounds() {
        for (kid, expected) in [
            (json!("2024-01"), "2024-01"),
            (json!("k".repeat(SHOWN)), &"k".repeat(SHOWN)),
            (json!(7), "7"),
            (json!(null), WITHOUT_KID),
            (json!({"d": "AQAB"}), WITHOUT_KID),
        ] {
            assert_eq!(left_out(&kid).kid, expected);
        }
        let long = left_out(&json!("\u{1f511}".repeat(5000))).kid;
        assert_eq!(long, format!("{}...", "\u{1f511}".repeat(SHOWN)));
    }

    #[test]
    fn a_key_is_new_once_and_what_is_remembered_is_bounded() {
        let mut reported = Reported::default();
        let first = left_out(&json!("0"));
        assert!(reported.is_new(&first));
        assert!(!reported.is_new(&first));
        let other_reason = LeftOut::new(&json!({"kid": "0"}), Unusable::Use);
        assert!(reported.is_new(&other_reason));
        for number in 1..1100 {
            assert!(reported.is_new(&left_out(&json!(number))));
            assert!(reported.0.len() <= Reported::AT_MOST);
        }
        // A whole set and more is remembered, not the last key alone.
        for number in 1000..1100 {
            assert!(!reported.is_new(&left_out(&json!(number))), "{number}");
        }
    }
}
