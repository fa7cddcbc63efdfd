//! Goes through the checks of a token.

use std::time::SystemTime;

use super::check::Check;
use super::refusal::{TokenRefusal, VerifyError};
use super::subject::Subject;
use crate::claims::Claims;
use crate::issuer::Issuer;
use crate::key_set::source::KeySetSource;
use crate::scope_claims;
use crate::token::UnverifiedToken;
use crate::watch::{Line, Watch};

/// A token that passed every check. [`Verifier::verify`] is the only way to one.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    source: KeySetSource,
    claims: Claims,
}

impl VerifiedToken {
    /// The issuer that the token was verified for.
    pub(crate) fn issuer(&self) -> &Issuer {
        self.source.issuer()
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// Verifies tokens of the configured issuers. It cannot be built without an issuer's audience and
/// algorithms, because [`crate::issuer::Issuer`] cannot.
#[derive(Debug)]
pub(crate) struct Verifier {
    sources: Vec<KeySetSource>,
}

impl Verifier {
    pub(crate) fn new(sources: Vec<KeySetSource>) -> Self {
        Self { sources }
    }

    /// Verifies a token as of `now`. The token's `iss` selects the issuer, and only that issuer's
    /// keys are tried. It stops at the first check that fails, unless somebody looks on, and that
    /// check's outcome is the verdict either way.
    pub(crate) async fn verify<W: Watch>(
        &self,
        text: &str,
        now: SystemTime,
        watch: &mut W,
    ) -> Result<VerifiedToken, VerifyError> {
        let subject = self.subject(text, now, watch)?;
        let mut verdict = Ok(());
        for check in Check::of(subject.issuer()) {
            if verdict.is_err()
                && let Some(why) = check.is_idle(&subject)
            {
                watch.not_made(check.name(), why);
                continue;
            }
            let outcome = check.make(&subject).await;
            if W::LOOKS {
                let line = check.line(&subject, outcome.is_err()).await;
                watch.made(line, outcome.as_ref().err().map(VerifyError::failure));
            }
            verdict = verdict.and(outcome);
            if verdict.is_err() && !W::LOOKS {
                break;
            }
        }
        if W::LOOKS && verdict.is_err() {
            // What is said then is the token's own word.
            let scopes = scope_claims::read(&subject.claims, &subject.issuer().scope_claims);
            watch.scopes(scopes.ok());
        }
        verdict?;
        Ok(VerifiedToken {
            source: subject.source.clone(),
            claims: subject.claims,
        })
    }

    /// Reads a token and finds its issuer, compared exactly.
    fn subject<'a, W: Watch>(
        &'a self,
        text: &'a str,
        now: SystemTime,
        watch: &mut W,
    ) -> Result<Subject<'a>, VerifyError> {
        let read = UnverifiedToken::parse(text).map_err(|error| TokenRefusal::from(error).into());
        if W::LOOKS {
            let form = format!("{} bytes in three parts", text.len());
            let failure = read.as_ref().err().map(VerifyError::failure);
            watch.made(Line::new("form", form), failure);
        }
        let mut token = read?;
        let claims = Claims::new(std::mem::take(&mut token.claims));
        let source = claims.issuer().map_err(TokenRefusal::from).and_then(|iss| {
            let mut sources = self.sources.iter();
            let source = sources.find(|source| source.issuer().iss == iss);
            source.ok_or(TokenRefusal::Issuer)
        });
        let source = source.map_err(VerifyError::from);
        if W::LOOKS {
            let trusted = self.sources.iter().map(|one| one.issuer().iss.as_str());
            let trusted: Vec<_> = trusted.collect();
            let line = Line::new("iss", claims.shown("iss")).expecting(trusted.join(" or "));
            let failure = source.as_ref().err().map(VerifyError::failure);
            if failure.is_some() {
                watch.made(line, failure);
                watch.not_made("other checks", "the issuer decides what they are");
                // Nor is it known where its scopes stand; mostly there is one issuer that is meant.
                let meant = self.sources.first().map(|one| &one.issuer().scope_claims);
                let scopes = meant.map(|named| scope_claims::read(&claims, named));
                watch.scopes(scopes.and_then(Result::ok));
            } else {
                watch.made(line, None);
            }
        }
        Ok(Subject::new(token, claims, source?, now))
    }
}
