//! Who is calling, as the authorizer told it.

use std::collections::HashMap;

use serde_json::Value;

use keygate_principal::scope::Scopes;
use keygate_problem::{INTERNAL_ERROR, Problem};

/// The authorizer's context on a request that it let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: String,
    scopes: Scopes,
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
}
