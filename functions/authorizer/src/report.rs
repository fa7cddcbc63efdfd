//! What `explain` shows: a line for each check, with what was found and what was expected, and the
//! routes that would be open.

use std::fmt::{self, Write as _};

use keygate_principal::scope::Scopes;
use keygate_routes::{Access, RouteTable};

use crate::watch::{Failure, Line, Watch};

/// The outcome of every check that could be made.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
    scopes: Option<Scopes>,
    routes: Vec<RouteLine>,
}

#[derive(Debug)]
enum Check {
    Made(Line, Option<Failure>),
    NotMade(&'static str, &'static str),
}

#[derive(Debug)]
struct RouteLine {
    is_open: bool,
    route: String,
    access: String,
}

impl Watch for Report {
    const LOOKS: bool = true;

    fn made(&mut self, line: Line, failure: Option<Failure>) {
        self.checks.push(Check::Made(line, failure));
    }

    fn not_made(&mut self, name: &'static str, why: &'static str) {
        self.checks.push(Check::NotMade(name, why));
    }

    fn scopes(&mut self, scopes: Option<Scopes>) {
        self.scopes = scopes;
    }
}

impl Report {
    /// Adds the routes that need a credential, where the credential's scopes are known.
    pub(crate) fn add_routes(&mut self, table: &RouteTable) {
        let Some(scopes) = &self.scopes else { return };
        let routes = table.routes().iter();
        let routes = routes.filter(|route| route.access != Access::Public);
        self.routes = routes
            .map(|route| RouteLine {
                is_open: route.access.opens_to(scopes),
                route: format!("{} {}", route.method, route.path),
                access: route.access.to_string(),
            })
            .collect();
    }

    /// The reason code that the authorizer would log: the first failed check's. `None` for a
    /// credential that is accepted.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.first_failure().map(|failure| failure.code)
    }

    fn first_failure(&self) -> Option<&Failure> {
        self.checks.iter().find_map(|check| match check {
            Check::Made(_, failure) => failure.as_ref(),
            Check::NotMade(..) => None,
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
            writeln!(formatter, "  {state}  {:24} {}", line.route, line.access)?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, name, found, expected) = match self {
            Self::Made(line, None) => {
                // That the one is the other needs no saying twice.
                let expected = line.expected.as_ref();
                let expected = expected.filter(|expected| **expected != line.found);
                ("ok", line.name, line.found.as_str(), expected)
            }
            Self::Made(line, Some(_)) => ("FAILED", line.name, line.found.as_str(), None),
            Self::NotMade(name, why) => ("-", *name, *why, None),
        };
        let mut text = format!("{mark:8}{name:18}{}", printable(found));
        if let Some(expected) = expected {
            let _ = write!(text, "  (expected: {})", printable(expected));
        }
        writeln!(formatter, "{}", text.trim_end())?;
        if let Self::Made(line, Some(Failure { code, reason, .. })) = self {
            writeln!(formatter, "{:26}{code}: {}", "", printable(reason))?;
            if let Some(expected) = &line.expected {
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
