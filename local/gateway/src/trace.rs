//! What is noted of a request beside what `$context` variables say: the time in each step, and why it was
//! refused. Clients are told none of it but that an address is outside the stage.

use std::time::{Duration, Instant};

/// What was noted.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) authorizer: Option<(String, Duration)>,
    pub(super) plan: Option<Duration>,
    pub(super) handler: Option<String>,
    pub(super) reason: Option<String>,
    /// Whether the client is told the reason: it is nobody's secret, and AWS would not have the request.
    is_told: bool,
}

impl Trace {
    /// The authorizer, a function, took its part.
    pub(super) fn authorized(&mut self, function: &str, started: Instant) {
        self.authorizer = Some((function.to_owned(), started.elapsed()));
    }

    /// The usage plan took its part.
    pub(super) fn counted(&mut self, started: Instant) {
        self.plan = Some(started.elapsed());
    }

    /// The handler is called.
    pub(super) fn handled_by(&mut self, function: &str) {
        self.handler = Some(function.to_owned());
    }

    /// Why there is nothing at this address.
    pub(super) fn misses(&mut self, reason: String) {
        self.reason = Some(reason);
        self.is_told = true;
    }

    /// What the client is told of the reason.
    pub(super) fn hint(&self) -> Option<&str> {
        self.reason.as_deref().filter(|_| self.is_told)
    }

    /// Why there is no answer of a handler.
    pub(super) fn refused(&mut self, reason: impl Into<String>) {
        self.reason = Some(reason.into());
    }
}
