//! The authorizer's settings, read from the environment once and checked then.

mod issuer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use keygate::settings::{self, SettingError};

pub(crate) use self::issuer::{IssuerConfig, TrustedUrl};
use crate::key_set::KeySet;

/// How long a looked-up key is remembered when nothing is configured.
const KEY_CACHE_TTL: Duration = Duration::from_secs(30);
/// The longest that it may be: what a revoked key can go on for.
const MAX_KEY_CACHE_TTL: u64 = 3600;

/// Everything that the environment decides.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The issuers to trust; at least one, no `iss` twice.
    pub(crate) issuers: Vec<IssuerConfig>,
    /// The claims that name the principal, the first present wins; at least one.
    pub(crate) principal_claims: Vec<String>,
    /// A key set to start from; only with a single issuer.
    pub(crate) jwks_file: Option<PathBuf>,
    /// The table of API keys and OAuth clients; without it API keys are refused.
    pub(crate) key_table: Option<String>,
    /// How long a record of the table is remembered.
    pub(crate) key_cache_ttl: Duration,
    /// The `usageIdentifierKey` of whoever has none of their own.
    pub(crate) default_usage_key: Option<String>,
}

impl Config {
    /// Reads the environment.
    pub(crate) fn from_env() -> Result<Self, SettingError> {
        // Set without effect, it would let through what its author meant to refuse.
        if settings::optional("OAUTH_RULE")?.is_some() {
            return Err(SettingError::malformed(
                "OAUTH_RULE",
                "this build evaluates no rules; unset it",
            ));
        }
        let issuers = issuer::from_env()?;
        let jwks_file = settings::optional("OAUTH_JWKS_FILE")?.map(PathBuf::from);
        if jwks_file.is_some() && issuers.len() > 1 {
            let reason = "a key set file belongs to one issuer, and OAUTH_ISSUERS names several";
            return Err(SettingError::malformed("OAUTH_JWKS_FILE", reason));
        }
        Ok(Self {
            issuers,
            principal_claims: principal_claims()?,
            jwks_file,
            key_table: settings::optional("KEY_TABLE")?,
            key_cache_ttl: key_cache_ttl()?,
            default_usage_key: settings::optional("DEFAULT_USAGE_KEY")?,
        })
    }
}

/// The key set in the file that `OAUTH_JWKS_FILE` names.
pub(crate) fn key_set_file(path: &Path) -> Result<KeySet, SettingError> {
    let malformed = |reason: String| SettingError::malformed("OAUTH_JWKS_FILE", reason);
    let document =
        std::fs::read(path).map_err(|error| malformed(format!("{}: {error}", path.display())))?;
    let keys = KeySet::parse(&document)
        .map_err(|error| malformed(format!("{}: {error}", path.display())))?;
    if keys.len() == 0 {
        return Err(malformed(format!(
            "{} holds no key that can be used",
            path.display()
        )));
    }
    Ok(keys)
}

fn principal_claims() -> Result<Vec<String>, SettingError> {
    let name = "OAUTH_PRINCIPAL_CLAIMS";
    let Some(value) = settings::optional(name)? else {
        return Ok(vec!["sub".to_owned()]);
    };
    let claims: Vec<_> = settings::comma_separated(&value)
        .map(str::to_owned)
        .collect();
    if claims.is_empty() {
        return Err(SettingError::malformed(name, "it names no claim"));
    }
    Ok(claims)
}

fn key_cache_ttl() -> Result<Duration, SettingError> {
    let name = "KEY_CACHE_TTL_SECONDS";
    match settings::parsed::<u64>(name)? {
        None => Ok(KEY_CACHE_TTL),
        Some(seconds) if seconds <= MAX_KEY_CACHE_TTL => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(SettingError::malformed(
            name,
            format!("use 0 to {MAX_KEY_CACHE_TTL} seconds"),
        )),
    }
}
