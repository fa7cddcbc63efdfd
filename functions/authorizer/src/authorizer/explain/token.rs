//! The checks of a token.

use std::time::{SystemTime, UNIX_EPOCH};

use keygate_principal::scope::Scopes;
use serde_json::Value;

use super::Failure;
use super::report::Report;
use crate::algorithm::SigningAlgorithm;
use crate::authorizer::Authorizer;
use crate::claims::Claims;
use crate::config::IssuerConfig;
use crate::key_set::source::KeySetSource;
use crate::principal::Principal;
use crate::revocation;
use crate::token::UnverifiedToken;
use crate::verify::{TokenRefusal, VerifiedToken, checks};

/// The most characters of a claim's value that are shown.
const SHOWN: usize = 200;

impl Authorizer {
    /// Makes every check of a token that can be made, and gives its scopes where they can be read.
    pub(super) async fn explain_token(
        &self,
        text: &str,
        now: SystemTime,
        report: &mut Report,
    ) -> Option<Scopes> {
        let mut token = match UnverifiedToken::parse(text) {
            Ok(token) => token,
            Err(error) => {
                let found = format!("{} bytes", text.len());
                let failure = Failure::of_refusal(TokenRefusal::from(error));
                report.failed("form", found, failure, None);
                return None;
            }
        };
        report.passed("form", format!("{} bytes in three parts", text.len()));
        let claims = Claims::new(std::mem::take(&mut token.claims));
        let source = claims.issuer().map_err(TokenRefusal::from);
        match source.and_then(|iss| self.verifier.source_of(iss)) {
            Ok(source) => {
                report.passed("iss", shown(&claims, "iss"));
                explain_by_issuer(source, &token, &claims, now, report).await;
            }
            Err(refusal) => {
                let trusted = self.verifier.sources().iter();
                let trusted: Vec<_> = trusted.map(|one| one.issuer().issuer.as_str()).collect();
                let expected = Some(trusted.join(" or "));
                report.failed(
                    "iss",
                    shown(&claims, "iss"),
                    Failure::of_refusal(refusal),
                    expected,
                );
                report.not_made("other checks", "the issuer decides what they are");
            }
        }
        if let Ok(token) = self.verifier.verify(text, now).await {
            return self.explain_holder(&token, report).await;
        }
        for check in ["principal", "scopes", "revocation"] {
            report.not_made(check, "the token is not to be believed");
        }
        // What is said below is the token's own word.
        claims.scopes().ok()
    }

    /// Who holds a token that passed every check of its own.
    async fn explain_holder(&self, token: &VerifiedToken, report: &mut Report) -> Option<Scopes> {
        match Principal::of_token(token, &self.principal_claims) {
            Ok(principal) => {
                report.passed("principal", &principal.name);
                report.passed("scopes", principal.scopes.to_string());
                let client_id = principal.client_id.as_deref();
                self.explain_revocation(token, client_id, report).await;
                Some(principal.scopes)
            }
            Err(error) => {
                let expected = self.principal_claims.join(" or ");
                let expected = format!("{expected}, and well-formed scope and client_id");
                let found = shown(token.claims(), error.claim());
                let failure = Failure::of_refusal(error);
                report.failed("principal", found, failure, Some(expected));
                None
            }
        }
    }

    async fn explain_revocation(
        &self,
        token: &VerifiedToken,
        client_id: Option<&str>,
        report: &mut Report,
    ) {
        let Some(table) = &self.key_table else {
            report.not_made("revocation", "no key table is configured");
            return;
        };
        if !self.revocation.client && !self.revocation.token {
            report.not_made("revocation", "it is configured not to be looked up");
            return;
        }
        let client = client_id.unwrap_or("that has no name");
        let found = format!("client {client}, jti {}", shown(token.claims(), "jti"));
        match revocation::check(token, client_id, self.revocation, table).await {
            Ok(usage_key) => {
                report.passed("revocation", found);
                self.explain_meter(usage_key.as_deref(), report);
            }
            Err(rejection) => report.failed("revocation", found, Failure::of(&rejection), None),
        }
    }

