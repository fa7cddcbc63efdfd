//! Settings that name claims.

use std::sync::Arc;

use keygate_settings::{SettingError, Settings, comma_separated};

use crate::claim_path::ClaimPath;
use crate::context_claims::ContextClaims;

/// The claims that a setting names, comma separated; those of `default` where it is not set.
pub(super) fn setting(
    settings: &Settings,
    name: &'static str,
    default: &str,
) -> Result<Arc<[ClaimPath]>, SettingError> {
    let value = settings.optional(name)?.unwrap_or(default);
    paths(name, comma_separated(value))
}

/// At least one claim.
pub(super) fn paths<'a>(
    setting: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<Arc<[ClaimPath]>, SettingError> {
    let paths: Arc<[ClaimPath]> = names
        .map(|name| path(setting, name))
        .collect::<Result<_, _>>()?;
    if paths.is_empty() {
        return Err(SettingError::malformed(setting, "it names no claim"));
    }
    Ok(paths)
}

pub(super) fn path(setting: &'static str, name: &str) -> Result<ClaimPath, SettingError> {
    let path = name.parse();
    path.map_err(|error| SettingError::malformed(setting, error))
}

/// The claims that handlers are given; none by default.
pub(super) fn context(settings: &Settings) -> Result<ContextClaims, SettingError> {
    let name = "OAUTH_CONTEXT_CLAIMS";
    let Some(value) = settings.optional(name)? else {
        return Ok(ContextClaims::default());
    };
    let paths = paths(name, comma_separated(value))?;
    ContextClaims::new(paths.to_vec()).map_err(|error| SettingError::malformed(name, error))
}
