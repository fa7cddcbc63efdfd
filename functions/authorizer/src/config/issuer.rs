//! The issuers to trust: one from `OAUTH_ISSUER` and its companions, or several from the JSON array
//! `OAUTH_ISSUERS`.

use std::time::Duration;

use keygate::settings::{self, SettingError};
use reqwest::Url;
use serde::Deserialize;

use crate::algorithm::SigningAlgorithm;

/// The clock skew allowed when nothing is configured.
const LEEWAY: u64 = 30;
/// The most that may be allowed: each second of it is a second that an expired token lives on.
const MAX_LEEWAY: u64 = 600;

const ISSUER: &str = "OAUTH_ISSUER";
const AUDIENCE: &str = "OAUTH_AUDIENCE";
const JWKS_URI: &str = "OAUTH_JWKS_URI";
const ALGORITHMS: &str = "OAUTH_ALGORITHMS";
const LEEWAY_SECONDS: &str = "OAUTH_LEEWAY_SECONDS";
const ISSUERS: &str = "OAUTH_ISSUERS";

/// An address that a trust decision may rest on: `https`, or `http` on a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedUrl(Url);

/// Why an address is not to be trusted. The address is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UntrustedUrl {
    #[error("it is not a URL such as https://login.example.com/")]
    NotUrl,
    #[error("use https, or http on a loopback address")]
    Scheme,
    #[error("a user name, password or fragment has no place in it")]
    Extras,
}

impl TrustedUrl {
    /// Reads an address.
    pub(crate) fn parse(text: &str) -> Result<Self, UntrustedUrl> {
        let url = Url::parse(text).map_err(|_| UntrustedUrl::NotUrl)?;
        if url.cannot_be_a_base() || url.host().is_none() {
            return Err(UntrustedUrl::NotUrl);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(UntrustedUrl::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UntrustedUrl::Extras);
        }
        Ok(Self(url))
    }

    /// Reads an address that this one names: no less protected than this one, so that a discovery
    /// document cannot lead from `https` to plain `http`.
    pub(crate) fn parse_linked(&self, text: &str) -> Result<Self, UntrustedUrl> {
        let linked = Self::parse(text)?;
        if self.0.scheme() == "https" && linked.0.scheme() != "https" {
            return Err(UntrustedUrl::Scheme);
        }
        Ok(linked)
    }

