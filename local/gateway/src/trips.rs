//! The latest requests, each with what its functions wrote: what `keygate why` and whoever looks on are
//! told, and figures of all. Bounded by number and by size; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::figures::Figures;
use crate::papers::Papers;
use crate::struck::strike_forms;
use crate::trip::{CheckMade, LogLine, Trip};
use crate::watcher::Watcher;

/// How much of a request's id is shown, and may stand for the whole.
pub const SHORT_ID: usize = 8;
/// How many requests are kept.
pub const MAX_TRIPS: usize = 1000;
/// How many bytes of functions' lines are kept of one request, and of all that is kept of all requests.
const MAX_OF_ONE: usize = 64 * 1024;
const MAX_OF_ALL: usize = 16 * 1024 * 1024;
/// What a line takes besides its text, so that empty ones count too.
const LINE_COST: usize = 128;
/// How long a request's line waits for the authorizer's, which comes by another way than its answer.
const PATIENCE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(5);
/// Of how many requests a second events and answers are kept. Nobody reads more, and it takes time.
const MAX_PAPERS: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The latest requests.
#[derive(Debug)]
pub struct Trips {
    kept: Mutex<Kept>,
    told: RwLock<Watcher>,
    shown: Option<Shown>,
}

/// What is kept for a page besides.
#[derive(Debug)]
struct Shown {
    papers: DefaultDirectRateLimiter,
    to_check: mpsc::Sender<ToCheck>,
}

/// What the authorizer was asked. It holds a credential: it goes to who makes the checks, and is not kept.
#[derive(Debug)]
pub struct ToCheck {
    /// The function that was asked.
    pub function: String,
    /// The request's id.
    pub request_id: String,
    /// The authorizer's event.
    pub event: Bytes,
}

/// A request with all that is kept of it.
#[derive(Debug, Clone)]
pub struct Whole {
    /// What became of it.
    pub trip: Trip,
    /// `None` where so many requests came at once that theirs were not kept.
    pub papers: Option<Papers>,
    /// The authorizer's checks.
    pub checks: Option<Vec<CheckMade>>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    /// The ids, the oldest first.
    order: VecDeque<String>,
    /// Of all that is in them.
    bytes: usize,
    figures: Figures,
    /// Counts what is new to a list of the requests.
    changes: u64,
}

#[derive(Debug, Default)]
struct Entry {
    trip: Option<Trip>,
    lines: Vec<LogLine>,
    /// Of the lines alone.
    bytes_of_lines: usize,
    /// Of all that is in it.
    bytes: usize,
    decision: Option<Decision>,
    papers: Option<Papers>,
    checks: Option<Vec<CheckMade>>,
    /// What `Kept::changes` was when it changed last.
    changed: u64,
}

/// What the line of our authorizer's decision has (docs/decisions.md).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Decision {
    #[serde(rename = "decision")]
    _outcome: String,
    reason: String,
    detail: Option<String>,
}

/// What is there under an id.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// The one request.
    One(Box<Trip>),
    /// The beginning of an id is that of several.
    Several,
    /// No request.
    None,
}

impl Trips {
    /// None yet; each is told of to `told`.
    #[must_use]
    pub fn new(told: Watcher) -> Self {
        Self {
            kept: Mutex::default(),
            told: RwLock::new(told),
            shown: None,
        }
    }

    /// The same for a page too. What authorizers are asked goes to `to_check`.
    #[must_use]
    pub fn shown(self, to_check: mpsc::Sender<ToCheck>) -> Self {
        let papers = RateLimiter::direct(Quota::per_second(MAX_PAPERS));
        let shown = Some(Shown { papers, to_check });
        Self { shown, ..self }
    }

