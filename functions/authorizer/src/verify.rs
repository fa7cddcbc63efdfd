//! The check that makes a token believable: its issuer is trusted, one of that issuer's keys signed
//! it, and its claims are meant for this API and for now (RFC 7519 section 7.2, RFC 8725, RFC 9068
//! section 4).

pub(crate) mod checks;

use std::time::SystemTime;

use crate::claims::{ClaimError, Claims};
use crate::key_set::NoKey;
use crate::key_set::source::{KeySetSource, KeySetUnavailable};
use crate::rule::RuleRefusal;
use crate::token::{TokenError, UnverifiedToken};

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenRefusal {
    #[error(transparent)]
    Malformed(#[from] TokenError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("the issuer is not trusted")]
    Issuer,
    #[error("the algorithm is not accepted from this issuer")]
    Algorithm,
    #[error("the header's typ says that it is no access token")]
    Type,
    #[error(transparent)]
    Key(#[from] NoKey),
    #[error("the signature does not fit")]
    Signature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token was issued in the future")]
    IssuedInFuture,
    #[error("the token is meant for another audience")]
    Audience,
    #[error("the claim token_use says that it is no access token")]
    TokenUse,
    #[error(transparent)]
    Rule(#[from] RuleRefusal),
}

impl TokenRefusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Claim(error) => error.code(),
            Self::Issuer => "issuer-untrusted",
            Self::Algorithm => "algorithm-refused",
            Self::Type => "token-type",
            Self::Key(error) => error.code(),
            Self::Signature => "signature-invalid",
            Self::Expired => "token-expired",
            Self::NotYetValid => "token-not-yet-valid",
            Self::IssuedInFuture => "token-issued-in-future",
            Self::Audience => "audience-mismatch",
            Self::TokenUse => "token-use",
            Self::Rule(refusal) => refusal.code(),
        }
    }
}

/// Why a check did not end in a verified token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VerifyError {
    /// The token's fault.
    #[error(transparent)]
    Refused(#[from] TokenRefusal),
    /// Nobody's fault that the caller could mend.
    #[error(transparent)]
    Unavailable(#[from] KeySetUnavailable),
}

impl From<ClaimError> for VerifyError {
    fn from(error: ClaimError) -> Self {
        Self::Refused(error.into())
    }
}

/// A token that passed every check. [`Verifier::verify`] is the only way to one.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    issuer: String,
    principal_prefix: String,
    claims: Claims,
}

impl VerifiedToken {
    /// The `iss` that the token was verified for.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What stands before the names of the issuer's principals; mostly nothing.
    pub(crate) fn principal_prefix(&self) -> &str {
        &self.principal_prefix
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// Verifies tokens of the configured issuers. It cannot be built without an issuer's audience and
/// algorithms, because [`IssuerConfig`] cannot.
#[derive(Debug)]
pub(crate) struct Verifier {
    sources: Vec<KeySetSource>,
}

impl Verifier {
    pub(crate) fn new(sources: Vec<KeySetSource>) -> Self {
        Self { sources }
    }

    /// The issuers to trust, each with its keys.
    pub(crate) fn sources(&self) -> &[KeySetSource] {
        &self.sources
    }

    /// The issuer that an `iss` names, compared exactly.
    pub(crate) fn source_of(&self, iss: &str) -> Result<&KeySetSource, TokenRefusal> {
        let mut sources = self.sources.iter();
        sources
            .find(|source| source.issuer().issuer == iss)
            .ok_or(TokenRefusal::Issuer)
    }

    /// Verifies a token as of `now`. The token's `iss` selects the issuer, and only that issuer's
    /// keys are tried.
    pub(crate) async fn verify(
        &self,
        text: &str,
        now: SystemTime,
    ) -> Result<VerifiedToken, VerifyError> {
        let mut token = UnverifiedToken::parse(text).map_err(TokenRefusal::from)?;
        let claims = Claims::new(std::mem::take(&mut token.claims));
        let source = self.source_of(claims.issuer()?)?;
        let issuer = source.issuer();
        let algorithm = checks::algorithm(issuer, &token.header)?;
        checks::type_(issuer, &token.header)?;
        checks::signature(source, &token, algorithm).await?;
        checks::expiry(issuer, &claims, now)?;
        checks::not_before(issuer, &claims, now)?;
        checks::issued_at(issuer, &claims, now)?;
        checks::audience(issuer, &claims)?;
        checks::token_use(issuer, &claims)?;
        for rule in &issuer.rules {
            let checked = rule.check(&token.header.members, claims.object());
            checked.map_err(TokenRefusal::from)?;
        }
        Ok(VerifiedToken {
            issuer: issuer.issuer.clone(),
            principal_prefix: issuer.principal_prefix.clone(),
            claims,
        })
    }
}

#[cfg(test)]
mod tests;
