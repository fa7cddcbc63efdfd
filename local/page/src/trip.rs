//! One request's way through the gateway, step by step.

use maud::{Markup, html};

use super::layout::{seen, status, tone};
use super::plans::{quota_said, tokens_said};
use keygate_gateway::papers::{Answer, Papers};
use keygate_gateway::struck::strike_forms;
use keygate_gateway::trip::{
    AuthorizerStep, CALLER, CheckMade, CheckState, HandlerStep, LogLine, PlanStep, Trip, shown,
};
use keygate_gateway::trips::Whole;

/// All that is kept of a request. `was_sent` is whether the page's own form has just sent it.
pub(super) fn view(whole: &Whole, was_sent: bool) -> Markup {
    let trip = &whole.trip;
    html! {
        article.trip aria-labelledby="trip-title" {
            p.back { a href="./" { "All requests" } }
            @if was_sent { p.sent role="status" { "Sent. This is what became of it." } }
            h1 id="trip-title" {
                (status(trip.status)) " "
                span.method { (seen(&trip.method)) } " "
                span.path { (seen(&strike_forms(&trip.path))) }
            }
            @if let Some(reason) = &trip.reason {
                p.reason.(tone(trip.status)) { (seen(reason)) }
            }
            (facts(trip))
            h2 { "Its way" }
            ol.way {
                (route(trip))
                @if let Some(step) = &trip.authorizer { (authorizer(step, whole)) }
                @if let Some(step) = &trip.plan { (plan(step)) }
                @if let Some(step) = &trip.handler { (handler(step, trip)) }
                (answered(trip))
            }
            (documents(whole.papers.as_ref()))
            (lines(&trip.lines))
        }
    }
}

fn facts(trip: &Trip) -> Markup {
    let received = trip.received.strftime("%F %T%.3f UTC").to_string();
    // Where both say it, one is enough.
    let has_principal = trip.caller.contains_key("principal");
    let names = CALLER
        .iter()
        .filter(|name| **name != "principalId" || !has_principal);
    let caller = names.filter_map(|name| Some((*name, trip.caller.get(*name)?)));
    html! {
        dl.facts {
            div { dt { "Request id" } dd { code { (trip.request_id) } } }
            div { dt { "Received" } dd { time datetime=(trip.received) { (received) } } }
            div { dt { "Took" } dd { (shown(trip.milliseconds)) } }
            @for (name, value) in caller {
                div { dt { (spaced(name)) } dd { (seen(value)) } }
            }
        }
    }
}

