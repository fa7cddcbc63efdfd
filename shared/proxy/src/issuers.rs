//! The issuers whose tokens the authorizer takes, as far as another function is told.

use keygate_settings::{SettingError, Settings};
use serde::Deserialize;

/// What is read of an element of `OAUTH_ISSUERS`; the authorizer checks the whole.
#[derive(Deserialize)]
struct Element {
    issuer: String,
}

/// The issuers of `OAUTH_ISSUERS` or, without it, of `OAUTH_ISSUER`, exactly as tokens have them in
/// `iss`. None where the function is not told.
///
/// # Errors
/// When `OAUTH_ISSUERS` is no array of objects with an `issuer`.
pub fn trusted_issuers(settings: &Settings) -> Result<Vec<String>, SettingError> {
    let Some(json) = settings.optional("OAUTH_ISSUERS")? else {
        let issuer = settings.optional("OAUTH_ISSUER")?;
        return Ok(issuer.map(str::to_owned).into_iter().collect());
    };
    let elements: Vec<Element> = serde_json::from_str(json)
        .map_err(|error| SettingError::malformed("OAUTH_ISSUERS", error))?;
    Ok(elements.into_iter().map(|element| element.issuer).collect())
}
