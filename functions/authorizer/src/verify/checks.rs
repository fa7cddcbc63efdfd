//! The checks of a token, each by itself: [`super::Verifier::verify`] makes them in order, and
//! `explain` shows the outcome of every one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{TokenRefusal, VerifyError};
use crate::algorithm::SigningAlgorithm;
use crate::claims::{ClaimError, Claims};
use crate::config::IssuerConfig;
use crate::key_set::source::KeySetSource;
use crate::key_set::{NoKey, VerifyingKey};
use crate::token::{Header, UnverifiedToken};

/// What `typ` may say of a JWT when the issuer's configuration demands nothing: that it is one, or
/// that it is an access token (RFC 7519 section 5.1, RFC 9068 section 2.1).
pub(crate) const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// The `alg` must be one that the issuer's tokens may be signed with (RFC 8725 section 3.1).
pub(crate) fn algorithm(
    issuer: &IssuerConfig,
    header: &Header,
) -> Result<SigningAlgorithm, TokenRefusal> {
    let algorithm = header.alg.parse().map_err(|_| TokenRefusal::Algorithm)?;
    if issuer.algorithms.contains(&algorithm) {
        Ok(algorithm)
    } else {
        Err(TokenRefusal::Algorithm)
    }
}

/// `typ` keeps a token of one kind from being taken for another (RFC 8725 section 3.11). It is a
/// media type whose `application/` may be left out, in any case (RFC 7515 section 4.1.9).
pub(crate) fn type_(issuer: &IssuerConfig, header: &Header) -> Result<(), TokenRefusal> {
    let short = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        typ.strip_prefix("application/")
            .map_or(typ.clone(), str::to_owned)
    };
    let accepted = match (&issuer.required_typ, header.typ.as_deref().map(short)) {
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

/// One of the issuer's own keys must have signed the token: the one that `kid` names, of the kind that
/// the algorithm needs.
pub(crate) async fn signature(
    source: &KeySetSource,
    token: &UnverifiedToken<'_>,
    algorithm: SigningAlgorithm,
) -> Result<(), VerifyError> {
    let kid = token.header.kid.as_deref();
    let keys = source.keys().await?;
    match keys.choose(kid, algorithm) {
        Ok(key) => Ok(signature_by(key, token, algorithm)?),
        // The issuer may have published the key since.
        Err(NoKey::Unknown) => {
            let keys = source.keys_after(&keys).await?;
            let key = keys.choose(kid, algorithm).map_err(TokenRefusal::from)?;
            Ok(signature_by(key, token, algorithm)?)
        }
        Err(error) => Err(TokenRefusal::from(error).into()),
    }
}

fn signature_by(
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

/// `exp` must be there (RFC 9068 section 2.2) and lie ahead.
pub(crate) fn expiry(
    issuer: &IssuerConfig,
    claims: &Claims,
    now: SystemTime,
) -> Result<(), TokenRefusal> {
    let expiry = claims
        .date("exp")?
        .ok_or_else(|| ClaimError::missing("exp"))?;
    if epoch_seconds(now) < expiry + issuer.leeway.as_secs_f64() {
        Ok(())
    } else {
        Err(TokenRefusal::Expired)
    }
}

/// `nbf` must not lie ahead where it is there.
pub(crate) fn not_before(
    issuer: &IssuerConfig,
    claims: &Claims,
    now: SystemTime,
) -> Result<(), TokenRefusal> {
    if lies_ahead(issuer, claims.date("nbf")?, now) {
        return Err(TokenRefusal::NotYetValid);
    }
    Ok(())
}

/// Nor must `iat`.
pub(crate) fn issued_at(
    issuer: &IssuerConfig,
    claims: &Claims,
    now: SystemTime,
) -> Result<(), TokenRefusal> {
    if lies_ahead(issuer, claims.date("iat")?, now) {
        return Err(TokenRefusal::IssuedInFuture);
    }
    Ok(())
}

fn lies_ahead(issuer: &IssuerConfig, date: Option<f64>, now: SystemTime) -> bool {
    date.is_some_and(|date| epoch_seconds(now) + issuer.leeway.as_secs_f64() < date)
}

fn epoch_seconds(now: SystemTime) -> f64 {
    let since = now.duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs_f64()
}

/// One audience of the token must be one that is accepted.
///
/// Amazon Cognito's access tokens carry no `aud` but the `client_id` that they are for. Where
/// `token_use` is demanded, which only Cognito writes, that claim stands in for a missing `aud`.
pub(crate) fn audience(issuer: &IssuerConfig, claims: &Claims) -> Result<(), TokenRefusal> {
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

/// Where `token_use` is demanded, the claim must say so.
pub(crate) fn token_use(issuer: &IssuerConfig, claims: &Claims) -> Result<(), TokenRefusal> {
    match &issuer.token_use {
        Some(required) if claims.text("token_use")? != Some(required) => {
            Err(TokenRefusal::TokenUse)
        }
        _ => Ok(()),
    }
}
