//! The checks of a token, each by itself, and the order in which they are made.

use std::time::Duration;

use super::refusal::{TokenRefusal, VerifyError};
use super::subject::Subject;
use crate::algorithm::SigningAlgorithm;
use crate::claims::{ClaimError, Claims, written};
use crate::issuer::Issuer;
use crate::key_set::key::VerifyingKey;
use crate::key_set::set::NoKey;
use crate::moment;
use crate::rule::compiled::RuleRefusal;
use crate::token::Header;
use crate::watch::Line;

/// What `typ` may say of a JWT when the issuer's configuration demands nothing: that it is one, or
/// that it is an access token (RFC 7519 section 5.1, RFC 9068 section 2.1).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// `alg` must be one that the issuer's tokens may be signed with (RFC 8725 section 3.1).
    Algorithm,
    /// `typ` keeps a token of one kind from being taken for another (RFC 8725 section 3.11).
    Type,
    /// One of the issuer's own keys must have signed the token: the one that `kid` names, of the
    /// kind that the algorithm needs.
    Signature,
    /// `exp` must be there (RFC 9068 section 2.2) and lie ahead.
    Expiry,
    /// `nbf` must not lie ahead where it is there.
    NotBefore,
    /// Nor must `iat`.
    IssuedAt,
    /// One audience of the token must be one that is accepted.
    Audience,
    /// A token that is bound to a key (`cnf`, RFC 7800 section 3.1) is no bearer token: without its
    /// proof it may be anybody's. Here is where a proof would be checked, of the key's possession
    /// (RFC 9449 section 7) or of a client certificate (RFC 8705 section 3).
    Binding,
    /// Where `token_use` is demanded, the claim must say so.
    TokenUse,
    /// One of the issuer's rules must be true.
    Rule(usize),
}

impl Check {
    /// Every check of an issuer's tokens, in order.
    pub(crate) fn of(issuer: &Issuer) -> impl Iterator<Item = Self> + use<> {
        let token_use = issuer.token_use.as_ref().map(|_| Self::TokenUse);
        let rules = (0..issuer.rules.len()).map(Self::Rule);
        [
            Self::Algorithm,
            Self::Type,
            Self::Signature,
            Self::Expiry,
            Self::NotBefore,
            Self::IssuedAt,
            Self::Audience,
            Self::Binding,
        ]
        .into_iter()
        .chain(token_use)
        .chain(rules)
    }

    /// Makes the check.
    pub(crate) async fn make(self, subject: &Subject<'_>) -> Result<(), VerifyError> {
        let (issuer, claims) = (subject.issuer(), &subject.claims);
        match self {
            Self::Algorithm => algorithm(issuer, &subject.token.header).map(|_| ())?,
            Self::Type => type_(issuer, &subject.token.header)?,
            Self::Signature => signature(subject).await?,
            Self::Expiry => expiry(subject)?,
            Self::NotBefore if lies_ahead(subject, "nbf")? => Err(TokenRefusal::NotYetValid)?,
            Self::IssuedAt if lies_ahead(subject, "iat")? => Err(TokenRefusal::IssuedInFuture)?,
            Self::NotBefore | Self::IssuedAt => {}
            Self::Audience => audience(issuer, claims)?,
            Self::Binding => binding(issuer, claims)?,
            Self::TokenUse => token_use(issuer, claims)?,
            Self::Rule(number) => rule(subject, number)?,
        }
        Ok(())
    }

