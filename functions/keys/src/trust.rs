//! What the authorizer does with the records of OAuth clients, so that none is written here that it would
//! pass over.

use keygate_problem::{CONFLICT, Problem};
use keygate_proxy::trusted_issuers;
use keygate_settings::{SettingError, Settings, comma_separated};

/// Which clients' records count.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The issuers whose tokens are taken; none where the function is not told.
    issuers: Vec<String>,
    /// Whether the authorizer looks clients up.
    are_clients_looked_up: bool,
}

impl Trust {
    /// Reads the authorizer's settings `OAUTH_ISSUERS`, `OAUTH_ISSUER` and `OAUTH_REVOCATION`.
    ///
    /// # Errors
    /// When the issuers are malformed.
    pub(crate) fn read(settings: &Settings) -> Result<Self, SettingError> {
        let checks = settings.optional("OAUTH_REVOCATION")?.unwrap_or("client");
        Ok(Self {
            issuers: trusted_issuers(settings)?,
            are_clients_looked_up: comma_separated(checks).any(|check| check == "client"),
        })
    }

    /// Whether tokens of this issuer are taken, as far as the function is told.
    pub(crate) fn takes(&self, issuer: &str) -> bool {
        self.issuers.is_empty() || self.issuers.iter().any(|own| own == issuer)
    }

    /// # Errors
    /// 409 where a record would neither meter a client nor shut it out.
    pub(crate) fn require_lookups(&self) -> Result<(), Problem> {
        if self.are_clients_looked_up {
            return Ok(());
        }
        let detail = "This deployment looks up no clients, so a record would neither meter one nor shut it \
                      out: its operator sets OAuthRevocation to client.";
        Err(Problem::new(&CONFLICT, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(settings: &[(&str, &str)]) -> Result<Trust, SettingError> {
        Trust::read(&settings.iter().copied().collect())
    }

    #[test]
    fn clients_are_looked_up_unless_the_authorizer_is_told_otherwise() {
        for (checks, are_looked_up) in [
            (None, true),
            (Some("client"), true),
            (Some("jti, client"), true),
            (Some("jti"), false),
            (Some("none"), false),
        ] {
            let checks = checks.map(|checks| ("OAUTH_REVOCATION", checks));
            let trust = trust(checks.as_slice()).unwrap();
            assert_eq!(trust.require_lookups().is_ok(), are_looked_up, "{checks:?}");
        }
    }

    #[test]
    fn an_issuer_is_one_of_the_trusted_ones_to_the_letter() {
        let several = r#"[{"issuer": "https://a.example"}, {"issuer": "https://b.example/"}]"#;
        for settings in [
            &[("OAUTH_ISSUER", "https://b.example/")][..],
            &[("OAUTH_ISSUERS", several)],
        ] {
            let trust = trust(settings).unwrap();
            assert!(trust.takes("https://b.example/"));
            assert!(!trust.takes("https://b.example"));
        }
        assert!(trust(&[]).unwrap().takes("https://c.example"));
        assert!(trust(&[("OAUTH_ISSUERS", "https://a.example")]).is_err());
    }
}
