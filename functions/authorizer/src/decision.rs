//! What was decided, why, and the one log line that says so.
//!
//! A refusal is the credential's fault: the client sees 401 and no reason, the log has the reason.
//! A fault is anybody else's: the client sees 503. Neither the line nor an error text holds a
//! credential or a part of one beyond an API key's id.

use keygate_metrics::{Count, Metrics};
use keygate_policy::{Policy, PolicyTooLarge};
use tracing::Level;
use tracing::field::display;

use crate::api_key::{ApiKeyError, ApiKeyRefusal};
use crate::context_claims::TooLong;
use crate::credential::{Credential, CredentialError};
use crate::event::{EventError, Presented};
use crate::key_set::source::KeySetUnavailable;
use crate::key_table::{KeyTableError, Lookups};
use crate::principal::{Principal, PrincipalError, UnusableOwner};
use crate::revocation::{RevocationError, Revoked};
use crate::verify::refusal::{KEY_SET_UNAVAILABLE, TokenRefusal, VerifyError};
use crate::watch::Failure;

/// Why a credential is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    #[error(transparent)]
    Principal(#[from] PrincipalError),
    #[error(transparent)]
    ApiKey(#[from] ApiKeyRefusal),
    #[error(transparent)]
    Revoked(#[from] Revoked),
}

/// Why a credential cannot be judged now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    KeySet(#[from] KeySetUnavailable),
    #[error(transparent)]
    KeyTable(#[from] KeyTableError),
    #[error(transparent)]
    Owner(#[from] UnusableOwner),
    #[error(transparent)]
    Claims(#[from] TooLong),
    #[error(transparent)]
    Policy(#[from] PolicyTooLarge),
    #[error("what the decision depends on did not answer in time")]
    Deadline,
}

/// Why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Faulted(#[from] Fault),
}

/// A caller who is known, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) principal: Principal,
    pub(crate) policy: Policy,
    /// What meters the caller.
    pub(crate) usage_key: Option<String>,
}

impl Rejection {
    /// The same for who looks on. docs/decisions.md lists the codes.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            code: match self {
                Self::Refused(refusal) => refusal.code(),
                Self::Faulted(fault) => fault.code(),
            },
            reason: self.to_string(),
            is_fault: matches!(self, Self::Faulted(_)),
        }
    }
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Refused(refusal) => Refusal::from(refusal).into(),
            VerifyError::Unavailable(fault) => Fault::from(fault).into(),
        }
    }
}

impl From<ApiKeyError> for Rejection {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Refused(refusal) => Refusal::from(refusal).into(),
            ApiKeyError::Unavailable(fault) => Fault::from(fault).into(),
        }
    }
}

impl From<RevocationError> for Rejection {
    fn from(error: RevocationError) -> Self {
        match error {
            RevocationError::Revoked(revoked) => Refusal::from(revoked).into(),
            RevocationError::Claim(error) => Refusal::Principal(error.into()).into(),
            RevocationError::Unavailable(fault) => Fault::from(fault).into(),
        }
    }
}

impl Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Credential(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Principal(error) => error.code(),
            Self::ApiKey(error) => error.code(),
            Self::Revoked(revoked) => revoked.code(),
        }
    }
}

impl Fault {
    fn code(&self) -> &'static str {
        match self {
            Self::Event(_) => "event-malformed",
            Self::KeySet(_) => KEY_SET_UNAVAILABLE,
            Self::KeyTable(error) => error.code(),
            Self::Owner(_) => "key-table-record-malformed",
            Self::Claims(_) => "context-too-large",
            Self::Policy(_) => "policy-too-large",
            Self::Deadline => "deadline",
        }
    }
}

/// Where a decision is written, and what belongs into its line whatever it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'r> {
    /// The invocation's.
    pub(crate) request_id: &'r str,
    /// API Gateway's for the request, which its client cannot choose: a TOKEN event has none.
    pub(crate) extended_request_id: Option<&'r str>,
    /// That of an API key that was refused; a token that was refused says nothing that could be
    /// believed.
    pub(crate) key_id: Option<&'r str>,
    pub(crate) lookups: Lookups,
    pub(crate) metrics: &'r Metrics,
}

impl Record<'_> {
    /// Writes the decision's log line, in which it is counted too.
    pub(crate) fn log(&self, outcome: &Result<Grant, Rejection>) {
        let (level, decision, reason) = verdict(outcome);
        let dimensions = [("Decision", decision), ("Reason", reason)];
        let of_stack = |name, value| Count {
            dimensions: &[],
            name,
            value,
        };
        let counts = [
            Count {
                dimensions: &dimensions,
                name: "Decisions",
                value: 1,
            },
            of_stack("KeyCacheHits", self.lookups.remembered),
            of_stack("KeyCacheMisses", self.lookups.read),
        ];
        let metrics = self.metrics.beside(level, &counts).map(display);
        let Self {
            request_id,
            extended_request_id,
            key_id,
            ..
        } = self;
        match outcome {
            Ok(Grant {
                principal, policy, ..
            }) => tracing::info!(
                decision,
                reason,
                principal = principal.name,
                credential = principal.credential.as_str(),
                client_id = principal.client_id,
                key_id = principal.key_id,
                issuer = principal.issuer,
                open_routes = policy.open_routes(),
                request_id,
                extended_request_id,
                metrics,
            ),
            Err(Rejection::Refused(refusal)) => {
                tracing::info!(
                    decision, reason, detail = %refusal, key_id, request_id, extended_request_id, metrics,
                );
            }
            Err(Rejection::Faulted(fault)) => {
                tracing::error!(
                    decision, reason, detail = %fault, key_id, request_id, extended_request_id, metrics,
                );
            }
        }
    }
}

/// The level of a decision's line, what is decided and the reason code.
fn verdict(outcome: &Result<Grant, Rejection>) -> (Level, &'static str, &'static str) {
    match outcome {
        Ok(grant) if grant.policy.open_routes() == 0 => (Level::INFO, "deny", "no-route-open"),
        Ok(_) => (Level::INFO, "allow", "granted"),
        Err(Rejection::Refused(refusal)) => (Level::INFO, "unauthorized", refusal.code()),
        Err(Rejection::Faulted(fault)) => (Level::ERROR, "fault", fault.code()),
    }
}

/// The id of the API key that a request presents, if it is well formed: the part of it that may be
/// logged.
pub(crate) fn loggable_key_id(presented: &Presented) -> Option<String> {
    match Credential::of(presented) {
        Ok(Credential::ApiKey(key)) => Some(key.id().to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use crate::verify::refusal::KEY_SET_UNAVAILABLE;

    /// The string literals of every `fn code` below a directory: the reason codes.
    fn codes(directory: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            // Not in one piece, or it would find itself.
            for function in text.split(&["fn ", "code("].concat()).skip(1) {
                let (body, _) = function.split_once("\n    }\n").unwrap();
                let literals = body.split('"').skip(1).step_by(2);
                found.extend(literals.map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_reason_code_is_documented_and_no_other() {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut known: BTreeSet<String> = ["granted", "no-route-open", KEY_SET_UNAVAILABLE]
            .map(str::to_owned)
            .into();
        codes(&home.join("src"), &mut known);
        let page = fs::read_to_string(home.join("../../docs/decisions.md")).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: BTreeSet<String> = rows
            .filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
            .collect();
        assert_eq!(known, documented);
    }
}
