//! Credentials that were taken back before they end: an OAuth client or a single token that the key
//! table lists as revoked. Which of the two are looked up is configured, and what is not looked up
//! costs no read.

use std::str::FromStr;

use keygate_key_record::Status;
use keygate_settings::comma_separated;

use crate::claims::ClaimError;
use crate::key_table::{KeyTable, KeyTableError};
use crate::verify::verifier::VerifiedToken;

/// What the key table is asked about a verified token (`OAUTH_REVOCATION`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RevocationChecks {
    /// Its OAuth client: `client#<client_id>`.
    pub(crate) client: bool,
    /// The token by itself: `jti#<jti>`.
    pub(crate) token: bool,
}

impl Default for RevocationChecks {
    /// The client, whose record also says how it is metered.
    fn default() -> Self {
        Self {
            client: true,
            token: false,
        }
    }
}

/// What is looked up of one token, for a person to read.
#[derive(Debug)]
pub(crate) struct Lookups {
    /// By which names; `None` where nothing is.
    pub(crate) made: Option<String>,
    /// Why the others are not.
    pub(crate) not_made: Vec<&'static str>,
}

impl RevocationChecks {
    /// What [`check`] looks up of a token with this client and this `jti`, and what it leaves out.
    pub(crate) fn lookups(self, client_id: Option<&str>, jti: &str) -> Lookups {
        let client = match client_id {
            _ if !self.client => Err("client: not looked up, by OAUTH_REVOCATION"),
            None => Err("client: the token names none to look up"),
            Some(client) => Ok(format!("client {client}")),
        };
        let token = if self.token {
            Ok(format!("jti {jti}"))
        } else {
            Err("jti: not looked up, by OAUTH_REVOCATION")
        };
        let both = [client, token];
        let made: Vec<&str> = both.iter().flatten().map(String::as_str).collect();
        Lookups {
            made: (!made.is_empty()).then(|| made.join(", ")),
            not_made: both.into_iter().filter_map(Result::err).collect(),
        }
    }
}

/// `OAUTH_REVOCATION` is none of the lists that it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use client, jti, both with a comma between, or none")]
pub(crate) struct MalformedChecks;

impl FromStr for RevocationChecks {
    type Err = MalformedChecks;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut checks = Self {
            client: false,
            token: false,
        };
        if text.trim() == "none" {
            return Ok(checks);
        }
        for check in comma_separated(text) {
            match check {
                "client" => checks.client = true,
                "jti" => checks.token = true,
                _ => return Err(MalformedChecks),
            }
        }
        if !checks.client && !checks.token {
            return Err(MalformedChecks);
        }
        Ok(checks)
    }
}

/// What was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Revoked {
    #[error("the token's OAuth client is revoked")]
    Client,
    #[error("the token is revoked")]
    Token,
}

impl Revoked {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Client => "client-revoked",
            Self::Token => "token-revoked",
        }
    }
}

/// Why a verified token is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RevocationError {
    #[error(transparent)]
    Revoked(#[from] Revoked),
    /// The token lacks what it is looked up by.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Nobody's fault that the caller could mend.
    #[error(transparent)]
    Unavailable(#[from] KeyTableError),
}

/// Looks a verified token up, both at once. Gives the client's usage key, where its record has one.
///
/// A token without a `jti` is refused where tokens are looked up by it: it could never be taken
/// back. RFC 9068 section 2.2 has every access token carry one.
pub(crate) async fn check(
    token: &VerifiedToken,
    client_id: Option<&str>,
    checks: RevocationChecks,
    table: &KeyTable,
) -> Result<Option<String>, RevocationError> {
    let claims = token.claims();
    let jti = if checks.token {
        let jti = claims.token_id()?;
        Some(jti.ok_or_else(|| ClaimError::missing("jti"))?)
    } else {
        None
    };
    let client_id = client_id.filter(|_| checks.client);
    let (revoked, client) = tokio::join!(
        async {
            match jti {
                Some(jti) => table.is_token_revoked(jti, &token.issuer().iss).await,
                None => Ok(false),
            }
        },
        async {
            match client_id {
                Some(client_id) => table.client(client_id).await,
                None => Ok(None),
            }
        },
    );
    // A revocation that is known refuses, also while the other is not: both are the caller's fault.
    if matches!(revoked, Ok(true)) {
        return Err(Revoked::Token.into());
    }
    // Another issuer's client of this name is no business of this record.
    let client = client?.filter(|client| client.is_of(&token.issuer().iss));
    let is_revoked = client
        .as_ref()
        .is_some_and(|client| client.status != Status::Active);
    if is_revoked {
        return Err(Revoked::Client.into());
    }
    revoked?;
    Ok(client.and_then(|client| client.usage_key.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_looked_up_that_was_not() {
        let lookups = |checks: &str, client_id| {
            let checks: RevocationChecks = checks.parse().unwrap();
            let Lookups { made, not_made } = checks.lookups(client_id, "7");
            (made.unwrap_or_default(), not_made.join("; "))
        };
        let left_out = |what: &str| format!("{what}: not looked up, by OAUTH_REVOCATION");
        let (client, jti) = (left_out("client"), left_out("jti"));
        let nameless = "client: the token names none to look up";
        for (checks, client_id, made, not_made) in [
            ("client", Some("me"), "client me", jti.clone()),
            ("client", None, "", format!("{nameless}; {jti}")),
            ("jti", Some("me"), "jti 7", client.clone()),
            ("client,jti", Some("me"), "client me, jti 7", String::new()),
            ("client,jti", None, "jti 7", nameless.to_owned()),
            ("none", Some("me"), "", format!("{client}; {jti}")),
        ] {
            assert_eq!(lookups(checks, client_id), (made.to_owned(), not_made));
        }
    }

    #[test]
    fn what_is_looked_up_is_a_list_or_none() {
        let checks = |text: &str| {
            let checks = text.parse::<RevocationChecks>()?;
            Ok((checks.client, checks.token))
        };
        assert_eq!(checks("client"), Ok((true, false)));
        assert_eq!(checks(" jti , client"), Ok((true, true)));
        assert_eq!(checks("jti"), Ok((false, true)));
        assert_eq!(checks("none"), Ok((false, false)));
        for text in ["all", "client,none", "JTI", "client jti", ","] {
            assert_eq!(checks(text), Err(MalformedChecks), "{text}");
        }
    }
}