    /// What meters the caller.
    pub(super) fn explain_meter(&self, usage_key: Option<&str>, report: &mut Report) {
        match usage_key.or(self.default_usage_key.as_deref()) {
            Some(usage_key) => report.passed("usage key", usage_key),
            None => report.not_made("usage key", "the caller has none"),
        }
    }
}

/// The checks that the token's issuer decides.
async fn explain_by_issuer(
    source: &KeySetSource,
    token: &UnverifiedToken<'_>,
    claims: &Claims,
    now: SystemTime,
    report: &mut Report,
) {
    let issuer = source.issuer();
    let header = &token.header;
    let member = |name: &str| header.members.get(name).map_or("missing".to_owned(), value);

    let algorithm = checks::algorithm(issuer, header);
    let accepted: Vec<&str> = issuer.algorithms.iter().map(|one| one.name()).collect();
    let outcome = algorithm.as_ref().map(|_| ()).map_err(Clone::clone);
    judge(report, "alg", member("alg"), outcome, &accepted.join(", "));

    let typ = checks::type_(issuer, header);
    let types = issuer.required_typ.clone();
    let types = types.unwrap_or_else(|| format!("{}, or none", checks::TYPES.join(", ")));
    judge(report, "typ", member("typ"), typ, &types);

    match algorithm {
        Ok(algorithm) => explain_signature(source, token, algorithm, report).await,
        Err(_) => report.not_made("signature", "no algorithm to verify it by"),
    }
    explain_times(issuer, claims, now, report);

    let audience = checks::audience(issuer, claims);
    let audiences = issuer.audience.join(" or ");
    judge(report, "aud", shown(claims, "aud"), audience, &audiences);
    if let Some(expected) = &issuer.token_use {
        let token_use = checks::token_use(issuer, claims);
        let found = shown(claims, "token_use");
        judge(report, "token_use", found, token_use, expected);
    }
    for rule in &issuer.rules {
        let checked = rule.check(&header.members, claims.object());
        let checked = checked.map_err(TokenRefusal::from);
        judge(report, "rule", rule.source().to_owned(), checked, "true");
    }
}

async fn explain_signature(
    source: &KeySetSource,
    token: &UnverifiedToken<'_>,
    algorithm: SigningAlgorithm,
    report: &mut Report,
) {
    let kid = token.header.kid.as_deref().unwrap_or("none");
    let found = format!("kid {kid}");
    match checks::signature(source, token, algorithm).await {
        Ok(()) => report.passed("signature", found),
        Err(error) => {
            let keys = source.keys().await;
            let keys = keys.map(|keys| format!("one of the issuer's keys: {}", keys.names()));
            let failed = Failure::of(&error.into());
            report.failed("signature", found, failed, keys.ok());
        }
    }
}

fn explain_times(issuer: &IssuerConfig, claims: &Claims, now: SystemTime, report: &mut Report) {
    let leeway = issuer.leeway.as_secs();
    for (claim, outcome, expected) in [
        ("exp", checks::expiry(issuer, claims, now), "after now"),
        ("nbf", checks::not_before(issuer, claims, now), "before now"),
        ("iat", checks::issued_at(issuer, claims, now), "before now"),
    ] {
        let found = match claims.date(claim) {
            Ok(Some(seconds)) => format!("{}, {}", shown(claims, claim), distance(seconds, now)),
            _ => shown(claims, claim),
        };
        let expected = format!("{expected}, give or take {leeway} s");
        judge(report, claim, found, outcome, &expected);
    }
}

fn judge(
    report: &mut Report,
    name: &'static str,
    found: String,
    outcome: Result<(), TokenRefusal>,
    expected: &str,
) {
    let failed = outcome.err().map(Failure::of_refusal);
    report.judged(name, found, failed, Some(expected.to_owned()));
}

/// A claim as it stands in the token.
fn shown(claims: &Claims, claim: &str) -> String {
    claims
        .object()
        .get(claim)
        .map_or("missing".to_owned(), value)
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// How far a date lies from now.
fn distance(seconds: f64, now: SystemTime) -> String {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let ahead = seconds - now.as_secs_f64();
    if ahead < 0.0 {
        format!("{:.0} s ago", -ahead)
    } else {
        format!("in {ahead:.0} s")
    }
}
