//! What `explain` shows: a line for each check, with what was found and what was expected, and the
//! routes that would be open.

use std::fmt::{self, Write as _};

use super::Failure;

/// The outcome of every check that could be made.
#[derive(Debug, Default)]
pub(crate) struct Report {
    checks: Vec<Check>,
    routes: Vec<RouteLine>,
}

#[derive(Debug)]
struct Check {
    name: &'static str,
    found: String,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Passed {
        expected: Option<String>,
    },
    /// The credential is at fault, or what the check depends on.
    Failed {
        failure: Failure,
        expected: Option<String>,
    },
    /// It has no meaning here, or could not be made.
    NotMade(&'static str),
}

#[derive(Debug)]
struct RouteLine {
    is_open: bool,
    route: String,
    scope: &'static str,
}

impl Report {
    pub(super) fn passed(&mut self, name: &'static str, found: impl Into<String>) {
        self.push(name, found, Outcome::Passed { expected: None });
    }

    /// A check that was made against something, whose outcome is a failure or none.
    pub(super) fn judged(
        &mut self,
        name: &'static str,
        found: impl Into<String>,
        failure: Option<Failure>,
        expected: Option<String>,
    ) {
        match failure {
            None => self.push(name, found, Outcome::Passed { expected }),
            Some(failure) => self.failed(name, found, failure, expected),
        }
    }

    pub(super) fn not_made(&mut self, name: &'static str, why: &'static str) {
        self.push(name, "", Outcome::NotMade(why));
    }

    pub(super) fn failed(
        &mut self,
        name: &'static str,
        found: impl Into<String>,
        failure: Failure,
        expected: Option<String>,
    ) {
        self.push(name, found, Outcome::Failed { failure, expected });
    }

    pub(super) fn route(&mut self, is_open: bool, route: String, scope: &'static str) {
        self.routes.push(RouteLine {
            is_open,
            route,
            scope,
        });
    }

    fn push(&mut self, name: &'static str, found: impl Into<String>, outcome: Outcome) {
        self.checks.push(Check {
            name,
            found: found.into(),
            outcome,
        });
    }

    /// The reason code that the authorizer would log: the first failed check's.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.first_failure().map(|failure| failure.code)
    }

    fn first_failure(&self) -> Option<&Failure> {
        self.checks.iter().find_map(|check| match &check.outcome {
            Outcome::Failed { failure, .. } => Some(failure),
            _ => None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            check.fmt(formatter)?;
        }
        let open = self.routes.iter().filter(|line| line.is_open).count();
        writeln!(formatter)?;
        match self.first_failure() {
            Some(failure) if failure.is_fault => {
                writeln!(formatter, "not to be decided now: {} (503)", failure.code)?;
            }
            Some(failure) => writeln!(formatter, "refused: {}", failure.code)?,
            None if open == 0 => writeln!(formatter, "accepted, and no route is open: 403")?,
            None => writeln!(formatter, "accepted, {open} routes are open")?,
        }
        if self.reason().is_some() && !self.routes.is_empty() {
            writeln!(formatter, "its scopes would open:")?;
        }
        for line in &self.routes {
            let state = if line.is_open { "open  " } else { "closed" };
            writeln!(formatter, "  {state}  {:24} {}", line.route, line.scope)?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, name, found) = match &self.outcome {
            Outcome::Passed { .. } => ("ok", self.name, self.found.as_str()),
            Outcome::Failed { .. } => ("FAILED", self.name, self.found.as_str()),
            Outcome::NotMade(why) => ("-", self.name, *why),
        };
        let mut line = format!("{mark:8}{name:18}{}", printable(found));
        if let Outcome::Passed {
            expected: Some(expected),
        } = &self.outcome
        {
            let _ = write!(line, "  (expected: {})", printable(expected));
        }
        writeln!(formatter, "{}", line.trim_end())?;
        if let Outcome::Failed { failure, expected } = &self.outcome {
            let Failure { code, reason, .. } = failure;
            writeln!(formatter, "{:26}{code}: {}", "", printable(reason))?;
            if let Some(expected) = expected {
                writeln!(formatter, "{:26}expected: {}", "", printable(expected))?;
            }
        }
        Ok(())
    }
}

/// A text without what would move the cursor or break the line: claims are the token's own.
fn printable(text: &str) -> String {
    let safe = |character: char| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    };
    text.chars().map(safe).collect()
}
