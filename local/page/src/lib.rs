//! A page to look at: the requests as they come, each with its trip, what is left of usage plans, how long
//! requests take, the routes, and a form that sends a request. It reads what the gateway keeps and tells,
//! and the gateway knows nothing of it.
//!
//! It is written by the server. Without its script it shows the same, and is reloaded by hand.

mod form;
mod guard;
mod latency;
mod layout;
mod live;
mod look;
mod metrics;
mod plans;
mod requests;
mod routes;
mod stage;
#[cfg(test)]
mod tests;
mod trip;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use jiff::Timestamp;
use keygate_connection::{Malformed, Room, serve_router};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::net::TcpListener;

use self::form::{Filled, Sent};
pub use self::guard::{Link, NoLink};
use self::layout::{View, page};
pub use self::look::Look;
use self::requests::{Filter, LISTED};
pub use self::stage::{RouteShown, Stage};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ICON: &str = include_str!("icon.svg");
/// How old a request is before its trip is told: lines and checks come a moment behind the answer.
const AGE: Duration = Duration::from_millis(300);

/// Serves the page until the task is dropped.
pub async fn serve(listener: TcpListener, room: Room, link: Arc<Link>, look: Look) {
    serve_router(listener, &room, router(link, look), unreadable).await;
}

/// What is answered in the place of a request that cannot be read.
fn unreadable(malformed: Malformed) -> Response {
    (malformed.status(), malformed.reason()).into_response()
}

fn router(link: Arc<Link>, look: Look) -> Router {
    let views = Router::new()
        .route("/", get(list))
        .route("/trip", get(one))
        .route("/plans", get(all_plans))
        .route("/routes", get(all_routes))
        .route("/send", get(fill).post(send))
        .route("/live", get(live::events))
        .route("/page.css", get(asset("text/css; charset=utf-8", STYLE)))
        .route(
            "/page.js",
            get(asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route("/icon.svg", get(asset("image/svg+xml", ICON)));
    Router::new()
        .nest("/{link}/", views)
        .route(guard::METRICS, get(scrape))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is no such page.") })
        .layer(middleware::from_fn_with_state(link, guard::guard))
        .with_state(look)
}

/// A file that is the same for everybody.
fn asset(
    kind: &'static str,
    text: &'static str,
) -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, kind)], text)
}

fn shown(page: Markup) -> Html<String> {
    Html(page.into_string())
}

async fn list(State(look): State<Look>, Query(filter): Query<Filter>) -> Html<String> {
    let stage = look.stage();
    let (trips, since) = look.trips.latest(0, LISTED, |trip| filter.fits(trip));
    let content = html! {
        div.beside {
            (requests::section(&trips, &filter, &stage))
            aside aria-label="Figures" {
                (latency::section(&look.trips.figures()))
                (plans::section(&look.controls.current()))
            }
        }
    };
    let live = format!(
        "live?since={since}&gauges={}&{}",
        plans::BESIDE,
        filter.query()
    );
    shown(page(
        View::Requests,
        "Requests",
        &stage,
        Some(&live),
        &content,
    ))
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    id: String,
    sent: Option<String>,
}

async fn one(State(look): State<Look>, Query(asked): Query<Asked>) -> Response {
    if let Some(whole) = look.trips.whole(&asked.id) {
        let age = Timestamp::now().duration_since(whole.trip.received);
        let age = age.unsigned_abs();
        tokio::time::sleep(AGE.saturating_sub(age)).await;
    }
    let stage = look.stage();
    let Some(whole) = look.trips.whole(&asked.id) else {
        let content = html! {
            section aria-labelledby="gone" {
                h1 id="gone" { "No such request" }
                p.lead { "It is unknown, or so many have come since that it is forgotten." }
                p { a href="./" { "All requests" } }
            }
        };
        let page = page(View::Below, "No such request", &stage, None, &content);
        return (StatusCode::NOT_FOUND, shown(page)).into_response();
    };
    let whole = look.with_former_checks(whole);
    let title = format!("{} {}", whole.trip.status, whole.trip.method);
    let content = trip::view(&whole, asked.sent.is_some());
    shown(page(View::Below, &title, &stage, None, &content)).into_response()
}

async fn all_plans(State(look): State<Look>) -> Html<String> {
    let content = plans::view(&look.controls.current());
    let live = format!("live?gauges={}&status=none", plans::ALONE);
    shown(page(
        View::Plans,
        "Usage plans",
        &look.stage(),
        Some(&live),
        &content,
    ))
}

async fn all_routes(State(look): State<Look>) -> Html<String> {
    let stage = look.stage();
    shown(page(
        View::Routes,
        "Routes",
        &stage,
        None,
        &routes::view(&stage),
    ))
}

async fn fill(State(look): State<Look>, Query(filled): Query<Filled>) -> Html<String> {
    let stage = look.stage();
    let content = form::view(&filled, None, &stage, &look.controls.current());
    shown(page(View::Send, "Send a request", &stage, None, &content))
}

async fn send(State(look): State<Look>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let (stage, control) = (look.stage(), look.controls.current());
    let sent = Sent::of(fields);
    let outcome = match look.sender.as_ref() {
        Some(sender) => sender.send(&sent, &stage, &control).await,
        None => Err(form::NotSent::Gateway("there is no client".to_owned())),
    };
    match outcome {
        Ok(id) => Redirect::to(&format!("trip?id={id}&sent=1")).into_response(),
        Err(wrong) => {
            let content = form::view(&sent.filled(), Some(&wrong), &stage, &control);
            let page = page(View::Send, "Not sent", &stage, None, &content);
            (StatusCode::BAD_REQUEST, shown(page)).into_response()
        }
    }
}

async fn scrape(State(look): State<Look>) -> impl IntoResponse {
    let text = metrics::text(&look.trips.figures());
    ([(header::CONTENT_TYPE, metrics::TYPE)], text)
}
