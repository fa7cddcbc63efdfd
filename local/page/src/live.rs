//! What has changed since, as server-sent events: a few a second at most, however many requests come.
//! Nothing is kept for a slow reader: it is told of the latest once it reads on, and of a change of the
//! template that it must reload.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, stream};
use maud::html;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::look::Look;
use super::requests::{Filter, LISTED, row};
use super::stage::Stage;
use super::{latency, plans};

/// How often they are told.
const BEAT: Duration = Duration::from_millis(300);

/// How often readers are written to where there is nothing new. Who has gone is found out by writing only:
/// the connections are those of clients who may have said everything and listen on.
const ALIVE: Duration = Duration::from_secs(1);

/// What a page shows.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    /// What it has seen already.
    #[serde(default)]
    since: u64,
    /// How many gauges it has.
    #[serde(default)]
    gauges: usize,
    #[serde(flatten)]
    filter: Filter,
}

/// One that looks on.
struct Reader {
    look: Look,
    shown: Shown,
    beat: Interval,
    stage: Arc<Stage>,
    latency: String,
    plans: String,
    _place: OwnedSemaphorePermit,
}

/// The events of a page.
pub(super) async fn events(State(look): State<Look>, Query(shown): Query<Shown>) -> Response {
    let Ok(place) = Arc::clone(&look.readers).try_acquire_owned() else {
        let words = "so many pages look on that no more are told; reload to see what is new";
        return (StatusCode::SERVICE_UNAVAILABLE, words).into_response();
    };
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader {
        stage: look.stage(),
        look,
        shown,
        beat,
        latency: String::new(),
        plans: String::new(),
        _place: place,
    };
    Sse::new(follow(reader))
        .keep_alive(KeepAlive::new().interval(ALIVE))
        .into_response()
}

fn follow(reader: Reader) -> impl Stream<Item = Result<Event, Infallible>> {
    let batches = stream::unfold(reader, |mut reader| async move {
        loop {
            reader.beat.tick().await;
            let batch = reader.news();
            if !batch.is_empty() {
                return Some((batch, reader));
            }
        }
    });
    let events = futures_util::StreamExt::flat_map(batches, stream::iter);
    futures_util::StreamExt::map(events, Ok)
}

impl Reader {
    /// What is new since the last beat.
    fn news(&mut self) -> Vec<Event> {
        let look = &self.look;
        let stage = look.stage();
        if !Arc::ptr_eq(&stage, &self.stage) {
            self.stage = stage;
            return event("reload", &"the template has changed")
                .into_iter()
                .collect();
        }
        let mut news = Vec::new();
        let Shown { since, filter, .. } = &self.shown;
        let (trips, now) = look.trips.latest(*since, LISTED, |trip| filter.fits(trip));
        if now != *since {
            let rows = html! { @for trip in &trips { (row(trip)) } }.into_string();
            if !trips.is_empty() {
                news.extend(event("rows", &rows));
            }
            let drawn = latency::content(&look.trips.figures()).into_string();
            if drawn != self.latency {
                news.extend(event("latency", &drawn));
                self.latency = drawn;
            }
            self.shown.since = now;
        }
        let limit = self.shown.gauges.min(plans::ALONE);
        let drawn = plans::content(&look.controls.current(), limit).into_string();
        if drawn != self.plans {
            news.extend(event("plans", &drawn));
            self.plans = drawn;
        }
        news
    }
}

/// As JSON, so that no text within ends it.
fn event(name: &str, data: &impl serde::Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}