    /// Whether the event and the answer of the next request are kept.
    pub(crate) fn keeps_papers(&self) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| shown.papers.check().is_ok())
    }

    /// Has another told of what is answered from now on.
    pub fn tell(&self, told: Watcher) {
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Has room for what functions write for a request that has just come.
    pub(crate) fn begin(&self, request_id: &str) {
        let mut kept = self.kept();
        kept.entry(request_id);
        kept.shrink();
    }

    /// Keeps a line that a function wrote: of the request that the line names itself, where there was such
    /// a request, or else of the one that its process is at work on.
    pub fn note(&self, named: Option<&str>, request: Option<&str>, function: &str, line: &str) {
        let line = strike_forms(line);
        let mut kept = self.kept();
        let mut ids = named.into_iter().chain(request);
        let Some(request_id) = ids.find(|id| kept.entries.contains_key(*id)) else {
            return;
        };
        kept.changes += 1;
        let changes = kept.changes;
        let entry = kept.entry(request_id);
        if line.starts_with('{') && line.contains("\"decision\"") {
            entry.decision = serde_json::from_str(&line).ok().or(entry.decision.take());
            entry.changed = changes;
        }
        let size = line.len() + function.len() + LINE_COST;
        if entry.bytes_of_lines + size > MAX_OF_ONE {
            return;
        }
        entry.bytes_of_lines += size;
        entry.bytes += size;
        entry.lines.push(LogLine {
            function: function.to_owned(),
            line: line.to_string(),
        });
        kept.bytes += size;
        kept.shrink();
    }

    /// Keeps a request that is answered, and says its line.
    pub(crate) fn finish(self: &Arc<Self>, trip: Trip, papers: Option<Papers>) {
        let id = trip.request_id.clone();
        let must_wait = trip.lacks_reason();
        let size = trip.bytes() + papers.as_ref().map_or(0, Papers::bytes);
        let mut kept = self.kept();
        kept.figures.count(&trip);
        kept.changes += 1;
        kept.bytes += size;
        let changes = kept.changes;
        let entry = kept.entry(&id);
        entry.trip = Some(trip);
        entry.papers = papers;
        entry.bytes += size;
        entry.changed = changes;
        let told = self.told().is_read().then(|| entry.told()).flatten();
        kept.shrink();
        drop(kept);
        match told {
            Some(trip) if must_wait && trip.reason.is_none() => {
                let trips = Arc::clone(self);
                tokio::spawn(async move { trips.say_with_reason(trip).await });
            }
            Some(trip) => self.told().say(&trip),
            None => {}
        }
    }

    /// The request of this id, or of an id that begins so.
    pub fn find(&self, id: &str) -> Found {
        let kept = self.kept();
        if let Some(trip) = kept.entries.get(id).and_then(Entry::whole) {
            return Found::One(Box::new(trip));
        }
        if id.len() < SHORT_ID {
            return Found::None;
        }
        let entries = kept.entries.iter();
        let alike = entries.filter(|(known, _)| known.starts_with(id));
        let mut trips = alike.filter_map(|(_, entry)| entry.whole());
        match (trips.next(), trips.next()) {
            (Some(trip), None) => Found::One(Box::new(trip)),
            (Some(_), Some(_)) => Found::Several,
            (None, _) => Found::None,
        }
    }

    /// Has what the authorizer was asked gone through, as far as there is time for it.
    pub(crate) fn check(&self, function: &str, request_id: &str, event: Bytes) {
        if let Some(shown) = &self.shown {
            let _ = shown.to_check.try_send(ToCheck {
                function: function.to_owned(),
                request_id: request_id.to_owned(),
                event,
            });
        }
    }

    /// Keeps the checks that the authorizer makes of a request.
    pub fn keep_checks(&self, request_id: &str, checks: Vec<CheckMade>) {
        let mut kept = self.kept();
        let Some(entry) = kept.entries.get_mut(request_id) else {
            return;
        };
        let size: usize = checks.iter().map(CheckMade::bytes).sum();
        entry.checks = Some(checks);
        entry.bytes += size;
        kept.bytes += size;
        kept.shrink();
    }

    /// All that is kept of the request of this id.
    #[must_use]
    pub fn whole(&self, id: &str) -> Option<Whole> {
        let kept = self.kept();
        let entry = kept.entries.get(id)?;
        Some(Whole {
            trip: entry.whole()?,
            papers: entry.papers.clone(),
            checks: entry.checks.clone(),
        })
    }

    /// The latest requests that fit and have changed since, the newest first, and what to ask with next time.
    #[must_use]
    pub fn latest(
        &self,
        since: u64,
        limit: usize,
        fits: impl Fn(&Trip) -> bool,
    ) -> (Vec<Trip>, u64) {
        let kept = self.kept();
        let entries = kept.order.iter().rev();
        let entries = entries.filter_map(|id| kept.entries.get(id));
        let entries = entries
            .filter(|entry| entry.changed > since && entry.trip.as_ref().is_some_and(&fits))
            .take(limit);
        let trips = entries.filter_map(Entry::told).collect();
        (trips, kept.changes)
    }

    /// Figures of all requests since the start.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.kept().figures.clone()
    }

    /// Says the line of a refusal once the authorizer has said why, or after a moment without.
    async fn say_with_reason(&self, trip: Trip) {
        let reason = async {
            loop {
                let reason = self.kept().reason(&trip.request_id);
                if reason.is_some() {
                    return reason;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let reason = tokio::time::timeout(PATIENCE, reason).await;
        let answered = || {
            let step = trip.authorizer.as_ref()?;
            let error = step.error.as_ref()?;
            Some(format!("{} answered: {error}", step.function))
        };
        let reason = reason.ok().flatten().or_else(answered);
        self.told().say(&Trip { reason, ..trip });
    }

    fn told(&self) -> RwLockReadGuard<'_, Watcher> {
        self.told.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No code panics while it holds the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn entry(&mut self, id: &str) -> &mut Entry {
        if !self.entries.contains_key(id) {
            self.order.push_back(id.to_owned());
        }
        self.entries.entry(id.to_owned()).or_default()
    }

    fn reason(&self, id: &str) -> Option<String> {
        let decision = self.entries.get(id)?.decision.as_ref()?;
        Some(decision.to_string())
    }

    fn shrink(&mut self) {
        while self.order.len() > MAX_TRIPS || self.bytes > MAX_OF_ALL {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let removed = self.entries.remove(&oldest);
            self.bytes -= removed.map_or(0, |entry| entry.bytes);
        }
    }
}

impl Entry {
    /// The request, if it is answered, with what is known of it by now.
    fn whole(&self) -> Option<Trip> {
        let mut trip = self.told()?;
        trip.lines.clone_from(&self.lines);
        Some(trip)
    }

    /// The same without what functions wrote.
    fn told(&self) -> Option<Trip> {
        let mut trip = self.trip.clone()?;
        if trip.lacks_reason() {
            trip.reason = self.decision.as_ref().map(ToString::to_string);
        }
        Some(trip)
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(formatter, "{detail} ({})", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

#[cfg(test)]
mod tests;
