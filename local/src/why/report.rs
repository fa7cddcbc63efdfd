//! A request as it is read.

use std::fmt::Write as _;

use keygate_gateway::trip::{Trip, shown};
use serde::Serialize;

/// For a program.
pub(super) fn json(told: &impl Serialize) -> String {
    let text = serde_json::to_string(told).unwrap_or_default();
    format!("{}\n", keygate_visible::json(&text))
}

/// For a person: what became of it first, then why, then each step in order.
pub(super) fn text(trip: &Trip) -> String {
    let kind = trip.error_type.as_ref();
    let kind = kind.map_or_else(String::new, |kind| format!(" ({kind})"));
    let outcome = format!(
        "{} {} was answered {}{kind} in {}",
        trip.method,
        trip.path,
        trip.status,
        shown(trip.milliseconds)
    );
    let mut text = keygate_visible::line(&outcome).into_owned() + "\n";
    if let Some(reason) = &trip.reason {
        entry(&mut text, "because", reason);
    }
    entry(&mut text, "request", &trip.request_id);
    entry(&mut text, "received", &trip.received.to_string());
    let route = trip.route.as_deref();
    entry(&mut text, "route", route.unwrap_or("none of the stage"));
    steps(&mut text, trip);
    let mut name = "log";
    for line in &trip.lines {
        logged(&mut text, name, &line.function, &line.line);
        name = "";
    }
    text
}

fn steps(text: &mut String, trip: &Trip) {
    let or_error = |said: String, error: &Option<String>| match error {
        Some(error) => format!("{said}: {error}"),
        None => said,
    };
    if let Some(step) = &trip.authorizer {
        let how = match step.is_called {
            true => format!("took {}", shown(step.milliseconds)),
            false if trip.caller.is_empty() => "was not called".to_owned(),
            false => "had answered before (cached)".to_owned(),
        };
        let said = format!("{} {how}", step.function);
        entry(text, "authorizer", &or_error(said, &step.error));
    }
    if let Some(principal) = trip.principal() {
        let known = ["credential", "client_id", "key_id", "issuer", "scopes"];
        let known = known.iter().filter_map(|name| {
            let value = trip.caller.get(*name)?;
            Some(format!(", {} {value}", name.replace('_', " ")))
        });
        entry(
            text,
            "caller",
            &(principal.to_owned() + &known.collect::<String>()),
        );
    }
    if let Some(step) = &trip.plan {
        let key = step.usage_key_id.as_deref();
        let key = key.map_or("not let through".to_owned(), |key| {
            format!("counted for {key}")
        });
        entry(
            text,
            "usage plan",
            &format!("{key} in {}", shown(step.milliseconds)),
        );
    }
    if let Some(step) = &trip.handler {
        let answered = match step.status {
            Some(status) => format!("answered {status} in"),
            None => "took".to_owned(),
        };
        let said = format!("{} {answered} {}", step.function, shown(step.milliseconds));
        entry(text, "handler", &or_error(said, &step.error));
    }
}

/// What a function, or Lambda, has written. Their lines may have tabs, and be several.
pub(super) fn logged(text: &mut String, name: &str, function: &str, message: &str) {
    let function = keygate_visible::line(function);
    for line in message.trim_end().split('\n') {
        let line = keygate_visible::lines(line);
        row(text, name, &format!("[{function}] {line}"));
    }
}

/// A line of two columns.
pub(super) fn entry(text: &mut String, name: &str, value: &str) {
    row(text, name, &keygate_visible::line(value));
}

/// The same of a value in which nothing is invisible.
fn row(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:11} {value}");
}
