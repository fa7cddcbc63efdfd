//! The latest requests, each with what its functions wrote: what `keygate why` and whoever looks on are
//! told. Bounded by number and by size; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::trip::{LogLine, Trip};
use crate::watcher::Watcher;

/// How much of a request's id is shown, and may stand for the whole.
pub const SHORT_ID: usize = 8;
/// How many requests are kept.
pub const MAX_TRIPS: usize = 1000;
/// How many bytes of functions' lines are kept of one request, and of all.
const MAX_OF_ONE: usize = 64 * 1024;
const MAX_OF_ALL: usize = 16 * 1024 * 1024;
/// How long a request's line waits for the authorizer's, which comes by another way than its answer.
const PATIENCE: Duration = Duration::from_millis(250);
const PAUSE: Duration = Duration::from_millis(5);

/// The latest requests.
#[derive(Debug)]
pub struct Trips {
    kept: Mutex<Kept>,
    told: Watcher,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<String, Entry>,
    /// The ids, the oldest first.
    order: VecDeque<String>,
    /// Of all lines.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Entry {
    trip: Option<Trip>,
    lines: Vec<LogLine>,
    bytes: usize,
    decision: Option<Decision>,
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
            told,
        }
    }

    /// Keeps a line that a function wrote for a request.
    pub fn note(&self, request_id: &str, function: &str, line: &str) {
        let mut kept = self.kept();
        let entry = kept.entry(request_id);
        if line.starts_with('{') && line.contains("\"decision\"") {
            entry.decision = serde_json::from_str(line).ok().or(entry.decision.take());
        }
        if entry.bytes + line.len() > MAX_OF_ONE {
            return;
        }
        entry.bytes += line.len();
        entry.lines.push(LogLine {
            function: function.to_owned(),
            line: line.to_owned(),
        });
        kept.bytes += line.len();
        kept.shrink();
    }

    /// Keeps a request that is answered, and says its line.
    pub fn finish(self: &Arc<Self>, trip: Trip) {
        let id = trip.request_id.clone();
        let must_wait = trip.lacks_reason();
        let mut kept = self.kept();
        let entry = kept.entry(&id);
        entry.trip = Some(trip);
        let told = self.told.is_read().then(|| entry.whole()).flatten();
        kept.shrink();
        drop(kept);
        match told {
            Some(trip) if must_wait && trip.reason.is_none() => {
                let trips = Arc::clone(self);
                tokio::spawn(async move { trips.say_with_reason(trip).await });
            }
            Some(trip) => self.told.say(&trip),
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
        self.told.say(&Trip { reason, ..trip });
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
        let mut trip = self.trip.clone()?;
        trip.lines.clone_from(&self.lines);
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
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::trip::AuthorizerStep;

    fn trip(id: &str) -> Trip {
        Trip {
            request_id: id.to_owned(),
            received: "2026-11-26T01:27:01Z".parse().unwrap(),
            method: "GET".to_owned(),
            path: "/dev/books".to_owned(),
            route: None,
            status: 401,
            error_type: None,
            reason: None,
            milliseconds: 1.0,
            authorizer: Some(AuthorizerStep {
                function: "Authorizer".to_owned(),
                milliseconds: 1.0,
                is_called: true,
                error: Some("Unauthorized".to_owned()),
            }),
            plan: None,
            handler: None,
            caller: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    fn trips() -> Arc<Trips> {
        Arc::new(Trips::new(Watcher::none()))
    }

    #[test]
    fn the_reason_is_the_authorizers_whichever_of_the_two_comes_first() {
        let line = r#"{"decision":"unauthorized","reason":"token-expired","detail":"it is over","request_id":"a"}"#;
        for line_is_first in [true, false] {
            let trips = trips();
            if line_is_first {
                trips.note("a", "Authorizer", line);
            }
            trips.finish(trip("a"));
            trips.note("a", "Authorizer", line);
            let Found::One(found) = trips.find("a") else {
                panic!("it is not kept");
            };
            assert_eq!(found.reason.as_deref(), Some("it is over (token-expired)"));
        }
    }

    #[test]
    fn an_id_may_be_cut_short_where_it_is_the_only_one() {
        let trips = trips();
        trips.finish(trip("12345678-a"));
        trips.finish(trip("12345678-b"));
        trips.finish(trip("abcdefgh-c"));
        assert_eq!(trips.find("12345678"), Found::Several);
        assert!(matches!(trips.find("12345678-a"), Found::One(_)));
        assert!(matches!(trips.find("abcdefgh"), Found::One(_)));
        assert_eq!(trips.find("abc"), Found::None);
        assert_eq!(trips.find("no-such-request"), Found::None);
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_go_first() {
        let trips = trips();
        let line = "x".repeat(MAX_OF_ONE / 2);
        for number in 0..2 * MAX_TRIPS {
            let id = number.to_string();
            for _ in 0..3 {
                trips.note(&id, "Handler", &line);
            }
            trips.finish(trip(&id));
        }
        let kept = trips.kept();
        assert!(kept.bytes <= MAX_OF_ALL && kept.bytes > MAX_OF_ALL / 2);
        assert_eq!(kept.entries.len(), kept.order.len());
        drop(kept);
        assert_eq!(trips.find("0"), Found::None);
        let last = (2 * MAX_TRIPS - 1).to_string();
        let Found::One(found) = trips.find(&last) else {
            panic!("the last one is gone");
        };
        assert_eq!(found.lines.len(), 2);
    }
}
