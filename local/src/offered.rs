//! What this machine offers a template's parameters, where it has them and the caller says nothing.

use std::collections::BTreeMap;

use crate::issuer;
use crate::template::Parameters;

/// The parameters that the caller gives, with this machine's issuer.
pub(crate) fn parameters(given: &[(String, String)], issuer: &str) -> Parameters {
    let offered = [("OAuthIssuer", issuer), ("OAuthAudience", issuer::AUDIENCE)];
    Parameters {
        given: given.iter().cloned().collect(),
        offered: offered
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}
