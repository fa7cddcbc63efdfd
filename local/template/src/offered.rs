//! What this machine offers a template's parameters, where it has them and the caller says nothing.

use std::collections::BTreeMap;

use keygate_model::deployment::AUDIENCE;

use crate::Parameters;

/// The parameters that the caller gives, with this machine's issuer, and the environment of
/// `samconfig.toml` for the others.
pub fn parameters(
    given: &[(String, String)],
    config_env: Option<&str>,
    issuer: &str,
) -> Parameters {
    let offered = [
        ("OAuthIssuer", issuer),
        ("OAuthAudience", AUDIENCE),
        // A table that is there on AWS is not here.
        ("ExistingKeyTable", ""),
    ];
    Parameters {
        given: given.iter().cloned().collect(),
        offered: offered
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        config_env: config_env.map(ToOwned::to_owned),
        ..Parameters::default()
    }
}