    /// Why the check cannot be made after another has failed.
    pub(crate) fn is_idle(self, subject: &Subject<'_>) -> Option<&'static str> {
        let has_algorithm = algorithm(subject.issuer(), &subject.token.header).is_ok();
        let is_idle = self == Self::Signature && !has_algorithm;
        is_idle.then_some("no algorithm to verify it by")
    }

    /// What `explain` calls the check.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Algorithm => "alg",
            Self::Type => "typ",
            Self::Signature => "signature",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::IssuedAt => "iat",
            Self::Audience => "aud",
            Self::Binding => "cnf",
            Self::TokenUse => "token_use",
            Self::Rule(_) => "rule",
        }
    }

    /// What was found, and what was expected. Which keys the issuer has is only of interest where
    /// none of them fits.
    pub(crate) async fn line(self, subject: &Subject<'_>, has_failed: bool) -> Line {
        let issuer = subject.issuer();
        let header = &subject.token.header;
        let member = |name| {
            header
                .members
                .get(name)
                .map_or("missing".to_owned(), written)
        };
        let (found, expected) = match self {
            Self::Algorithm => {
                let accepted: Vec<&str> = issuer
                    .algorithms
                    .iter()
                    .flat_map(|one| one.names())
                    .collect();
                (member("alg"), accepted.join(", "))
            }
            Self::Type => {
                let any = || format!("{}, or none", TYPES.join(", "));
                let expected = issuer.required_typ.clone().unwrap_or_else(any);
                (member("typ"), expected)
            }
            Self::Signature => {
                let kid = format!("kid {}", header.kid.as_deref().unwrap_or("none"));
                if !has_failed {
                    return Line::new(self.name(), kid);
                }
                let keys = subject.source.keys().await;
                let keys = keys.map_or("not known".to_owned(), |keys| keys.names());
                (kid, format!("one of the issuer's keys: {keys}"))
            }
            Self::Expiry => dated(subject, "exp", "after now"),
            Self::NotBefore => dated(subject, "nbf", "before now"),
            Self::IssuedAt => dated(subject, "iat", "before now"),
            Self::Audience => (shown_audience(subject), issuer.audience.join(" or ")),
            Self::Binding if issuer.allows_bound_tokens => {
                let expected =
                    "anything: OAUTH_ALLOW_BOUND_TOKENS is true, and no proof is checked";
                (subject.shown("cnf"), expected.to_owned())
            }
            Self::Binding => (subject.shown("cnf"), "missing".to_owned()),
            Self::TokenUse => {
                let expected = issuer.token_use.clone().unwrap_or_default();
                (subject.shown("token_use"), expected)
            }
            Self::Rule(number) => {
                let rule = issuer
                    .rules
                    .get(number)
                    .map(|rule| rule.source().to_owned());
                (rule.unwrap_or_default(), "true".to_owned())
            }
        };
        Line::new(self.name(), found).expecting(expected)
    }
}

fn algorithm(issuer: &Issuer, header: &Header) -> Result<SigningAlgorithm, TokenRefusal> {
    let algorithm = header.alg.parse().map_err(|_| TokenRefusal::Algorithm)?;
    if issuer.algorithms.contains(&algorithm) {
        Ok(algorithm)
    } else {
        Err(TokenRefusal::Algorithm)
    }
}

