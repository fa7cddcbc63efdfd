//! What `explain` shows: a line for each check, with what was found and what was expected, and the
//! routes that would be open. Claims and names are others' words: nothing in them is invisible here.

use std::fmt::{self, Write as _};

use keygate_principal::scope::Scopes;
use keygate_routes::{Access, RouteTable};
use keygate_visible::line;

use crate::watch::{Failure, Line, Watch};

/// The outcome of every check that could be made.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
    scopes: Option<Scopes>,
    routes: Vec<RouteLine>,
}

/// A check, for who shows it in another form.
#[derive(Debug, Clone, Copy)]
pub struct CheckShown<'r> {
    /// Its name.
    pub name: &'static str,
    /// Whether it was made.
    pub is_made: bool,
    /// What was found, or why it was not made.
    pub found: &'r str,
    /// What was expected, where that does not go without saying.
    pub expected: Option<&'r str>,
    /// The reason code and the reason, where it failed.
    pub failure: Option<(&'static str, &'r str)>,
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

    /// The checks in their order. What they found may hold what is invisible.
    pub fn checks(&self) -> impl Iterator<Item = CheckShown<'_>> {
        self.checks.iter().map(|check| match check {
            Check::Made(line, failure) => CheckShown {
                name: line.name,
                is_made: true,
                found: &line.found,
                expected: line.expected.as_deref(),
                failure: failure
                    .as_ref()
                    .map(|failure| (failure.code, failure.reason.as_str())),
            },
            Check::NotMade(name, why) => CheckShown {
                name,
                is_made: false,
                found: why,
                expected: None,
                failure: None,
            },
        })
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
        let open = self.routes.iter().filter(|route| route.is_open).count();
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
        for RouteLine {
            is_open,
            route,
            access,
        } in &self.routes
        {
            let state = if *is_open { "open  " } else { "closed" };
            let (route, access) = (line(route), line(access));
            writeln!(formatter, "  {state}  {route:24} {access}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, name, found, expected) = match self {
            Self::Made(made, None) => {
                // That the one is the other needs no saying twice.
                let expected = made.expected.as_ref();
                let expected = expected.filter(|expected| **expected != made.found);
                ("ok", made.name, made.found.as_str(), expected)
            }
            Self::Made(made, Some(_)) => ("FAILED", made.name, made.found.as_str(), None),
            Self::NotMade(name, why) => ("-", *name, *why, None),
        };
        let mut text = format!("{mark:8}{name:18}{}", line(found));
        if let Some(expected) = expected {
            let _ = write!(text, "  (expected: {})", line(expected));
        }
        writeln!(formatter, "{}", text.trim_end())?;
        if let Self::Made(made, Some(Failure { code, reason, .. })) = self {
            writeln!(formatter, "{:26}{code}: {}", "", line(reason))?;
            if let Some(expected) = &made.expected {
                writeln!(formatter, "{:26}expected: {}", "", line(expected))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_hides_itself_breaks_the_line_or_shows_the_report_in_another_order() {
        let mut report = Report::default();
        let found = "bob\u{202e}nimda\u{200b}\nok      principal         alice";
        let failure = Failure {
            code: "code",
            reason: "\u{2066}reason\u{feff}".to_owned(),
            is_fault: false,
        };
        report.made(Line::new("principal", found).expecting("a\u{85}b"), None);
        report.made(
            Line::new("aud", found).expecting("a\u{2028}b"),
            Some(failure),
        );
        let text = report.to_string();
        assert!(!text.contains(|character| {
            keygate_visible::is_invisible(character) && character != '\n'
        }));
        let shown = r"bob\u{202e}nimda\u{200b}\u{a}ok      principal         alice";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            format!(r"ok      principal         {shown}  (expected: a\u{{85}}b)")
        );
        assert_eq!(lines[1], format!("FAILED  aud               {shown}"));
        assert!(lines[2].ends_with(r"code: \u{2066}reason\u{feff}"));
        assert!(lines[3].ends_with(r"expected: a\u{2028}b"));
    }
}
