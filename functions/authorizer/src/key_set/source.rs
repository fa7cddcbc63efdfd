//! Keeps one issuer's key set: one fetch at a time for however many wait, fetched anew before it
//! is too old, and the last good one served while the issuer fails.
//!
//! A fetch is a task of its own, so that a request that gives up waiting does not end it for the
//! others. Between two invocations Lambda freezes the process, and a fetch that was under way ends
//! at its time limit after the thaw; the next attempt is then a fresh one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keygate_metrics::{Count, Metrics};
use keygate_outbound::Outbound;
use tokio::sync::watch;
use tracing::Level;
use tracing::field::display;

use super::discovery;
use super::fetch::{FetchError, Fetcher};
use super::left_out::Reported;
use super::set::{KeySet, KeySetError};
use crate::issuer::Issuer;
use crate::trusted_url::TrustedUrl;

/// How long discovery and key set together may take: it leaves time to answer within five seconds.
const FETCH_LIMIT: Duration = Duration::from_secs(3);
/// The bounds within which an issuer's `max-age` is honoured.
const MIN_AGE: Duration = Duration::from_mins(5);
const MAX_AGE: Duration = Duration::from_hours(24);
/// The age at which a set is fetched anew when the issuer says nothing.
const DEFAULT_AGE: Duration = Duration::from_mins(15);
/// How long after it was due the last good set goes on being served while the issuer fails.
const LAST_GOOD: Duration = Duration::from_hours(24);
/// The least time between two fetches for an unknown `kid`, and after a failure while there is a set
/// to go on with.
const INTERVAL: Duration = Duration::from_secs(30);
/// The same after repeated failures while there is none. The first failure has no such pause, so
/// that a request tries again what failed while the function started.
const INTERVAL_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// An issuer's keys cannot be had now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the issuer's key set cannot be had: {0}")]
pub(crate) struct KeySetUnavailable(FetchError);

/// The key set of one issuer. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct KeySetSource(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    issuer: Issuer,
    fetcher: Fetcher,
    metrics: Metrics,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Where the keys were found, until a fetch from there fails.
    url: Option<TrustedUrl>,
    /// The fetch under way: closed when it is over.
    under_way: Option<watch::Receiver<()>>,
    last_attempt: Option<Instant>,
    /// The last attempt for an unknown `kid`.
    last_refetch: Option<Instant>,
    failures: u32,
    last_error: Option<FetchError>,
    /// The keys of the issuer's that were left out and logged.
    reported: Reported,
}

#[derive(Debug, Clone)]
struct Held {
    keys: Arc<KeySet>,
    /// From here on a fetch is started, and nobody waits for it.
    refresh_at: Instant,
    /// From here on requests wait for that fetch.
    due_at: Instant,
    /// From here on the set is not used, whatever the issuer does.
    drop_at: Instant,
}

impl Held {
    fn new(keys: KeySet, max_age: Option<Duration>, now: Instant) -> Self {
        let age = max_age.unwrap_or(DEFAULT_AGE).clamp(MIN_AGE, MAX_AGE);
        Self {
            keys: Arc::new(keys),
            refresh_at: now + age.mul_f32(0.8),
            due_at: now + age,
            drop_at: now + age + LAST_GOOD,
        }
    }
}

impl KeySetSource {
    pub(crate) fn new(issuer: Issuer, outbound: Outbound, metrics: Metrics) -> Self {
        Self(Arc::new(Shared {
            issuer,
            fetcher: Fetcher::new(outbound),
            metrics,
            state: Mutex::default(),
        }))
    }

