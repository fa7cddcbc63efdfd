//! The issuers to trust: one from `OAUTH_ISSUER` and its companions, or several from the JSON array
//! `OAUTH_ISSUERS`.

use std::sync::Arc;
use std::time::Duration;

use keygate_principal::name::is_usable_name;
use keygate_settings::{SettingError, Settings, comma_separated};
use serde::Deserialize;

use super::{claims, prefixes};
use crate::algorithm::SigningAlgorithm;
use crate::claim_path::ClaimPath;
use crate::issuer::Issuer;
use crate::rule::compiled::Rule;
use crate::trusted_url::TrustedUrl;

/// The clock skew allowed when nothing is configured.
const LEEWAY: u64 = 30;
/// The most that may be allowed: each second of it is a second that an expired token lives on.
const MAX_LEEWAY: u64 = 600;

const ISSUER: &str = "OAUTH_ISSUER";
const AUDIENCE: &str = "OAUTH_AUDIENCE";
const JWKS_URI: &str = "OAUTH_JWKS_URI";
const ALGORITHMS: &str = "OAUTH_ALGORITHMS";
const LEEWAY_SECONDS: &str = "OAUTH_LEEWAY_SECONDS";
const AUDIENCE_CLAIM: &str = "OAUTH_AUDIENCE_CLAIM";
const SCOPE_CLAIMS: &str = "OAUTH_SCOPE_CLAIMS";
const CLIENT_CLAIMS: &str = "OAUTH_CLIENT_CLAIMS";
const RULE: &str = "OAUTH_RULE";
const ISSUERS: &str = "OAUTH_ISSUERS";

/// Where scopes stand: as RFC 8693 section 4.2 has it, and Microsoft's and Okta's issuers.
const DEFAULT_SCOPE_CLAIMS: &str = "scope,scp";
/// What names the client: RFC 9068's claim, OpenID Connect's, Okta's, and that of Entra ID v1.
const DEFAULT_CLIENT_CLAIMS: &str = "client_id,azp,cid,appid";

/// One element of `OAUTH_ISSUERS`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Element {
    issuer: String,
    audience: Vec<String>,
    audience_claim: Option<String>,
    jwks_uri: Option<String>,
    algorithms: Option<Vec<String>>,
    leeway_seconds: Option<u64>,
    token_use: Option<String>,
    required_typ: Option<String>,
    scope_claims: Option<Vec<String>>,
    client_claims: Option<Vec<String>>,
    rule: Option<String>,
    principal_prefix: Option<String>,
}

/// What holds for every issuer that does not say otherwise; the rule, for every issuer.
struct Defaults {
    algorithms: Vec<SigningAlgorithm>,
    leeway: u64,
    audience_claim: Option<ClaimPath>,
    allows_bound_tokens: bool,
    scope_claims: Arc<[ClaimPath]>,
    client_claims: Arc<[ClaimPath]>,
    rule: Option<Arc<Rule>>,
}

/// Reads the issuers. `OAUTH_ISSUERS` stands in for `OAUTH_ISSUER`,
/// `OAUTH_AUDIENCE` and `OAUTH_JWKS_URI`; algorithms, leeway and claims are then what an element may
/// leave out, and `OAUTH_RULE` holds besides an element's own rule.
pub(super) fn read(settings: &Settings) -> Result<Vec<Issuer>, SettingError> {
    let defaults = Defaults {
        algorithms: match settings.optional(ALGORITHMS)? {
            None => SigningAlgorithm::defaults(),
            Some(names) => algorithms(ALGORITHMS, comma_separated(names))?,
        },
        leeway: settings.parsed::<u64>(LEEWAY_SECONDS)?.unwrap_or(LEEWAY),
        audience_claim: match settings.optional(AUDIENCE_CLAIM)? {
            None => None,
            Some(name) => audience_claim(AUDIENCE_CLAIM, name)?,
        },
        allows_bound_tokens: settings
            .parsed("OAUTH_ALLOW_BOUND_TOKENS")?
            .unwrap_or_default(),
        scope_claims: claims::setting(settings, SCOPE_CLAIMS, DEFAULT_SCOPE_CLAIMS)?,
        client_claims: claims::setting(settings, CLIENT_CLAIMS, DEFAULT_CLIENT_CLAIMS)?,
        rule: settings
            .optional(RULE)?
            .map(|text| rule(RULE, text))
            .transpose()?,
    };
    leeway(LEEWAY_SECONDS, defaults.leeway)?;
    let Some(json) = settings.optional(ISSUERS)? else {
        return single(settings, defaults).map(|issuer| vec![issuer]);
    };
    for name in [ISSUER, AUDIENCE, JWKS_URI] {
        if settings.optional(name)?.is_some() {
            tracing::warn!(setting = name, "not used, because OAUTH_ISSUERS is set");
        }
    }
    several(json, &defaults)
}

