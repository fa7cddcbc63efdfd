//! What all views have around them.

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, html};

use super::stage::Stage;

/// A view by its address below the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Requests,
    Plans,
    Routes,
    Send,
    /// One of the views' own pages, such as a trip.
    Below,
}

const NAVIGATION: [(View, &str, &str); 4] = [
    (View::Requests, "./", "Requests"),
    (View::Plans, "plans", "Usage plans"),
    (View::Routes, "routes", "Routes"),
    (View::Send, "send", "Send a request"),
];

/// A whole page. `live` is the address of its events, where it has any.
pub(super) fn page(
    view: View,
    title: &str,
    stage: &Stage,
    live: Option<&str>,
    main: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (seen(title)) " · Keygate" }
                link rel="stylesheet" href="page.css";
                link rel="icon" href="icon.svg" type="image/svg+xml";
                @if live.is_some() { script src="page.js" defer {} }
            }
            body data-live=[live] {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    div.brand {
                        img src="icon.svg" alt="" width="28" height="28";
                        span.name { "Keygate" }
                        span.stage { (seen(&stage.url)) }
                    }
                    nav aria-label="Views" {
                        ul {
                            @for (of, address, name) in NAVIGATION {
                                li {
                                    a href=(address) aria-current=[(of == view).then_some("page")] { (name) }
                                }
                            }
                        }
                    }
                }
                main id="main" tabindex="-1" { (main) }
                footer {
                    p {
                        "This machine only. Credentials are struck out where they are kept. "
                        "The latest " (keygate_gateway::trips::MAX_TRIPS) " requests are remembered."
                    }
                }
            }
        }
    }
}

/// A text of a client's or function's, in which nothing is invisible.
pub(super) fn seen(text: &str) -> Cow<'_, str> {
    keygate_visible::line(text)
}

/// The class of an answer's status, by which it is coloured.
pub(super) fn tone(status: u16) -> &'static str {
    match status {
        ..300 => "good",
        300..400 => "calm",
        400..500 => "warn",
        _ => "bad",
    }
}

/// A status, as it is shown everywhere.
pub(super) fn status(status: u16) -> Markup {
    html! { span class=(format!("status {}", tone(status))) { (status) } }
}