    pub(crate) fn as_url(&self) -> &Url {
        &self.0
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// One issuer and what its tokens must be.
#[derive(Debug, Clone)]
pub(crate) struct IssuerConfig {
    /// `iss`, compared exactly.
    pub(crate) issuer: String,
    /// The same as an address, to find the issuer's metadata by.
    pub(crate) url: TrustedUrl,
    /// Accepted `aud` values; at least one.
    pub(crate) audience: Vec<String>,
    /// Where the keys are; found by discovery when unset.
    pub(crate) jwks_uri: Option<TrustedUrl>,
    /// Accepted algorithms; at least one.
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    /// The clock skew allowed.
    pub(crate) leeway: Duration,
    /// The `token_use` claim that a token must carry (Amazon Cognito).
    pub(crate) token_use: Option<String>,
    /// The `typ` that a token's header must carry, such as `at+jwt` (RFC 9068 section 2.1).
    pub(crate) required_typ: Option<String>,
}

/// One element of `OAUTH_ISSUERS`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Element {
    issuer: String,
    audience: Vec<String>,
    jwks_uri: Option<String>,
    algorithms: Option<Vec<String>>,
    leeway_seconds: Option<u64>,
    token_use: Option<String>,
    required_typ: Option<String>,
    rule: Option<serde_json::Value>,
}

/// What holds for every issuer that does not say otherwise.
struct Defaults {
    algorithms: Vec<SigningAlgorithm>,
    leeway: u64,
}

/// Reads the issuers from the environment. `OAUTH_ISSUERS` stands in for `OAUTH_ISSUER`,
/// `OAUTH_AUDIENCE` and `OAUTH_JWKS_URI`; the other two are then what an element may leave out.
pub(super) fn from_env() -> Result<Vec<IssuerConfig>, SettingError> {
    let defaults = Defaults {
        algorithms: match settings::optional(ALGORITHMS)? {
            None => SigningAlgorithm::defaults(),
            Some(names) => algorithms(ALGORITHMS, settings::comma_separated(&names))?,
        },
        leeway: settings::parsed::<u64>(LEEWAY_SECONDS)?.unwrap_or(LEEWAY),
    };
    leeway(LEEWAY_SECONDS, defaults.leeway)?;
    let Some(json) = settings::optional(ISSUERS)? else {
        return single(defaults).map(|issuer| vec![issuer]);
    };
    for name in [ISSUER, AUDIENCE, JWKS_URI] {
        if settings::optional(name)?.is_some() {
            tracing::warn!(setting = name, "not used, because OAUTH_ISSUERS is set");
        }
    }
    several(&json, &defaults)
}

fn single(defaults: Defaults) -> Result<IssuerConfig, SettingError> {
    let issuer = settings::required(ISSUER, "the iss of the tokens to trust")?;
    let audience = settings::required(AUDIENCE, "the aud values to accept, comma separated")?;
    let jwks_uri = settings::optional(JWKS_URI)?;
    Ok(IssuerConfig {
        url: url(ISSUER, &issuer)?,
        audience: audiences(
            AUDIENCE,
            settings::comma_separated(&audience).map(str::to_owned),
        )?,
        jwks_uri: jwks_uri.map(|uri| url(JWKS_URI, uri.trim())).transpose()?,
        issuer,
        algorithms: defaults.algorithms,
        leeway: leeway(LEEWAY_SECONDS, defaults.leeway)?,
        token_use: None,
        required_typ: None,
    })
}

fn several(json: &str, defaults: &Defaults) -> Result<Vec<IssuerConfig>, SettingError> {
    let malformed = |reason: String| SettingError::malformed(ISSUERS, reason);
    let elements: Vec<Element> =
        serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
    let issuers: Vec<_> = elements
        .into_iter()
        .map(|element| element.checked(defaults))
        .collect::<Result<_, _>>()?;
    if issuers.is_empty() {
        return Err(malformed("it names no issuer".to_owned()));
    }
    for (position, issuer) in issuers.iter().enumerate() {
        if issuers[..position]
            .iter()
            .any(|other| other.issuer == issuer.issuer)
        {
            return Err(malformed(format!("it names {} twice", issuer.issuer)));
        }
    }
    Ok(issuers)
}

impl Element {
    fn checked(self, defaults: &Defaults) -> Result<IssuerConfig, SettingError> {
        // Set without effect, it would let through what its author meant to refuse.
        if self.rule.is_some() {
            let reason = "this build evaluates no rules; leave rule out";
            return Err(SettingError::malformed(ISSUERS, reason));
        }
        let jwks_uri = self.jwks_uri.filter(|uri| !uri.trim().is_empty());
        let not_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(IssuerConfig {
            url: url(ISSUERS, &self.issuer)?,
            issuer: self.issuer,
            audience: audiences(ISSUERS, self.audience.into_iter())?,
            jwks_uri: jwks_uri.map(|uri| url(ISSUERS, uri.trim())).transpose()?,
            algorithms: match self.algorithms {
                None => defaults.algorithms.clone(),
                Some(names) => algorithms(ISSUERS, names.iter().map(String::as_str))?,
            },
            leeway: leeway(ISSUERS, self.leeway_seconds.unwrap_or(defaults.leeway))?,
            token_use: not_empty(self.token_use),
            required_typ: not_empty(self.required_typ),
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

fn leeway(setting: &'static str, seconds: u64) -> Result<Duration, SettingError> {
    if seconds > MAX_LEEWAY {
        let reason = format!("use a leeway of 0 to {MAX_LEEWAY} seconds");
        return Err(SettingError::malformed(setting, reason));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        Defaults {
            algorithms: SigningAlgorithm::defaults(),
            leeway: LEEWAY,
        }
    }

    #[test]
    fn an_address_is_https_or_on_loopback() {
        for text in [
            "https://login.example.com/",
            "https://login.example.com/tenant?x=1",
            "http://127.0.0.1:3001",
            "http://127.9.9.9/",
            "http://[::1]:80/a",
            "http://localhost:3001",
        ] {
            assert!(TrustedUrl::parse(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("", UntrustedUrl::NotUrl),
            ("login.example.com", UntrustedUrl::NotUrl),
            ("mailto:me@example.com", UntrustedUrl::NotUrl),
            ("http://login.example.com", UntrustedUrl::Scheme),
            ("http://127.0.0.1.example.com", UntrustedUrl::Scheme),
            ("http://localhost.example.com", UntrustedUrl::Scheme),
            ("http://0.0.0.0", UntrustedUrl::Scheme),
            ("ftp://127.0.0.1", UntrustedUrl::Scheme),
            ("https://me@example.com", UntrustedUrl::Extras),
            ("https://:word@example.com", UntrustedUrl::Extras),
            ("https://example.com/#a", UntrustedUrl::Extras),
        ] {
            assert_eq!(TrustedUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn https_does_not_lead_to_http() {
        let issuer = TrustedUrl::parse("https://login.example.com").unwrap();
        assert!(issuer.parse_linked("https://keys.example.com/jwks").is_ok());
        assert!(issuer.parse_linked("http://127.0.0.1/jwks").is_err());
    }

    #[test]
    fn an_element_says_everything_or_leaves_it_to_the_defaults() {
        let json = r#"[
            {"issuer":"https://a.example","audience":["x"]},
            {"issuer":"https://b.example/","audience":["x","y"],"algorithms":["ES384"],
             "leeway_seconds":0,"token_use":"access","required_typ":"at+jwt",
             "jwks_uri":"https://b.example/keys"}
        ]"#;
        let issuers = several(json, &defaults()).unwrap();
        assert_eq!(issuers[0].leeway, Duration::from_secs(LEEWAY));
        assert_eq!(issuers[0].algorithms, SigningAlgorithm::defaults());
        assert_eq!(issuers[1].algorithms.len(), 1);
        assert_eq!(issuers[1].required_typ.as_deref(), Some("at+jwt"));
    }

    #[test]
    fn a_malformed_array_is_named() {
        for json in [
            "[]",
            "{}",
            "x",
            r#"[{"issuer":"https://a.example"}]"#,
            r#"[{"issuer":"https://a.example","audience":[]}]"#,
            r#"[{"issuer":"https://a.example","audience":[""]}]"#,
            r#"[{"issuer":"http://a.example","audience":["x"]}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"algorithms":["HS256"]}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"algorithms":[]}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"jwks_uri":"http://b.example"}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"leeway_seconds":601}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"rule":"true"}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"],"audiences":["y"]}]"#,
            r#"[{"issuer":"https://a.example","audience":["x"]},{"issuer":"https://a.example","audience":["y"]}]"#,
        ] {
            let error = several(json, &defaults()).unwrap_err();
            assert!(
                error.to_string().starts_with("OAUTH_ISSUERS is malformed"),
                "{json}: {error}"
            );
        }
    }
}
