//! Why a token is not believed.

use crate::claims::ClaimError;
use crate::key_set::set::NoKey;
use crate::key_set::source::KeySetUnavailable;
use crate::rule::compiled::RuleRefusal;
use crate::token::TokenError;
use crate::watch::Failure;

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
    #[error("the token is bound to a key (cnf): it is no bearer token")]
    Bound,
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
            Self::Bound => "token-bound",
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

/// What the log says of a key set that cannot be had.
pub(crate) const KEY_SET_UNAVAILABLE: &str = "key-set-unavailable";

impl VerifyError {
    /// The same for who looks on.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            code: match self {
                Self::Refused(refusal) => refusal.code(),
                Self::Unavailable(_) => KEY_SET_UNAVAILABLE,
            },
            reason: self.to_string(),
            is_fault: matches!(self, Self::Unavailable(_)),
        }
    }
}

impl From<ClaimError> for VerifyError {
    fn from(error: ClaimError) -> Self {
        Self::Refused(error.into())
    }
}
