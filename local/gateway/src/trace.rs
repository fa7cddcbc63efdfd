//! What is noted of a request beside what `$context` variables say: the time in each step, and why it was
//! refused. Clients are told none of it but that an address is outside the stage, or why their request cannot
//! be read.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::trip::PlanLeft;

/// What was noted.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) authorizer: Option<(String, Duration)>,
    /// The request whose answer of the authorizer was kept, where that was taken.
    pub(super) answered_in: Option<String>,
    /// What the request was told apart by, of what a client sends.
    pub(super) presented: Vec<String>,
    /// What the authorizer was asked.
    pub(super) asked: Option<Bytes>,
    pub(super) plan: Option<Duration>,
    /// What the usage plan left.
    pub(super) left: Option<PlanLeft>,
    /// What the handler was sent.
    pub(super) event: Option<Bytes>,
    pub(super) handler: Option<String>,
    pub(super) reason: Option<String>,
    /// Whether the client is told the reason: it is nobody's secret, and AWS would not have the request, or
    /// not know more of it.
    is_told: bool,
}

impl Trace {
    /// The authorizer, a function, took its part.
    pub(super) fn authorized(&mut self, function: &str, started: Instant) {
        self.authorizer = Some((function.to_owned(), started.elapsed()));
    }

    /// The usage plan took its part.
    pub(super) fn counted(&mut self, started: Instant, left: Option<PlanLeft>) {
        self.plan = Some(started.elapsed());
        self.left = left;
    }

    /// The handler is called.
    pub(super) fn handled_by(&mut self, function: &str, event: &Bytes) {
        self.handler = Some(function.to_owned());
        self.event = Some(event.clone());
    }

    /// Why there is nothing at this address.
    pub(super) fn misses(&mut self, reason: String) {
        self.reason = Some(reason);
        self.is_told = true;
    }

    /// Why the request cannot be read.
    pub(super) fn unreadable(&mut self, reason: &str) {
        self.misses(reason.to_owned());
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
