//! The routes, with who may call each.

use maud::{Markup, html};

use super::layout::seen;
use super::stage::{RouteShown, Stage};

/// All of them.
pub(super) fn view(stage: &Stage) -> Markup {
    html! {
        section aria-labelledby="routes-title" {
            div.heading { h1 id="routes-title" { "Routes" } }
            p.lead { "What the stage serves, and which credential opens it. What is not listed is closed." }
            div.scroll tabindex="0" role="region" aria-label="The list" {
                table {
                    caption.unseen { "Routes, with who may call them" }
                    thead {
                        tr {
                            th scope="col" { "Route" }
                            th scope="col" { "Who may call it" }
                            th scope="col" { "Answered by" }
                            th scope="col" { span.unseen { "Actions" } }
                        }
                    }
                    tbody { @for route in &stage.routes { (row(route)) } }
                }
            }
        }
    }
}

fn row(route: &RouteShown) -> Markup {
    let RouteShown {
        method,
        path,
        opens,
        is_public,
        function,
    } = route;
    html! {
        tr {
            th scope="row" { span.method { (seen(method)) } " " span.path { (seen(path)) } }
            td {
                @if *is_public { span.chip.open { "public" } @if opens != "public" { " " (seen(opens)) } }
                @else { (seen(opens)) }
            }
            td { (function.as_deref().map_or("the gateway".into(), seen)) }
            td.links {
                a href={ "./?route=" (encoded(path)) } aria-label={ "Requests on " (seen(method)) " " (seen(path)) } { "Requests" }
                " "
                a href={ "send?method=" (encoded(method)) "&path=" (encoded(path)) }
                    aria-label={ "Send a request to " (seen(method)) " " (seen(path)) } { "Send" }
            }
        }
    }
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