/// A member's name as a heading.
fn spaced(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A step, with its part of the time.
fn step(title: &str, took: Option<(f64, f64)>, is_bad: bool, content: &Markup) -> Markup {
    html! {
        li.step.bad[is_bad] {
            div.of {
                h3 { (title) }
                @if let Some((time, all)) = took { span.took { (shown(time)) } (part(time, all)) }
            }
            (content)
        }
    }
}

/// A bar: how much of the whole time this was.
fn part(time: f64, all: f64) -> Markup {
    let percent = if all > 0.0 {
        (time / all).clamp(0.01, 1.0) * 100.0
    } else {
        1.0
    };
    html! {
        svg.bar aria-hidden="true" width="100%" height="6" {
            rect.track width="100%" height="6" rx="3" {}
            rect.part width={ (percent.round()) "%" } height="6" rx="3" {}
        }
    }
}

fn route(trip: &Trip) -> Markup {
    let content = html! {
        @match &trip.route {
            Some(route) => p { "Served by " code { (seen(&trip.method)) " " (seen(route)) } "." },
            None => p { "No route of the stage serves it." },
        }
    };
    step("Route", None, trip.route.is_none(), &content)
}

fn authorizer(of: &AuthorizerStep, whole: &Whole) -> Markup {
    let trip = &whole.trip;
    let content = html! {
        p {
            code { (seen(&of.function)) } " "
            @match (of.is_called, &of.answered_in) {
                (true, _) => { "was called." },
                (false, Some(id)) => {
                    span.chip { "cache hit" } " Its answer was kept from "
                    a href={ "trip?id=" (id) } { "request " (id.chars().take(8).collect::<String>()) }
                    "."
                },
                (false, None) => { "was not called." },
            }
            @if let Some(error) = &of.error { " It answered: " (seen(error)) "." }
        }
        @match (&whole.checks, of.is_called) {
            (Some(checks), _) => (self::checks(checks, of.is_called)),
            (None, true) => p.note {
                "Its checks are not known: it is not Keygate's, or too many requests came at once."
            },
            (None, false) => {},
        }
    };
    let is_bad = of.error.is_some() || trip.error_type.as_deref() == Some("ACCESS_DENIED");
    let took = Some((of.milliseconds, trip.milliseconds));
    step("Authorizer", took, is_bad, &content)
}

fn checks(checks: &[CheckMade], is_called: bool) -> Markup {
    let made = checks
        .iter()
        .filter(|check| check.state == CheckState::Passed);
    let failed = checks
        .iter()
        .filter(|check| check.state == CheckState::Failed);
    let (made, failed) = (made.count(), failed.count());
    html! {
        details open[failed > 0] {
            summary {
                (made) " checks passed"
                @if failed > 0 { ", " (failed) " failed" }
                @if !is_called { ", when it was called" }
            }
            div.scroll tabindex="0" role="region" aria-label="Checks" {
                table.checks {
                    caption.unseen { "The authorizer's checks, in their order" }
                    thead {
                        tr {
                            th scope="col" { "Result" }
                            th scope="col" { "Check" }
                            th scope="col" { "Found" }
                            th scope="col" { "Expected" }
                        }
                    }
                    tbody { @for check in checks { (check_row(check)) } }
                }
            }
        }
    }
}

fn check_row(check: &CheckMade) -> Markup {
    let (class, word) = match check.state {
        CheckState::Passed => ("good", "passed"),
        CheckState::Failed => ("bad", "failed"),
        CheckState::NotMade => ("calm", "not made"),
    };
    let found = strike_forms(&check.found);
    html! {
        tr {
            td { span class=(format!("status {class}")) { (word) } }
            th scope="row" { (check.name) }
            td {
                (seen(&found))
                @if let Some((code, reason)) = &check.failure {
                    @if !found.is_empty() { br; }
                    strong { (seen(code)) } ": " (seen(&strike_forms(reason)))
                }
            }
            td { (check.expected.as_deref().map(seen).unwrap_or_default()) }
        }
    }
}

fn plan(of: &PlanStep) -> Markup {
    let content = html! {
        p {
            @match &of.usage_key_id {
                Some(id) => { "Counted for the usage key " code { (seen(id)) } "." },
                None => { "Not let through." },
            }
        }
        @if let Some(left) = &of.left {
            dl.facts {
                @if let Some(tokens) = &left.tokens {
                    div { dt { "Tokens left" } dd { (tokens_said(tokens)) } }
                }
                @if let Some(quota) = &left.quota {
                    div { dt { "Quota left" } dd { (quota_said(quota)) } }
                }
            }
        }
    };
    step("Usage plan", None, of.usage_key_id.is_none(), &content)
}

fn handler(of: &HandlerStep, trip: &Trip) -> Markup {
    let content = html! {
        p {
            code { (seen(&of.function)) } " "
            @match of.status {
                Some(answer) => { "answered " (status(answer)) },
                None => { "gave no answer that can be used" },
            }
            @if let Some(error) = &of.error { ": " (seen(&strike_forms(error))) }
            "."
        }
    };
    let is_bad = of.error.is_some() || of.status.is_some_and(|status| status >= 500);
    let took = Some((of.milliseconds, trip.milliseconds));
    step("Handler", took, is_bad, &content)
}

fn answered(trip: &Trip) -> Markup {
    let content = html! {
        p {
            "The client got " (status(trip.status))
            @if let Some(kind) = &trip.error_type { " as the gateway response " code { (seen(kind)) } }
            "."
        }
    };
    step("Answer", None, trip.status >= 500, &content)
}

fn documents(papers: Option<&Papers>) -> Markup {
    html! {
        h2 { "What was sent and answered" }
        @match papers {
            None => p.note {
                "The event and the answer are not kept: too many requests came at once."
            },
            Some(papers) => {
                @if let Some(event) = &papers.event { (document("The handler's event", event, false)) }
                @if let Some(event) = &papers.asked { (document("The authorizer's event", event, false)) }
                (answer(&papers.answer))
            }
        }
    }
}

fn document(title: &str, text: &str, is_open: bool) -> Markup {
    html! {
        details open[is_open] {
            summary { (title) }
            (block(title, text))
        }
    }
}

/// A text of several lines, which may be scrolled by the keyboard.
fn block(title: &str, text: &str) -> Markup {
    html! {
        pre tabindex="0" role="region" aria-label=(title) { code { (keygate_visible::lines(text)) } }
    }
}

fn answer(answer: &Answer) -> Markup {
    let head = answer.headers.iter();
    let head: Vec<String> = head
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    html! {
        details open {
            summary { "The answer" }
            (block("The answer's headers", &format!("{}\n{}", answer.status, head.join("\n"))))
            @if answer.body.is_empty() { p.note { "It has no body." } }
            @else { (block("The answer's body", &answer.body)) }
        }
    }
}

fn lines(lines: &[LogLine]) -> Markup {
    html! {
        h2 { "Log lines" }
        @if lines.is_empty() {
            p.note { "Its functions wrote none." }
        } @else {
            div.written tabindex="0" role="region" aria-label="Log lines" {
                ol.lines {
                    @for line in lines {
                        li { span.function { (seen(&line.function)) } " " code { (keygate_visible::lines(&line.line)) } }
                    }
                }
            }
        }
    }
}