/// `typ` is a media type whose `application/` may be left out, in any case (RFC 7515 section 4.1.9).
fn type_(issuer: &Issuer, header: &Header) -> Result<(), TokenRefusal> {
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

async fn signature(subject: &Subject<'_>) -> Result<(), VerifyError> {
    let algorithm = algorithm(subject.issuer(), &subject.token.header)?;
    let kid = subject.token.header.kid.as_deref();
    let keys = subject.source.keys().await?;
    match keys.choose(kid, algorithm) {
        Ok(meant) => Ok(signature_by(&meant, subject, algorithm)?),
        // The issuer may have published the key since.
        Err(NoKey::Unknown) => {
            let keys = subject.source.keys_after(&keys).await?;
            let meant = keys.choose(kid, algorithm).map_err(TokenRefusal::from)?;
            Ok(signature_by(&meant, subject, algorithm)?)
        }
        Err(error) => Err(TokenRefusal::from(error).into()),
    }
}

fn signature_by(
    meant: &[&VerifyingKey],
    subject: &Subject<'_>,
    algorithm: SigningAlgorithm,
) -> Result<(), TokenRefusal> {
    let token = &subject.token;
    let signed = token.signing_input.as_bytes();
    let mut keys = meant.iter().map(|key| key.key());
    if keys.any(|key| key.verifies(algorithm, signed, &token.signature)) {
        Ok(())
    } else {
        Err(TokenRefusal::Signature)
    }
}

fn expiry(subject: &Subject<'_>) -> Result<(), TokenRefusal> {
    let expiry = subject.claims.date("exp")?;
    let expiry = expiry.ok_or_else(|| ClaimError::missing("exp"))?;
    if subject.now < expiry + subject.issuer().leeway.as_secs_f64() {
        Ok(())
    } else {
        Err(TokenRefusal::Expired)
    }
}

fn lies_ahead(subject: &Subject<'_>, claim: &str) -> Result<bool, TokenRefusal> {
    let date = subject.claims.date(claim)?;
    let latest = subject.now + subject.issuer().leeway.as_secs_f64();
    Ok(date.is_some_and(|date| latest < date))
}

/// Amazon Cognito's access tokens carry no `aud` but the `client_id` that they are for. Where
/// `token_use` is demanded, which only Cognito writes, that claim stands in for a missing `aud`.
///
/// Another claim than `aud` is configured for issuers that write none. Should one be there all the
/// same it must be accepted too: a token that names others as its audience must be refused (RFC 7519
/// section 4.1.3).
fn audience(issuer: &Issuer, claims: &Claims) -> Result<(), TokenRefusal> {
    let is_accepted = |audiences: &[&str]| {
        let mut ours = issuer.audience.iter();
        ours.any(|ours| audiences.contains(&ours.as_str()))
    };
    let aud = claims.audiences()?;
    let missing = |claim: &str| TokenRefusal::from(ClaimError::missing(claim));
    let accepted = match (&issuer.audience_claim, aud) {
        (None, Some(aud)) => is_accepted(&aud),
        (None, None) if issuer.token_use.is_some() => {
            let client = claims.text("client_id")?;
            client.is_some_and(|client| is_accepted(&[client]))
        }
        (None, None) => return Err(missing("aud")),
        (Some(claim), aud) => {
            let named = claims.audiences_at(claim)?;
            let named = named.ok_or_else(|| missing(claim.as_str()))?;
            is_accepted(&named) && aud.is_none_or(|aud| is_accepted(&aud))
        }
    };
    if accepted {
        Ok(())
    } else {
        Err(TokenRefusal::Audience)
    }
}

/// The audience as it is found.
fn shown_audience(subject: &Subject<'_>) -> String {
    let aud = subject.shown("aud");
    let Some(claim) = &subject.issuer().audience_claim else {
        return aud;
    };
    let named = format!("{claim} {}", subject.claims.shown_at(claim));
    if subject.claims.object().contains_key("aud") {
        format!("{named}, and aud {aud}")
    } else {
        named
    }
}

fn binding(issuer: &Issuer, claims: &Claims) -> Result<(), TokenRefusal> {
    match claims.confirmation() {
        Some(_) if !issuer.allows_bound_tokens => Err(TokenRefusal::Bound),
        _ => Ok(()),
    }
}

fn token_use(issuer: &Issuer, claims: &Claims) -> Result<(), TokenRefusal> {
    match &issuer.token_use {
        Some(required) if claims.text("token_use")? != Some(required) => {
            Err(TokenRefusal::TokenUse)
        }
        _ => Ok(()),
    }
}

fn rule(subject: &Subject<'_>, number: usize) -> Result<(), TokenRefusal> {
    let rule = subject.issuer().rules.get(number);
    let missing = || RuleRefusal::Error("there is no such rule".to_owned());
    let rule = rule.ok_or_else(missing)?;
    let header = &subject.token.header.members;
    Ok(rule.check(header, subject.claims.object())?)
}

/// A time as a person reads it, of epoch seconds.
fn moment(at: f64, now: f64) -> Option<String> {
    let since_epoch = |seconds| Duration::try_from_secs_f64(seconds).ok();
    moment::shown(since_epoch(at)?, since_epoch(now)?)
}

/// A date as it is found, and how it is expected to lie.
fn dated(subject: &Subject<'_>, claim: &str, expected: &str) -> (String, String) {
    let found = match subject.claims.date(claim) {
        Ok(Some(seconds)) => moment(seconds, subject.now),
        _ => None,
    };
    let found = found.unwrap_or_else(|| subject.shown(claim));
    let leeway = subject.issuer().leeway.as_secs();
    (found, format!("{expected}, give or take {leeway} s"))
}
