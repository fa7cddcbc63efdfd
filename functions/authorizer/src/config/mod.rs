//! The authorizer's settings, read from the environment once and checked then.

mod claims;
mod issuers;
mod prefixes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keygate_policy::{Policies, Room};
use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};

use crate::claim_path::ClaimPath;
use crate::context_claims::ContextClaims;
use crate::issuer::Issuer;
use crate::key_set::set::KeySet;
use crate::revocation::RevocationChecks;

/// How long a looked-up key is remembered when nothing is configured.
const KEY_CACHE_TTL: Duration = Duration::from_secs(30);
/// The longest that it may be: what a revoked key can go on for.
const MAX_KEY_CACHE_TTL: u64 = 3600;

/// Everything that the environment decides.
#[derive(Debug)]
pub(crate) struct Config {
    /// The issuers to trust; at least one, no `iss` twice.
    pub(crate) issuers: Vec<Issuer>,
    /// The claims that name the principal, the first present wins; at least one.
    pub(crate) principal_claims: Arc<[ClaimPath]>,
    /// The claims that handlers are given.
    pub(crate) context_claims: ContextClaims,
    /// A key set to start from; only with a single issuer.
    pub(crate) jwks_file: Option<PathBuf>,
    /// The table of API keys and OAuth clients; without it API keys are refused.
    pub(crate) key_table: Option<String>,
    /// How long a record of the table is remembered.
    pub(crate) key_cache_ttl: Duration,
    /// What the key table is asked about tokens.
    pub(crate) revocation: RevocationChecks,
    /// The `usageIdentifierKey` of whoever has none of their own.
    pub(crate) default_usage_key: Option<String>,
    /// Which credential opens which route.
    pub(crate) table: RouteTable,
    /// Whether an HTTP API of payload format 2.0 wants `isAuthorized` in place of a policy.
    pub(crate) simple_responses: bool,
}

impl Config {
    /// Reads the settings.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingError> {
        let issuers = issuers::read(settings)?;
        let jwks_file = settings.optional("OAUTH_JWKS_FILE")?.map(PathBuf::from);
        if jwks_file.is_some() && issuers.len() > 1 {
            let reason = "a key set file belongs to one issuer, and OAUTH_ISSUERS names several";
            return Err(SettingError::malformed("OAUTH_JWKS_FILE", reason));
        }
        let key_table = settings.optional("KEY_TABLE")?.map(str::to_owned);
        Ok(Self {
            issuers,
            table: keygate_routes::required(settings)?,
            principal_claims: claims::setting(settings, "OAUTH_PRINCIPAL_CLAIMS", "sub")?,
            context_claims: claims::context(settings)?,
            jwks_file,
            revocation: revocation(settings, key_table.is_some())?,
            key_table,
            key_cache_ttl: key_cache_ttl(settings)?,
            default_usage_key: settings.optional("DEFAULT_USAGE_KEY")?.map(str::to_owned),
            simple_responses: settings.parsed("SIMPLE_RESPONSES")?.unwrap_or_default(),
        })
    }
}

/// The policies of the table's callers.
pub(crate) fn policies(table: &RouteTable, settings: &Settings) -> Result<Policies, SettingError> {
    let room = Room::of(settings.optional("AWS_REGION")?, None);
    let setting = match settings.optional(keygate_routes::SETTING)? {
        Some(_) => keygate_routes::SETTING,
        None => keygate_routes::FILE,
    };
    Policies::new(table, room).map_err(|error| SettingError::malformed(setting, error))
}

fn revocation(settings: &Settings, has_key_table: bool) -> Result<RevocationChecks, SettingError> {
    let name = "OAUTH_REVOCATION";
    let checks = settings.parsed::<RevocationChecks>(name)?;
    // Set without effect, it would let through what its author meant to refuse.
    if checks.is_some_and(|checks| checks.client || checks.token) && !has_key_table {
        let reason = "revocations are looked up in the key table, and KEY_TABLE is not set";
        return Err(SettingError::malformed(name, reason));
    }
    Ok(checks.unwrap_or_default())
}

/// The key set in the file that `OAUTH_JWKS_FILE` names.
pub(crate) fn key_set_file(path: &Path) -> Result<KeySet, SettingError> {
    let malformed = |reason: String| SettingError::malformed("OAUTH_JWKS_FILE", reason);
    let document =
        std::fs::read(path).map_err(|error| malformed(format!("{}: {error}", path.display())))?;
    KeySet::parse(&document).map_err(|error| malformed(format!("{}: {error}", path.display())))
}

fn key_cache_ttl(settings: &Settings) -> Result<Duration, SettingError> {
    let name = "KEY_CACHE_TTL_SECONDS";
    match settings.parsed::<u64>(name)? {
        None => Ok(KEY_CACHE_TTL),
        Some(seconds) if seconds <= MAX_KEY_CACHE_TTL => Ok(Duration::from_secs(seconds)),
        Some(_) => Err(SettingError::malformed(
            name,
            format!("use 0 to {MAX_KEY_CACHE_TTL} seconds"),
        )),
    }
}
