//! Who is calling, as the authorizer told it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use keygate_principal::scope::Scopes;
use keygate_principal::{claim, metadata};
use keygate_problem::{INTERNAL_ERROR, Problem};

/// The authorizer's context on a request that it let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: String,
    scopes: Scopes,
    /// Claims and metadata, by their names in the context.
    told: BTreeMap<String, String>,
}

impl Caller {
    /// Reads `requestContext.authorizer`.
    ///
    /// # Errors
    /// When it is not what the authorizer gives: the method has no authorizer, which is a fault of
    /// the deployment, and nobody is let through on its account.
    pub(super) fn from_context(context: &HashMap<String, Value>) -> Result<Self, Problem> {
        let text = |name| context.get(name).and_then(Value::as_str);
        let principal = text("principal").filter(|principal| !principal.is_empty());
        let scopes = text("scopes").and_then(|scopes| scopes.parse().ok());
        match (principal, scopes) {
            (Some(principal), Some(scopes)) => Ok(Self {
                principal: principal.to_owned(),
                scopes,
                told: told(context),
            }),
            _ => Err(Problem::new(
                &INTERNAL_ERROR,
                "The gateway passed this request on without saying who is calling.",
            )),
        }
    }

    /// The principal: a token's principal claim, or an API key's owner.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// What the credential opens.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// A claim of the caller's token, by the name that it has in `OAUTH_CONTEXT_CLAIMS`. A text is as
    /// the token has it, and everything else is JSON. `None` where the token has no such claim, the
    /// deployment does not pass it on, or the credential is no token.
    #[must_use]
    pub fn claim(&self, claim: &str) -> Option<&str> {
        let name = claim::context_key(claim);
        self.told.get(&name).map(String::as_str)
    }

    /// An entry of the metadata of the caller's API key, by its name. `None` where the key has no such
    /// entry, or the credential is no key.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let name = metadata::context_key(name);
        self.told.get(&name).map(String::as_str)
    }
}

fn told(context: &HashMap<String, Value>) -> BTreeMap<String, String> {
    let told = context
        .iter()
        .filter(|(name, _)| name.starts_with(claim::PREFIX) || name.starts_with(metadata::PREFIX));
    told.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn caller(context: &Value) -> Result<Caller, Problem> {
        let context = serde_json::from_value(context.clone()).unwrap();
        Caller::from_context(&context)
    }

    #[test]
    fn claims_are_found_by_the_names_of_the_setting() {
        let caller = caller(&json!({
            "principal": "DOMAIN\\user",
            "scopes": "books:read",
            "claim_tenant": "acme",
            "claim_realm_access_roles": "[\"a\"]",
            "claim_https___example_com_org": "7",
        }))
        .unwrap();
        assert_eq!(caller.principal(), "DOMAIN\\user");
        for (claim, value) in [
            ("tenant", Some("acme")),
            ("realm_access.roles", Some("[\"a\"]")),
            ("https://example.com/org", Some("7")),
            ("email", None),
            // No other member of the context is a claim.
            ("principal", None),
            ("", None),
        ] {
            assert_eq!(caller.claim(claim), value, "{claim}");
        }
    }

    #[test]
    fn metadata_is_found_by_the_names_that_it_was_given_and_is_no_claim() {
        let caller = caller(&json!({
            "principal": "me",
            "scopes": "",
            "metadata_tenant": "acme",
            "metadata_cost_centre": "7",
            "claim_team": "blue",
        }))
        .unwrap();
        assert_eq!(caller.metadata("tenant"), Some("acme"));
        assert_eq!(caller.metadata("cost-centre"), Some("7"));
        assert_eq!(caller.metadata("team"), None);
        assert_eq!(caller.claim("tenant"), None);
    }

    #[test]
    fn without_a_principal_nobody_is_calling() {
        for context in [
            json!({}),
            json!({"principal": "", "scopes": ""}),
            json!({"principal": "me"}),
            json!({"claim_sub": "me", "scopes": ""}),
        ] {
            assert!(caller(&context).is_err(), "{context}");
        }
    }
}
