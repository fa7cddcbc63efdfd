//! The check that makes a token believable: its issuer is trusted, one of that issuer's keys signed
//! it, and its claims are meant for this API and for now (RFC 7519 section 7.2, RFC 8725, RFC 9068
//! section 4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::algorithm::SigningAlgorithm;
use crate::claims::{ClaimError, Claims};
use crate::config::IssuerConfig;
use crate::key_set::source::{KeySetSource, KeySetUnavailable};
use crate::key_set::{NoKey, VerifyingKey};
use crate::rule::RuleRefusal;
use crate::token::{TokenError, UnverifiedToken};

/// What `typ` may say of a JWT when the issuer's configuration demands nothing: that it is one, or
/// that it is an access token (RFC 7519 section 5.1, RFC 9068 section 2.1).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

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

    /// Verifies a token as of `now`. The token's `iss` selects the issuer, and only that issuer's
    /// keys are tried.
    pub(crate) async fn verify(
        &self,
        text: &str,
        now: SystemTime,
    ) -> Result<VerifiedToken, VerifyError> {
        let mut token = UnverifiedToken::parse(text).map_err(TokenRefusal::from)?;
        let claims = Claims::new(std::mem::take(&mut token.claims));
        let iss = claims.issuer()?;
        let mut sources = self.sources.iter();
        let source = sources
            .find(|source| source.issuer().issuer == iss)
            .ok_or(TokenRefusal::Issuer)?;
        let issuer = source.issuer();
        let algorithm = accepted_algorithm(issuer, &token.header.alg)?;
        check_type(issuer, token.header.typ.as_deref())?;
        check_signature(source, &token, algorithm).await?;
        check_times(issuer, &claims, now)?;
        check_audience(issuer, &claims)?;
        check_token_use(issuer, &claims)?;
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

fn accepted_algorithm(issuer: &IssuerConfig, alg: &str) -> Result<SigningAlgorithm, TokenRefusal> {
    let algorithm = alg.parse().map_err(|_| TokenRefusal::Algorithm)?;
    if issuer.algorithms.contains(&algorithm) {
        Ok(algorithm)
    } else {
        Err(TokenRefusal::Algorithm)
    }
}

/// `typ` keeps a token of one kind from being taken for another (RFC 8725 section 3.11). It is a
/// media type whose `application/` may be left out, in any case (RFC 7515 section 4.1.9).
fn check_type(issuer: &IssuerConfig, typ: Option<&str>) -> Result<(), TokenRefusal> {
    let short = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/")
            .map_or(typ.clone(), str::to_owned)
    };
    let accepted = match (&issuer.required_typ, typ.map(short)) {
        (Some(required), Some(typ)) => short(required) == typ,
        (Some(_), None) => false,
        (None, Some(typ)) => TYPES.contains(&typ.as_str()),
        (None, None) => true,
    };
    if accepted {
        Ok(())
    } else {
        Err(TokenRefusal::Type)
    }
}

async fn check_signature(
    source: &KeySetSource,
    token: &UnverifiedToken<'_>,
    algorithm: SigningAlgorithm,
) -> Result<(), VerifyError> {
    let kid = token.header.kid.as_deref();
    let keys = source.keys().await?;
    match keys.choose(kid, algorithm) {
        Ok(key) => Ok(check_signature_with(key, token, algorithm)?),
        // The issuer may have published the key since.
        Err(NoKey::Unknown) => {
            let keys = source.keys_after(&keys).await?;
            let key = keys.choose(kid, algorithm).map_err(TokenRefusal::from)?;
            Ok(check_signature_with(key, token, algorithm)?)
        }
        Err(error) => Err(TokenRefusal::from(error).into()),
    }
}

fn check_signature_with(
    key: &VerifyingKey,
    token: &UnverifiedToken<'_>,
    algorithm: SigningAlgorithm,
) -> Result<(), TokenRefusal> {
    let length = algorithm.key_kind().signature_length();
    if length.is_some_and(|length| length != token.signature.bytes.len()) {
        return Err(TokenRefusal::Signature);
    }
    let signed = token.signing_input.as_bytes();
    if key.key().verifies(algorithm, signed, &token.signature) {
        Ok(())
    } else {
        Err(TokenRefusal::Signature)
    }
}

/// `exp` must be there (RFC 9068 section 2.2); `nbf` and `iat` count where they are.
fn check_times(
    issuer: &IssuerConfig,
    claims: &Claims,
    now: SystemTime,
) -> Result<(), TokenRefusal> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (now, leeway) = (now.as_secs_f64(), issuer.leeway.as_secs_f64());
    let expiry = claims
        .date("exp")?
        .ok_or_else(|| ClaimError::missing("exp"))?;
    if now >= expiry + leeway {
        return Err(TokenRefusal::Expired);
    }
    if claims
        .date("nbf")?
        .is_some_and(|start| now + leeway < start)
    {
        return Err(TokenRefusal::NotYetValid);
    }
    if claims
        .date("iat")?
        .is_some_and(|issued| now + leeway < issued)
    {
        return Err(TokenRefusal::IssuedInFuture);
    }
    Ok(())
}

/// One audience of the token must be one that is accepted.
///
/// Amazon Cognito's access tokens carry no `aud` but the `client_id` that they are for. Where
/// `token_use` is demanded, which only Cognito writes, that claim stands in for a missing `aud`.
fn check_audience(issuer: &IssuerConfig, claims: &Claims) -> Result<(), TokenRefusal> {
    let audiences = match claims.audiences()? {
        Some(audiences) => audiences,
        None if issuer.token_use.is_some() => claims.text("client_id")?.into_iter().collect(),
        None => return Err(ClaimError::missing("aud").into()),
    };
    let accepted = |audience: &&str| issuer.audience.iter().any(|ours| ours == audience);
    if audiences.iter().any(accepted) {
        Ok(())
    } else {
        Err(TokenRefusal::Audience)
    }
}

fn check_token_use(issuer: &IssuerConfig, claims: &Claims) -> Result<(), TokenRefusal> {
    match &issuer.token_use {
        Some(required) if claims.text("token_use")? != Some(required) => {
            Err(TokenRefusal::TokenUse)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
