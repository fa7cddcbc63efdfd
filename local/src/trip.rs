//! What became of one request, step by step: what the gateway saw of it, and what its functions said.
//! No credential is in it, and of the authorizer's context only what says who called.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a trip has of the authorizer's context.
pub(crate) const CALLER: [&str; 7] = [
    "principal",
    "principalId",
    "credential",
    "scopes",
    "client_id",
    "key_id",
    "issuer",
];

/// One request from its arrival to its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trip {
    /// As the client is told it, in `x-amzn-RequestId`.
    pub(crate) request_id: String,
    pub(crate) received: Timestamp,
    pub(crate) method: String,
    /// With the stage, without the query string.
    pub(crate) path: String,
    /// The resource that serves it.
    pub(crate) route: Option<String>,
    pub(crate) status: u16,
    /// The type of the gateway response, where the gateway answered itself.
    pub(crate) error_type: Option<String>,
    /// Why it was not served.
    pub(crate) reason: Option<String>,
    pub(crate) milliseconds: f64,
    pub(crate) authorizer: Option<AuthorizerStep>,
    pub(crate) plan: Option<PlanStep>,
    pub(crate) handler: Option<HandlerStep>,
    /// Who called, as the authorizer says: [`CALLER`].
    pub(crate) caller: BTreeMap<String, String>,
    /// What its functions wrote meanwhile.
    pub(crate) lines: Vec<LogLine>,
}

/// The authorizer's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuthorizerStep {
    pub(crate) function: String,
    pub(crate) milliseconds: f64,
    /// Whether the function was called, or else an answer was there already, or none was needed.
    pub(crate) is_called: bool,
    /// The request whose answer was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answered_in: Option<String>,
    pub(crate) error: Option<String>,
}

/// The usage plan's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanStep {
    pub(crate) milliseconds: f64,
    /// The usage key that the request is counted for.
    pub(crate) usage_key_id: Option<String>,
    /// What was left behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<PlanLeft>,
}

/// What is left to a usage key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanLeft {
    /// Of the bucket; `None` where the plan has no rate.
    pub(crate) tokens: Option<TokensLeft>,
    /// Of the quota, where there is one.
    pub(crate) quota: Option<QuotaLeft>,
    /// The requests of today, in UTC.
    pub(crate) today: u64,
}

/// What is left in a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TokensLeft {
    /// Whole ones.
    pub(crate) left: f64,
    /// How many it holds.
    pub(crate) burst: u32,
    /// How many a second are added.
    pub(crate) rate: f64,
}

/// What is left of a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuotaLeft {
    pub(crate) left: u64,
    pub(crate) limit: u64,
    /// `DAY`, `WEEK` or `MONTH`, as API Gateway has it.
    pub(crate) period: String,
}

/// The handler's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct HandlerStep {
    pub(crate) function: String,
    pub(crate) milliseconds: f64,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
}

/// One check of the authorizer's, as `keygate explain` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckMade {
    pub(crate) name: String,
    pub(crate) state: CheckState,
    /// What was found, or why the check was not made.
    pub(crate) found: String,
    pub(crate) expected: Option<String>,
    /// The reason code and the reason of a refusal.
    pub(crate) failure: Option<(String, String)>,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckState {
    Passed,
    Failed,
    /// It has no meaning here, or could not be made.
    NotMade,
}

/// A line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) function: String,
    pub(crate) line: String,
}

impl Trip {
    /// Who called, where the authorizer said so.
    pub(crate) fn principal(&self) -> Option<&str> {
        let principal = self.caller.get("principal");
        principal
            .or_else(|| self.caller.get("principalId"))
            .map(String::as_str)
    }

    /// Whether only the authorizer's own log can say why it was not served.
    pub(crate) fn lacks_reason(&self) -> bool {
        let step = self.authorizer.as_ref();
        self.reason.is_none() && step.is_some_and(|step| step.error.is_some())
    }
}

/// A time in milliseconds, exact to a hundredth of one.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// The same as it is read.
pub(crate) fn shown(milliseconds: f64) -> String {
    match milliseconds {
        ..0.1 => "<0.1 ms".to_owned(),
        0.1..10.0 => format!("{milliseconds:.1} ms"),
        _ => format!("{milliseconds:.0} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_at_a_glance() {
        for (time, text) in [
            (Duration::from_micros(20), "<0.1 ms"),
            (Duration::from_micros(1_240), "1.2 ms"),
            (Duration::from_micros(15_900), "16 ms"),
            (Duration::from_secs(3), "3000 ms"),
        ] {
            assert_eq!(shown(milliseconds(time)), text);
        }
    }
}
