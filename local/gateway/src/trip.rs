//! What became of one request, step by step: what the gateway saw of it, and what its functions said.
//! No credential is in it, and of the authorizer's context only what says who called.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a trip has of the authorizer's context.
pub const CALLER: [&str; 7] = [
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
pub struct Trip {
    /// As the client is told it, in `x-amzn-RequestId`.
    pub request_id: String,
    /// When it came.
    pub received: Timestamp,
    /// Its method.
    pub method: String,
    /// With the stage, without the query string.
    pub path: String,
    /// The resource that serves it.
    pub route: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// The type of the gateway response, where the gateway answered itself.
    pub error_type: Option<String>,
    /// Why it was not served.
    pub reason: Option<String>,
    /// From its arrival to its answer.
    pub milliseconds: f64,
    /// The authorizer's part, where it came to that.
    pub authorizer: Option<AuthorizerStep>,
    /// The usage plan's part, likewise.
    pub plan: Option<PlanStep>,
    /// The handler's part, likewise.
    pub handler: Option<HandlerStep>,
    /// Who called, as the authorizer says: [`CALLER`].
    pub caller: BTreeMap<String, String>,
    /// What its functions wrote meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LogLine>,
}

/// The authorizer's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizerStep {
    /// The function's logical id.
    pub function: String,
    /// How long it took.
    pub milliseconds: f64,
    /// Whether the function was called, or else an answer was there already, or none was needed.
    pub is_called: bool,
    /// The request whose answer was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_in: Option<String>,
    /// What the function answered in place of a policy, or why it did not answer.
    pub error: Option<String>,
}

/// The usage plan's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// How long it took.
    pub milliseconds: f64,
    /// The usage key that the request is counted for.
    pub usage_key_id: Option<String>,
    /// What was left behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<PlanLeft>,
}

/// What is left to a usage key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanLeft {
    /// Of the bucket; `None` where the plan has no rate.
    pub tokens: Option<TokensLeft>,
    /// Of the quota, where there is one.
    pub quota: Option<QuotaLeft>,
    /// The requests of today, in UTC.
    pub today: u64,
}

/// What is left in a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokensLeft {
    /// Whole ones.
    pub left: f64,
    /// How many it holds.
    pub burst: u32,
    /// How many a second are added.
    pub rate: f64,
}

/// What is left of a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaLeft {
    /// What is left of it.
    pub left: u64,
    /// How much it is.
    pub limit: u64,
    /// `DAY`, `WEEK` or `MONTH`, as API Gateway has it.
    pub period: String,
}

/// The handler's part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandlerStep {
    /// The function's logical id.
    pub function: String,
    /// How long it took.
    pub milliseconds: f64,
    /// The status of its answer.
    pub status: Option<u16>,
    /// Why there is no usable answer.
    pub error: Option<String>,
}

/// One check of the authorizer's, as `keygate explain` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckMade {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub state: CheckState,
    /// What was found, or why the check was not made.
    pub found: String,
    /// What was expected, where that does not go without saying.
    pub expected: Option<String>,
    /// The reason code and the reason of a refusal.
    pub failure: Option<(String, String)>,
}

impl CheckMade {
    /// How much is kept of it.
    pub(crate) fn bytes(&self) -> usize {
        let failure = self.failure.iter();
        let failure = failure.flat_map(|(code, reason)| [code, reason]);
        let texts = [&self.name, &self.found].into_iter();
        let texts = texts.chain(&self.expected).chain(failure);
        texts.map(String::len).sum()
    }
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It was made, and nothing is wrong.
    Passed,
    /// It was made, and it is why the credential is not accepted.
    Failed,
    /// It has no meaning here, or could not be made.
    NotMade,
}

/// A line that a function wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The function's logical id.
    pub function: String,
    /// The line, in which nothing is invisible.
    pub line: String,
}

impl Trip {
    /// Who called, where the authorizer said so.
    pub fn principal(&self) -> Option<&str> {
        let principal = self.caller.get("principal");
        principal
            .or_else(|| self.caller.get("principalId"))
            .map(String::as_str)
    }

    /// How much is kept of it, without its lines.
    pub(crate) fn bytes(&self) -> usize {
        let errors = [
            self.authorizer
                .as_ref()
                .and_then(|step| step.error.as_ref()),
            self.handler.as_ref().and_then(|step| step.error.as_ref()),
            self.reason.as_ref(),
        ];
        let errors = errors.into_iter().flatten();
        let texts = errors.chain(self.caller.values()).chain([&self.path]);
        texts.map(String::len).sum()
    }

    /// Whether only the authorizer's own log can say why it was not served.
    #[must_use]
    pub fn lacks_reason(&self) -> bool {
        let step = self.authorizer.as_ref();
        self.reason.is_none() && step.is_some_and(|step| step.error.is_some())
    }
}

/// A time in milliseconds, exact to a hundredth of one.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// The same as it is read.
#[must_use]
pub fn shown(milliseconds: f64) -> String {
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
