//! Who is calling, as handlers, logs and usage plans know them.

use std::collections::BTreeMap;

use keygate_principal::metadata::context_key;
use keygate_principal::name::is_usable_name;
use keygate_principal::scope::Scopes;

use crate::api_key::VerifiedApiKey;
use crate::claim_path::{ClaimPath, listed};
use crate::claims::ClaimError;
use crate::issuer::Issuer;
use crate::scope_claims;
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
    /// What else handlers are told, by the context's names: a token's claims, or a key's metadata.
    pub(crate) told: BTreeMap<String, String>,
}

/// A token does not say who is calling, or says what it may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrincipalError {
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("the principal begins with {0}, as those of another issuer do")]
    Reserved(String),
}

impl PrincipalError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Claim(error) => error.code(),
            Self::Reserved(_) => "principal-reserved",
        }
    }
}

/// A key's record names an owner that cannot be a principal: a fault of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key's record has an owner with quotes or control characters, or none")]
pub(crate) struct UnusableOwner;

impl Principal {
    /// The principal of a token, without claims: the first of `principal_claims` that it carries,
    /// behind its issuer's prefix.
    pub(crate) fn of_token(
        token: &VerifiedToken,
        principal_claims: &[ClaimPath],
    ) -> Result<Self, PrincipalError> {
        let (claims, issuer) = (token.claims(), token.issuer());
        let own_name = claims.principal(principal_claims)?;
        let own_name =
            own_name.ok_or_else(|| ClaimError::missing(&listed(principal_claims, " or ")))?;
        let client_id = claims.client_id(&issuer.client_claims)?;
        Ok(Self {
            name: name(issuer, own_name, principal_claims)?,
            credential: CredentialKind::Jwt,
            scopes: scope_claims::read(claims, &issuer.scope_claims)?,
            client_id: client_id.map(str::to_owned),
            key_id: None,
            issuer: Some(issuer.iss.clone()),
            told: BTreeMap::new(),
        })
    }

    /// The principal of an API key: its owner.
    pub(crate) fn of_api_key(key: &VerifiedApiKey) -> Result<Self, UnusableOwner> {
        let record = key.record();
        if !is_usable_name(&record.owner) {
            return Err(UnusableOwner);
        }
        let metadata = record.metadata.iter();
        Ok(Self {
            name: record.owner.clone(),
            credential: CredentialKind::ApiKey,
            scopes: record.scopes.clone(),
            client_id: None,
            key_id: Some(record.id.to_string()),
            issuer: None,
            told: metadata
                .map(|(name, value)| (context_key(name), value.to_owned()))
                .collect(),
        })
    }
}

/// A name as no other issuer's principal has it.
fn name(issuer: &Issuer, own: &str, claims: &[ClaimPath]) -> Result<String, PrincipalError> {
    let name = format!("{}{own}", issuer.principal_prefix);
    let begins = |prefix: &&String| name.starts_with(prefix.as_str());
    if let Some(prefix) = issuer.reserved_prefixes.iter().find(begins) {
        return Err(PrincipalError::Reserved(prefix.clone()));
    }
    // With its prefix it may have become too long.
    if !is_usable_name(&name) {
        return Err(ClaimError::malformed(&listed(claims, " or ")).into());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use keygate_principal::name::MAX_BYTES;

    use super::*;

    fn name_of(prefix: &str, reserved: &[&str], own: &str) -> Result<String, &'static str> {
        let issuer = Issuer {
            principal_prefix: prefix.to_owned(),
            reserved_prefixes: reserved.iter().map(|&one| one.to_owned()).collect(),
            ..Issuer::of("https://login.example.com", "x")
        };
        let claims = ["sub".parse().unwrap()];
        name(&issuer, own, &claims).map_err(|error| error.code())
    }

    #[test]
    fn a_name_stands_behind_its_issuer_s_prefix() {
        assert_eq!(name_of("b|", &[], "alice"), Ok("b|alice".to_owned()));
        assert_eq!(name_of("b|", &[], "b|alice"), Ok("b|b|alice".to_owned()));
        assert_eq!(name_of("", &[], "alice"), Ok("alice".to_owned()));
    }

    #[test]
    fn a_name_that_begins_like_another_issuer_s_is_refused() {
        let reserved = ["a|", "b|"];
        for own in ["a|alice", "b|", "b|a|alice"] {
            assert_eq!(name_of("", &reserved, own), Err("principal-reserved"));
        }
        for own in ["alice", "b", "B|alice", "c|b|alice"] {
            assert_eq!(name_of("", &reserved, own), Ok(own.to_owned()));
        }
    }

    #[test]
    fn a_prefix_makes_no_name_longer_than_names_are() {
        let own = "a".repeat(MAX_BYTES - 2);
        assert!(name_of("b|", &[], &own).is_ok());
        let own = "a".repeat(MAX_BYTES - 1);
        assert_eq!(name_of("b|", &[], &own), Err("claim-malformed"));
    }
}
