//! A token's claims, each read as the type that its specification gives it (RFC 7519 section 4,
//! RFC 9068 section 2.2).

use keygate_json::Object;
use keygate_principal::name::{is_plain_name, is_usable_name};
use serde_json::Value;

use crate::claim_path::ClaimPath;

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

    pub(crate) fn malformed(claim: &str) -> Self {
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

    /// What a path leads to.
    pub(crate) fn at(&self, path: &ClaimPath) -> Result<Option<&Value>, ClaimError> {
        let found = path.find(&self.0);
        found.map_err(|_| ClaimError::malformed(path.as_str()))
    }

    /// The same as it stands in the token, for a person to read.
    pub(crate) fn shown_at(&self, path: &ClaimPath) -> String {
        let found = path.find(&self.0).ok().flatten();
        found.map_or("missing".to_owned(), written)
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
        let audiences = self.0.get("aud");
        audiences.map(|value| texts("aud", value)).transpose()
    }

    /// The same of another claim than `aud`.
    pub(crate) fn audiences_at(&self, path: &ClaimPath) -> Result<Option<Vec<&str>>, ClaimError> {
        let audiences = self.at(path)?;
        audiences
            .map(|value| texts(path.as_str(), value))
            .transpose()
    }

    /// What binds the token to a key of whoever may present it (RFC 7800 section 3.1), if anything
    /// does.
    pub(crate) fn confirmation(&self) -> Option<&Value> {
        self.0.get("cnf").filter(|cnf| !cnf.is_null())
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

    /// The principal: the first of `paths` that is there, which must then be a usable name.
    pub(crate) fn principal(&self, paths: &[ClaimPath]) -> Result<Option<&str>, ClaimError> {
        self.first_name(paths, is_usable_name)
    }

    /// The client that the token was issued to, in the same way. Its name stands in the access log.
    pub(crate) fn client_id(&self, paths: &[ClaimPath]) -> Result<Option<&str>, ClaimError> {
        self.first_name(paths, is_plain_name)
    }

    /// The token's own name, `jti`.
    pub(crate) fn token_id(&self) -> Result<Option<&str>, ClaimError> {
        match self.text("jti")? {
            Some(jti) if !is_plain_name(jti) => Err(ClaimError::malformed("jti")),
            jti => Ok(jti),
        }
    }

    fn first_name(
        &self,
        paths: &[ClaimPath],
        is_usable: fn(&str) -> bool,
    ) -> Result<Option<&str>, ClaimError> {
        for path in paths {
            match self.at(path)? {
                None => {}
                Some(Value::String(name)) if is_usable(name) => return Ok(Some(name)),
                Some(_) => return Err(ClaimError::malformed(path.as_str())),
            }
        }
        Ok(None)
    }
}

/// A claim that is a string or an array of strings.
fn texts<'c>(claim: &str, value: &'c Value) -> Result<Vec<&'c str>, ClaimError> {
    let texts = match value {
        Value::String(text) => Some(vec![text.as_str()]),
        Value::Array(texts) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    };
    texts.ok_or_else(|| ClaimError::malformed(claim))
}

/// A value as a person reads it, shortened.
pub(crate) fn written(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    keygate_visible::shortened(&text, SHOWN).into_owned()
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

    fn paths(names: &[&str]) -> Vec<ClaimPath> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn the_client_is_named_by_the_first_claim_that_is_there() {
        let named = paths(&["client_id", "azp", "cid", "app.id"]);
        let client = |value| {
            claims(value)
                .client_id(&named)
                .map(|id| id.map(str::to_owned))
        };
        for (value, id) in [
            (json!({"azp": "b", "client_id": "a"}), Some("a")),
            (json!({"cid": "c", "azp": "b"}), Some("b")),
            (json!({"app": {"id": "d"}}), Some("d")),
            (json!({"app": {}}), None),
            (json!({}), None),
        ] {
            assert_eq!(client(value).unwrap().as_deref(), id);
        }
        for bad in [
            json!({"client_id": "", "azp": "b"}),
            json!({"client_id": null, "azp": "b"}),
            json!({"client_id": "DOMAIN\\app"}),
            json!({"app": "d"}),
        ] {
            assert!(client(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_principal_may_have_a_backslash_and_a_token_s_own_name_may_not() {
        let both = claims(json!({"sub": "DOMAIN\\user", "jti": "a\\b"}));
        let principal = both.principal(&paths(&["sub"]));
        assert_eq!(principal.unwrap(), Some("DOMAIN\\user"));
        assert!(both.token_id().is_err());
    }

    #[test]
    fn a_token_is_bound_by_any_confirmation_but_null() {
        for bound in [json!({"jkt": "x"}), json!({}), json!("x"), json!(false)] {
            assert!(claims(json!({ "cnf": bound })).confirmation().is_some());
        }
        for free in [json!({"cnf": null}), json!({})] {
            assert!(claims(free).confirmation().is_none());
        }
    }
}
