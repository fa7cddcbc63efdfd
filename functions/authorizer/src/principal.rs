//! Who is calling, as handlers, logs and usage plans know them.

use keygate_principal::name::is_usable_name;
use keygate_principal::scope::Scopes;

use crate::api_key::VerifiedApiKey;
use crate::claims::ClaimError;
use crate::verify::verifier::VerifiedToken;

/// What proved the principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Jwt,
    ApiKey,
}

impl CredentialKind {
    /// The context's value.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
        }
    }
}

/// A caller whose credential was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// A token's principal claim, or a key's owner.
    pub(crate) name: String,
    pub(crate) credential: CredentialKind,
    pub(crate) scopes: Scopes,
    /// The OAuth client, when the token names one.
    pub(crate) client_id: Option<String>,
    /// The API key's id.
    pub(crate) key_id: Option<String>,
    /// The token's issuer.
    pub(crate) issuer: Option<String>,
}

/// A key's record names an owner that cannot be a principal: a fault of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key's record has an owner with quotes, backslashes or control characters, or none")]
pub(crate) struct UnusableOwner;

impl Principal {
    /// The principal of a token: the first of `principal_claims` that it carries, behind its issuer's
    /// prefix.
    pub(crate) fn of_token(
        token: &VerifiedToken,
        principal_claims: &[String],
    ) -> Result<Self, ClaimError> {
        let claims = token.claims();
        let name = claims.first_name(principal_claims.iter().map(String::as_str))?;
        let name = name.ok_or_else(|| ClaimError::missing(&principal_claims.join(" or ")))?;
        Ok(Self {
            name: format!("{}{name}", token.principal_prefix()),
            credential: CredentialKind::Jwt,
            scopes: claims.scopes()?,
            client_id: claims.client_id()?.map(str::to_owned),
            key_id: None,
            issuer: Some(token.issuer().to_owned()),
        })
    }

    /// The principal of an API key: its owner.
    pub(crate) fn of_api_key(key: &VerifiedApiKey) -> Result<Self, UnusableOwner> {
        let record = key.record();
        if !is_usable_name(&record.owner) {
            return Err(UnusableOwner);
        }
        Ok(Self {
            name: record.owner.clone(),
            credential: CredentialKind::ApiKey,
            scopes: record.scopes.clone(),
            client_id: None,
            key_id: Some(record.id.to_string()),
            issuer: None,
        })
    }
}
