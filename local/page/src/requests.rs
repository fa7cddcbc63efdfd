//! The list of requests, the newest first.

use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{seen, status};
use super::stage::Stage;
use keygate_gateway::struck::strike_forms;
use keygate_gateway::trip::{Trip, shown};

/// How many requests are listed.
pub(super) const LISTED: usize = 100;

/// Which requests are shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// The first digit of the status.
    status: String,
    /// The resource, or `-` for requests that no route serves.
    route: String,
}

const NO_ROUTE: &str = "-";

impl Filter {
    pub(super) fn fits(&self, trip: &Trip) -> bool {
        let status = trip.status.to_string();
        let route = trip.route.as_deref().unwrap_or(NO_ROUTE);
        status.starts_with(&self.status) && (self.route.is_empty() || self.route == route)
    }

    fn is_set(&self) -> bool {
        !self.status.is_empty() || !self.route.is_empty()
    }

    /// The same as a query.
    pub(super) fn query(&self) -> String {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        format!(
            "status={}&route={}",
            encode(&self.status),
            encode(&self.route)
        )
    }
}

/// The list with its filter.
pub(super) fn section(trips: &[Trip], filter: &Filter, stage: &Stage) -> Markup {
    html! {
        section.requests aria-labelledby="requests-title" {
            div.heading {
                h1 id="requests-title" { "Requests" }
                p.live role="status" id="live" { "Reload to see what has come since." }
                button type="button" id="pause" hidden { "Pause" }
            }
            (form(filter, stage))
            div.scroll tabindex="0" role="region" aria-label="The list" {
                table id="list" data-listed=(LISTED) {
                    caption.unseen { "The latest requests, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th scope="col" { "Status" }
                            th scope="col" { "Request" }
                            th scope="col" { "Caller" }
                            th scope="col" { "What became of it" }
                            th.number scope="col" { "Took" }
                        }
                    }
                    tbody id="rows" { @for trip in trips { (row(trip)) } }
                }
            }
            p.empty id="empty" hidden[!trips.is_empty()] {
                @if filter.is_set() { "No request that is remembered fits." }
                @else { "No request has come yet. " a href="send" { "Send one" } "." }
            }
        }
    }
}

/// One request.
pub(super) fn row(trip: &Trip) -> Markup {
    let time = trip.received.strftime("%H:%M:%S").to_string();
    let path = strike_forms(&trip.path);
    html! {
        tr id={ "r-" (trip.request_id) } {
            td { time datetime=(trip.received) { (time) } }
            td { (status(trip.status)) }
            th scope="row" {
                a href={ "trip?id=" (trip.request_id) } {
                    span.method { (seen(&trip.method)) } " " span.path { (seen(&path)) }
                }
            }
            td { (seen(trip.principal().unwrap_or("–"))) }
            td.became { (became(trip)) }
            td.number { (shown(trip.milliseconds)) }
        }
    }
}

/// The reason of a refusal, or who has answered.
fn became(trip: &Trip) -> Markup {
    let authorizer = trip.authorizer.as_ref();
    let is_hit = authorizer.is_some_and(|step| step.answered_in.is_some());
    html! {
        @match (&trip.reason, &trip.handler) {
            (Some(reason), _) => { (seen(reason)) }
            (None, Some(handler)) => { (seen(&handler.function)) " answered" }
            (None, None) => { (seen(trip.error_type.as_deref().unwrap_or("answered by the gateway"))) }
        }
        @if is_hit { " " span.chip { "cache hit" } }
    }
}

fn form(filter: &Filter, stage: &Stage) -> Markup {
    let classes = [
        ("", "Any status"),
        ("2", "2xx, served"),
        ("3", "3xx, elsewhere"),
        ("4", "4xx, refused"),
        ("5", "5xx, failed"),
    ];
    let mut paths: Vec<&str> = stage.routes.iter().map(|route| &*route.path).collect();
    paths.dedup();
    html! {
        form.filter method="get" action="./" {
            label {
                span { "Status" }
                select name="status" {
                    @for (value, name) in classes {
                        option value=(value) selected[filter.status == value] { (name) }
                    }
                }
            }
            label {
                span { "Route" }
                select name="route" {
                    option value="" selected[filter.route.is_empty()] { "Any route" }
                    @for path in paths {
                        option value=(path) selected[filter.route == path] { (seen(path)) }
                    }
                    option value=(NO_ROUTE) selected[filter.route == NO_ROUTE] { "No route" }
                }
            }
            button type="submit" { "Show" }
            @if filter.is_set() { a href="./" { "Show all" } }
        }
    }
}
