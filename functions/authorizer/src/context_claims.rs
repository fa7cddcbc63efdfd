//! Claims of a token that handlers are given, in the authorizer's context.
//!
//! API Gateway documents no bound for a context. Ours leave room where it goes: an integration over
//! HTTP that is given the context in headers has 10,240 bytes for all of them ("Quotas for
//! configuring and running a REST API", API Gateway guide), and a log line of each request has it
//! too. What does not fit is a fault and never left out or cut off: a handler could take a claim that
//! is not there for one that its caller does not have.

use std::collections::BTreeMap;

use keygate_principal::claim::context_key;
use serde_json::Value;

use crate::claim_path::ClaimPath;
use crate::claims::Claims;

/// The most bytes that one claim may take.
const MAX_VALUE: usize = 2048;
/// The most that all of them may, names included.
const MAX_ALL: usize = 4096;

/// The claims that are passed on (`OAUTH_CONTEXT_CLAIMS`), by their names in the context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextClaims(BTreeMap<String, ClaimPath>);

/// Two claims would have one name in the context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} and {1} would both be {2} in the context")]
pub(crate) struct SameName(ClaimPath, ClaimPath, String);

/// A token's claims are too long to be passed on. Nobody's fault that the caller could mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TooLong {
    #[error(
        "the claim {0} takes more than the {MAX_VALUE} bytes that a handler may be given of it"
    )]
    Claim(String),
    #[error("the claims take more than the {MAX_ALL} bytes that a handler may be given of them")]
    All,
}

impl ContextClaims {
    pub(crate) fn new(paths: Vec<ClaimPath>) -> Result<Self, SameName> {
        let mut named = BTreeMap::new();
        for path in paths {
            let name = context_key(path.as_str());
            if let Some(other) = named.insert(name.clone(), path.clone()) {
                return Err(SameName(other, path, name));
            }
        }
        Ok(Self(named))
    }

    /// Those that the token has, `null` counting as not there: texts as they are, everything else as
    /// JSON writes it.
    pub(crate) fn of(&self, claims: &Claims) -> Result<BTreeMap<String, String>, TooLong> {
        let mut given = BTreeMap::new();
        let mut length = 0;
        for (name, path) in &self.0 {
            let text = match path.find(claims.object()) {
                Ok(Some(Value::String(text))) => text.clone(),
                Ok(Some(Value::Null) | None) | Err(_) => continue,
                Ok(Some(value)) => value.to_string(),
            };
            if text.len() > MAX_VALUE {
                return Err(TooLong::Claim(path.to_string()));
            }
            length += name.len() + text.len();
            given.insert(name.clone(), text);
        }
        if length > MAX_ALL {
            return Err(TooLong::All);
        }
        Ok(given)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(paths: &[&str]) -> Result<ContextClaims, SameName> {
        ContextClaims::new(paths.iter().map(|path| path.parse().unwrap()).collect())
    }

    fn given(paths: &[&str], claims: Value) -> Result<Value, TooLong> {
        let Value::Object(object) = claims else {
            panic!("claims are an object");
        };
        let given = named(paths).unwrap().of(&Claims::new(object))?;
        Ok(json!(given))
    }

    #[test]
    fn texts_are_passed_on_as_they_are_and_all_else_as_json() {
        let claims = json!({
            "tenant": "acme \"1\"\n",
            "email_verified": true,
            "level": 3,
            "realm_access": {"roles": ["a", "b"]},
            "https://example.com/org": {"id": 7},
            "empty": "",
            "nothing": null,
        });
        let paths = [
            "tenant",
            "email_verified",
            "level",
            "realm_access.roles",
            "https://example.com/org",
            "empty",
            "nothing",
            "absent",
            "tenant.absent",
        ];
        assert_eq!(
            given(&paths, claims).unwrap(),
            json!({
                "claim_tenant": "acme \"1\"\n",
                "claim_email_verified": "true",
                "claim_level": "3",
                "claim_realm_access_roles": "[\"a\",\"b\"]",
                "claim_https___example_com_org": "{\"id\":7}",
                "claim_empty": "",
            })
        );
    }

    #[test]
    fn two_claims_of_one_name_are_refused() {
        for paths in [
            ["a.b", "a_b"],
            ["cognito:groups", "cognito.groups"],
            ["a", "a"],
        ] {
            let error = named(&paths).unwrap_err().to_string();
            assert!(error.starts_with(paths[0]), "{error}");
        }
        assert!(named(&["a.b", "a.c", "A.b"]).is_ok());
    }

    #[test]
    fn a_claim_that_is_too_long_is_named_and_not_cut_off() {
        let text = "x".repeat(MAX_VALUE);
        assert!(given(&["a"], json!({ "a": text })).is_ok());
        let list = json!({"a": 1, "b": [text]});
        assert_eq!(given(&["a", "b"], list), Err(TooLong::Claim("b".into())));
    }

    #[test]
    fn all_claims_together_are_bounded_with_their_names() {
        let names = "claim_aclaim_bclaim_c".len();
        let last = |length: usize| {
            let text = "x".repeat(MAX_ALL / 2 - names);
            let claims = json!({"a": text, "b": text, "c": "x".repeat(names + length)});
            given(&["a", "b", "c"], claims)
        };
        assert!(last(0).is_ok());
        assert_eq!(last(1), Err(TooLong::All));
    }
}