    /// Starts from a set that needed no network. Whoever asks first has it fetched anew, without
    /// waiting.
    pub(crate) fn seed(&self, keys: KeySet) {
        let now = Instant::now();
        let mut state = self.0.state();
        state.reported.report(&self.0.issuer.iss, keys.left_out());
        state.held = Some(Held {
            refresh_at: now,
            ..Held::new(keys, None, now)
        });
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The keys to verify with now.
    pub(crate) async fn keys(&self) -> Result<Arc<KeySet>, KeySetUnavailable> {
        let now = Instant::now();
        let wait = {
            let mut state = self.0.state();
            let held = state.held.clone().filter(|held| now < held.drop_at);
            let is_new_enough = held.as_ref().is_some_and(|held| now < held.refresh_at);
            if !is_new_enough && state.may_fetch(now, held.is_some()) {
                self.start_fetch(&mut state, now);
            }
            match held {
                Some(held) if now < held.due_at => return Ok(held.keys),
                _ => state.under_way.clone(),
            }
        };
        over(wait).await;
        let state = self.0.state();
        match &state.held {
            Some(held) if now < held.drop_at => Ok(Arc::clone(&held.keys)),
            _ => Err(state.unavailable()),
        }
    }

    /// The keys after a `kid` that `seen` lacks: fetched anew, unless that was done for such a `kid`
    /// a moment ago. A fetch for another reason does not count: the issuer may have changed its keys
    /// since.
    pub(crate) async fn keys_after(
        &self,
        seen: &Arc<KeySet>,
    ) -> Result<Arc<KeySet>, KeySetUnavailable> {
        let now = Instant::now();
        let wait = {
            let mut state = self.0.state();
            let refetched_lately = state
                .last_refetch
                .is_some_and(|refetch| now.duration_since(refetch) < INTERVAL);
            if state.under_way().is_none() && !refetched_lately {
                state.last_refetch = Some(now);
                self.start_fetch(&mut state, now);
            }
            state.under_way.clone()
        };
        over(wait).await;
        let state = self.0.state();
        match &state.held {
            // A key that is not in the issuer's latest answer is the token's fault; while there is
            // no such answer, nobody can tell.
            Some(held) if state.failures == 0 => Ok(Arc::clone(&held.keys)),
            Some(held) if !Arc::ptr_eq(&held.keys, seen) => Ok(Arc::clone(&held.keys)),
            _ => Err(state.unavailable()),
        }
    }

    fn start_fetch(&self, state: &mut State, now: Instant) {
        let (over, under_way) = watch::channel(());
        state.under_way = Some(under_way);
        state.last_attempt = Some(now);
        let shared = Arc::clone(&self.0);
        let known_url = state.url.clone();
        tokio::spawn(async move {
            let was_known = known_url.is_some();
            let fetched = tokio::time::timeout(FETCH_LIMIT, shared.fetch(known_url)).await;
            shared.settle(fetched.unwrap_or(Err(FetchError::TimedOut)), was_known);
            drop(over);
        });
    }
}

/// Waits until a fetch is over.
async fn over(fetch: Option<watch::Receiver<()>>) {
    if let Some(mut fetch) = fetch {
        // Nothing is ever sent: the channel closes, also when the fetch panics.
        let _ = fetch.changed().await;
    }
}

struct Fetched {
    keys: KeySet,
    max_age: Option<Duration>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is whole after each step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, known_url: Option<TrustedUrl>) -> Result<Fetched, FetchError> {
        let url = if let Some(url) = known_url {
            url
        } else {
            let url = discovery::key_set_url(&self.issuer, &self.fetcher).await?;
            // Kept when the time is over before the keys are there: the next attempt goes on from
            // here.
            self.state().url = Some(url.clone());
            url
        };
        let document = self.fetcher.get(url.as_url()).await?;
        let keys = KeySet::parse(&document.body).map_err(FetchError::KeySet)?;
        Ok(Fetched {
            keys,
            max_age: document.max_age,
        })
    }

    /// Takes a fetch's outcome; `was_known` is whether the address was one of before.
    fn settle(&self, fetched: Result<Fetched, FetchError>, was_known: bool) {
        let issuer = self.issuer.iss.as_str();
        let (level, outcome) = match &fetched {
            Ok(_) => (Level::INFO, "ok"),
            Err(_) => (Level::WARN, "failed"),
        };
        let counts = [Count {
            dimensions: &[("Outcome", outcome)],
            name: "KeySetFetches",
            value: 1,
        }];
        let metrics = self.metrics.beside(level, &counts).map(display);
        let mut state = self.state();
        match fetched {
            Ok(fetched) => {
                state.reported.report(issuer, fetched.keys.left_out());
                let keys = fetched.keys.len();
                tracing::info!(issuer, keys, metrics, "key set fetched");
                state.held = Some(Held::new(fetched.keys, fetched.max_age, Instant::now()));
                state.failures = 0;
                state.last_error = None;
            }
            Err(error) => {
                if let FetchError::KeySet(KeySetError::NoneUsable(left_out)) = &error {
                    state.reported.report(issuer, left_out);
                }
                let serving_last_good = state.held.is_some();
                tracing::warn!(issuer, %error, serving_last_good, metrics, "key set not fetched");
                if was_known {
                    state.url = None;
                }
                state.failures = state.failures.saturating_add(1);
                state.last_error = Some(error);
            }
        }
    }
}

impl State {
    fn under_way(&self) -> Option<&watch::Receiver<()>> {
        self.under_way
            .as_ref()
            .filter(|fetch| fetch.has_changed().is_ok())
    }

    /// Whether a fetch that is due may start.
    fn may_fetch(&self, now: Instant, has_keys: bool) -> bool {
        let pause = match (self.failures, has_keys) {
            (0, _) | (1, false) => Duration::ZERO,
            (_, true) => INTERVAL,
            (_, false) => INTERVAL_WITHOUT_KEYS,
        };
        let rested = self
            .last_attempt
            .is_none_or(|attempt| now.duration_since(attempt) >= pause);
        self.under_way().is_none() && rested
    }

    fn unavailable(&self) -> KeySetUnavailable {
        let error = self.last_error.clone();
        KeySetUnavailable(error.unwrap_or(FetchError::Unreachable))
    }
}

#[cfg(test)]
mod tests;
