//! A token's claims, each read as the type that its specification gives it (RFC 7519 section 4,
//! RFC 9068 section 2.2).

use keygate_json::Object;
use keygate_principal::name::is_usable_name;
use keygate_principal::scope::{Scope, Scopes};
use serde_json::Value;

/// What is wrong with a claim. Its value is not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("the claim {0} is missing")]
    Missing(String),
    #[error("the claim {0} does not have the type or form that it must have")]
    Malformed(String),
}

impl ClaimError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "claim-missing",
            Self::Malformed(_) => "claim-malformed",
        }
    }

    pub(crate) fn missing(claim: &str) -> Self {
        Self::Missing(claim.to_owned())
    }

    fn malformed(claim: &str) -> Self {
        Self::Malformed(claim.to_owned())
    }
}

/// The most characters of a claim's value that are shown.
const SHOWN: usize = 200;

/// Claims, not yet believed or believed: whoever holds them knows which.
#[derive(Debug, Clone)]
pub(crate) struct Claims(Object);

impl Claims {
    pub(crate) fn new(claims: Object) -> Self {
        Self(claims)
    }

    /// All of them.
    pub(crate) fn object(&self) -> &Object {
        &self.0
    }

    /// A claim as it stands in the token, for a person to read.
    pub(crate) fn shown(&self, claim: &str) -> String {
        self.0.get(claim).map_or("missing".to_owned(), written)
    }

    /// A claim that is a string.
    pub(crate) fn text(&self, claim: &str) -> Result<Option<&str>, ClaimError> {
        match self.0.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ClaimError::malformed(claim)),
        }
    }

    /// The issuer, which must be there.
    pub(crate) fn issuer(&self) -> Result<&str, ClaimError> {
        self.text("iss")?.ok_or_else(|| ClaimError::missing("iss"))
    }

    /// The audiences: a string or an array of strings (RFC 7519 section 4.1.3).
    pub(crate) fn audiences(&self) -> Result<Option<Vec<&str>>, ClaimError> {
        let malformed = || ClaimError::malformed("aud");
        match self.0.get("aud") {
            None => Ok(None),
            Some(Value::String(audience)) => Ok(Some(vec![audience])),
            Some(Value::Array(audiences)) => audiences
                .iter()
                .map(|audience| audience.as_str().ok_or_else(malformed))
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(malformed()),
        }
    }

    /// A `NumericDate` in epoch seconds, which may have a fraction (RFC 7519 section 2).
    pub(crate) fn date(&self, claim: &str) -> Result<Option<f64>, ClaimError> {
        let Some(value) = self.0.get(claim) else {
            return Ok(None);
        };
        match value.as_f64().filter(|seconds| seconds.is_finite()) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(ClaimError::malformed(claim)),
        }
    }

    /// The scopes of `scope` (a string, RFC 8693 section 4.2), else of `scp` (a string or an array
    /// of strings, as Microsoft's and Okta's issuers write it).
    pub(crate) fn scopes(&self) -> Result<Scopes, ClaimError> {
        if let Some(scope) = self.text("scope")? {
            return scope.parse().map_err(|_| ClaimError::malformed("scope"));
        }
        let malformed = || ClaimError::malformed("scp");
        match self.0.get("scp") {
            None => Ok(Scopes::default()),
            Some(Value::String(scopes)) => scopes.parse().map_err(|_| malformed()),
            Some(Value::Array(scopes)) => scopes
                .iter()
                .map(|scope| {
                    let scope = scope.as_str().ok_or_else(malformed)?;
                    scope.parse::<Scope>().map_err(|_| malformed())
                })
                .collect(),
            Some(_) => Err(malformed()),
        }
    }

    /// The client that the token was issued to: `client_id` (RFC 9068), else `azp` (OpenID
    /// Connect), else `cid` (Okta).
    pub(crate) fn client_id(&self) -> Result<Option<&str>, ClaimError> {
        self.first_name(["client_id", "azp", "cid"].into_iter())
    }

    /// The first of `claims` that is there, which must then be a usable name.
    pub(crate) fn first_name<'c>(
        &self,
        mut claims: impl Iterator<Item = &'c str>,
    ) -> Result<Option<&str>, ClaimError> {
        let Some(claim) = claims.find(|claim| self.0.contains_key(*claim)) else {
            return Ok(None);
        };
        match self.text(claim)? {
            Some(name) if is_usable_name(name) => Ok(Some(name)),
            _ => Err(ClaimError::malformed(claim)),
        }
    }
}

/// A value as a person reads it, shortened.
pub(crate) fn written(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        match value {
            Value::Object(object) => Claims::new(object),
            _ => panic!("claims are an object"),
        }
    }

    #[test]
    fn scopes_come_from_scope_and_else_from_scp() {
        let scopes = |value| claims(value).scopes().map(|scopes| scopes.to_string());
        assert_eq!(scopes(json!({"scope": "b a"})).unwrap(), "a b");
        assert_eq!(scopes(json!({"scp": "b a"})).unwrap(), "a b");
        assert_eq!(scopes(json!({"scp": ["b", "a"]})).unwrap(), "a b");
        assert_eq!(scopes(json!({"scope": "a", "scp": ["b"]})).unwrap(), "a");
        assert_eq!(scopes(json!({})).unwrap(), "");
        for bad in [
            json!({"scope": ["a"]}),
            json!({"scp": [1]}),
            json!({"scp": ["a b"]}),
            json!({"scp": {}}),
        ] {
            assert!(scopes(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_audience_is_a_string_or_an_array_of_strings() {
        let both = claims(json!({"aud": ["a", "b"]}));
        assert_eq!(
            claims(json!({"aud": "a"})).audiences().unwrap().unwrap(),
            ["a"]
        );
        assert_eq!(both.audiences().unwrap().unwrap(), ["a", "b"]);
        assert_eq!(claims(json!({})).audiences().unwrap(), None);
        for bad in [
            json!({"aud": 1}),
            json!({"aud": null}),
            json!({"aud": ["a", 1]}),
            json!({"aud": {"a": 1}}),
        ] {
            assert!(claims(bad.clone()).audiences().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_a_number() {
        assert_eq!(claims(json!({"exp": 1.5})).date("exp").unwrap(), Some(1.5));
        for bad in [
            json!({"exp": "1"}),
            json!({"exp": null}),
            json!({"exp": [1]}),
            json!({"exp": true}),
        ] {
            assert!(claims(bad.clone()).date("exp").is_err(), "{bad}");
        }
    }

    #[test]
    fn the_client_is_named_by_the_first_claim_that_is_there() {
        let client = |value| claims(value).client_id().map(|id| id.map(str::to_owned));
        assert_eq!(
            client(json!({"azp": "b", "client_id": "a"}))
                .unwrap()
                .unwrap(),
            "a"
        );
        assert_eq!(
            client(json!({"cid": "c", "azp": "b"})).unwrap().unwrap(),
            "b"
        );
        assert_eq!(client(json!({})).unwrap(), None);
        assert!(client(json!({"client_id": "", "azp": "b"})).is_err());
    }
}
