//! One line a request for the person who looks on: what came, what became of it and why, and the time
//! in each step.

use std::fmt::Write as _;

use keygate_console::{Lines, excerpt};
use keygate_gateway::Watcher;
use keygate_gateway::trip::{Trip, shown};
use keygate_gateway::trips::SHORT_ID;

/// Where the lines go.
#[derive(Debug)]
pub(crate) struct RequestLog {
    lines: Lines,
    form: Form,
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Coloured,
    Plain,
    Json,
}

/// A colour of a terminal (ECMA-48, "Select graphic rendition").
#[derive(Debug, Clone, Copy)]
enum Colour {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
    Yellow = 33,
    Cyan = 36,
}

impl RequestLog {
    /// For a person, in colour where the output has any.
    pub(crate) fn to(lines: &Lines) -> Self {
        let has_colour = lines.has_colour();
        let form = if has_colour {
            Form::Coloured
        } else {
            Form::Plain
        };
        let lines = lines.clone();
        Self { lines, form }
    }

    /// For a program.
    pub(crate) fn in_json(lines: &Lines) -> Self {
        Self {
            lines: lines.clone(),
            form: Form::Json,
        }
    }

    /// Looks on from now on.
    pub(crate) fn watcher(self) -> Watcher {
        Watcher::to(move |trip| self.say(trip))
    }

    /// Says what became of a request.
    fn say(&self, trip: &Trip) {
        let Self { lines, form } = self;
        match form {
            Form::Json => {
                let line = serde_json::json!({"request": trip}).to_string();
                lines.say_json(&keygate_visible::json(&line));
            }
            form => lines.say(&line(trip, *form == Form::Coloured)),
        }
    }
}

/// The line of a request. What a client or a function wrote shows all that is in it.
fn line(trip: &Trip, is_coloured: bool) -> String {
    let painted = |colour: Colour, text: &str| {
        let text = keygate_visible::line(text);
        if is_coloured {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.into_owned()
        }
    };
    let time = trip.received.strftime("%H:%M:%SZ").to_string();
    let status = match trip.status {
        ..400 => Colour::Green,
        400..500 => Colour::Yellow,
        _ => Colour::Red,
    };
    let parts = [
        painted(Colour::Dim, &time),
        painted(status, &trip.status.to_string()),
        painted(Colour::Bold, &trip.method),
        painted(Colour::Bold, &trip.path),
        shown(trip.milliseconds),
    ];
    let mut line = parts.join(" ");
    let mut add = |text: &str| {
        // Writing to a String cannot fail.
        let _ = write!(line, "  {text}");
    };
    let steps = steps(trip);
    if !steps.is_empty() {
        add(&painted(Colour::Dim, &format!("({steps})")));
    }
    if let Some(principal) = trip.principal() {
        add(&painted(Colour::Cyan, principal));
    }
    let id: String = trip.request_id.chars().take(SHORT_ID).collect();
    add(&painted(Colour::Dim, &id));
    if let Some(reason) = &trip.reason {
        add(&painted(status, &excerpt::of_line(reason)));
    }
    line
}

/// The time in each step that the request came to.
fn steps(trip: &Trip) -> String {
    let has_caller = !trip.caller.is_empty();
    let authorizer = trip.authorizer.as_ref().map(|step| {
        let what = match (step.is_called, has_caller) {
            (true, _) => shown(step.milliseconds),
            (false, true) => "cached".to_owned(),
            (false, false) => "not called".to_owned(),
        };
        format!("{} {what}", step.function)
    });
    let plan = trip.plan.as_ref();
    let plan = plan.map(|step| format!("usage plan {}", shown(step.milliseconds)));
    let handler = trip.handler.as_ref();
    let handler = handler.map(|step| format!("{} {}", step.function, shown(step.milliseconds)));
    let steps = [authorizer, plan, handler].into_iter().flatten();
    steps.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use keygate_gateway::trip::AuthorizerStep;

    use super::*;

    fn trip() -> Trip {
        Trip {
            request_id: "c4863037-bf55-4130-a6b9-a28f3559eb17".to_owned(),
            received: "2026-11-26T01:27:01Z".parse().unwrap(),
            method: "POST".to_owned(),
            path: "/dev/books\u{202e}".to_owned(),
            route: Some("/books".to_owned()),
            status: 403,
            error_type: Some("ACCESS_DENIED".to_owned()),
            reason: Some("it needs books:write; me has books:read".to_owned()),
            milliseconds: 0.42,
            authorizer: Some(AuthorizerStep {
                function: "Authorizer".to_owned(),
                milliseconds: 0.01,
                is_called: false,
                answered_in: None,
                error: None,
            }),
            plan: None,
            handler: None,
            caller: BTreeMap::from([("principal".to_owned(), "me".to_owned())]),
            lines: Vec::new(),
        }
    }

    #[test]
    fn a_line_says_what_came_of_it_and_why_and_hides_nothing() {
        assert_eq!(
            line(&trip(), false),
            "01:27:01Z 403 POST /dev/books\\u{202e} 0.4 ms  (Authorizer cached)  me  c4863037  \
             it needs books:write; me has books:read"
        );
    }

    #[test]
    fn colours_are_all_that_a_coloured_line_has_besides() {
        let coloured = line(&trip(), true);
        let mut parts = coloured.split('\u{1b}');
        let first = parts.next().unwrap().to_owned();
        let rest = parts.map(|part| part.split_once('m').unwrap().1);
        assert!(coloured.contains("\u{1b}[33m403\u{1b}[0m"), "{coloured}");
        assert_eq!(first + &rest.collect::<String>(), line(&trip(), false));
    }
}