fn single(settings: &Settings, defaults: Defaults) -> Result<Issuer, SettingError> {
    let issuer = settings.required(ISSUER, "the iss of the tokens to trust")?;
    let audience = settings.required(AUDIENCE, "the aud values to accept, comma separated")?;
    let jwks_uri = settings.optional(JWKS_URI)?;
    Ok(Issuer {
        url: url(ISSUER, issuer)?,
        audience: audiences(AUDIENCE, comma_separated(audience).map(str::to_owned))?,
        audience_claim: defaults.audience_claim,
        jwks_uri: jwks_uri.map(|uri| url(JWKS_URI, uri.trim())).transpose()?,
        iss: issuer.to_owned(),
        algorithms: defaults.algorithms,
        leeway: leeway(LEEWAY_SECONDS, defaults.leeway)?,
        token_use: None,
        required_typ: None,
        allows_bound_tokens: defaults.allows_bound_tokens,
        scope_claims: defaults.scope_claims,
        client_claims: defaults.client_claims,
        rules: defaults.rule.into_iter().collect(),
        principal_prefix: String::new(),
        reserved_prefixes: Vec::new(),
    })
}

fn several(json: &str, defaults: &Defaults) -> Result<Vec<Issuer>, SettingError> {
    let malformed = |reason: String| SettingError::malformed(ISSUERS, reason);
    let elements: Vec<Element> =
        serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
    let mut issuers: Vec<_> = elements
        .into_iter()
        .map(|element| element.checked(defaults))
        .collect::<Result<_, _>>()?;
    if issuers.is_empty() {
        return Err(malformed("it names no issuer".to_owned()));
    }
    for (position, issuer) in issuers.iter().enumerate() {
        if issuers[..position]
            .iter()
            .any(|other| other.iss == issuer.iss)
        {
            return Err(malformed(format!("it names {} twice", issuer.iss)));
        }
    }
    prefixes::tell_apart(&mut issuers).map_err(malformed)?;
    Ok(issuers)
}

impl Element {
    fn checked(self, defaults: &Defaults) -> Result<Issuer, SettingError> {
        let own_rule = self.rule.map(|text| rule(ISSUERS, &text)).transpose()?;
        let principal_prefix = self.principal_prefix.unwrap_or_default();
        if !principal_prefix.is_empty() && !is_usable_name(&principal_prefix) {
            let reason = "a principal_prefix has no quotes or control characters";
            return Err(SettingError::malformed(ISSUERS, reason));
        }
        let jwks_uri = self.jwks_uri.filter(|uri| !uri.trim().is_empty());
        let not_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
        let own_or = |names: Option<Vec<String>>, default: &Arc<[ClaimPath]>| match names {
            None => Ok(Arc::clone(default)),
            Some(names) => claims::paths(ISSUERS, names.iter().map(String::as_str)),
        };
        Ok(Issuer {
            url: url(ISSUERS, &self.issuer)?,
            iss: self.issuer,
            audience: audiences(ISSUERS, self.audience.into_iter())?,
            audience_claim: match self.audience_claim {
                None => defaults.audience_claim.clone(),
                Some(name) => audience_claim(ISSUERS, &name)?,
            },
            jwks_uri: jwks_uri.map(|uri| url(ISSUERS, uri.trim())).transpose()?,
            algorithms: match self.algorithms {
                None => defaults.algorithms.clone(),
                Some(names) => algorithms(ISSUERS, names.iter().map(String::as_str))?,
            },
            leeway: leeway(ISSUERS, self.leeway_seconds.unwrap_or(defaults.leeway))?,
            token_use: not_empty(self.token_use),
            required_typ: not_empty(self.required_typ),
            allows_bound_tokens: defaults.allows_bound_tokens,
            scope_claims: own_or(self.scope_claims, &defaults.scope_claims)?,
            client_claims: own_or(self.client_claims, &defaults.client_claims)?,
            rules: defaults.rule.iter().cloned().chain(own_rule).collect(),
            principal_prefix,
            reserved_prefixes: Vec::new(),
        })
    }
}

fn url(setting: &'static str, text: &str) -> Result<TrustedUrl, SettingError> {
    TrustedUrl::parse(text).map_err(|error| SettingError::malformed(setting, error))
}

fn audiences(
    setting: &'static str,
    audiences: impl Iterator<Item = String>,
) -> Result<Vec<String>, SettingError> {
    let audiences: Vec<_> = audiences.collect();
    // An empty audience would match a token that is meant for nobody.
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        return Err(SettingError::malformed(
            setting,
            "name at least one audience, none empty",
        ));
    }
    Ok(audiences)
}

/// The claim that names the audience, where that is not `aud`.
fn audience_claim(setting: &'static str, name: &str) -> Result<Option<ClaimPath>, SettingError> {
    let claim = claims::path(setting, name.trim())?;
    Ok(Some(claim).filter(|claim| claim.as_str() != "aud"))
}

fn algorithms<'a>(
    setting: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<SigningAlgorithm>, SettingError> {
    let algorithms: Vec<_> = names
        .map(str::parse::<SigningAlgorithm>)
        .collect::<Result<_, _>>()
        .map_err(|error| SettingError::malformed(setting, error))?;
    if algorithms.is_empty() {
        return Err(SettingError::malformed(
            setting,
            "name at least one algorithm",
        ));
    }
    Ok(algorithms)
}

fn rule(setting: &'static str, text: &str) -> Result<Arc<Rule>, SettingError> {
    match Rule::compile(text) {
        Ok(rule) => Ok(Arc::new(rule)),
        Err(error) => Err(SettingError::malformed(
            setting,
            format!("the rule, {error}"),
        )),
    }
}

fn leeway(setting: &'static str, seconds: u64) -> Result<Duration, SettingError> {
    if seconds > MAX_LEEWAY {
        let reason = format!("use a leeway of 0 to {MAX_LEEWAY} seconds");
        return Err(SettingError::malformed(setting, reason));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
