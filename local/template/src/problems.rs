//! What is wrong with a template, and what of it is passed over: collected while it is read, so that one
//! start names it all.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// One thing that stands in the way, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line in the file, from 1; 0 when it is about no line, such as an override's name.
    pub line: usize,
    /// Where: `Api.Auth.Authorizers`, `Parameters.StageName`.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(formatter, "line {}: ", self.line)?;
        }
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// The problems found so far, in the order of their lines and each only once: a property set in
/// `Globals` or referred to from many places is read many times.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: RefCell<BTreeSet<Problem>>,
    /// The resource, and the property.
    passed_over: RefCell<BTreeSet<(String, String)>>,
}

impl Problems {
    /// Notes a problem.
    pub(super) fn report(&self, line: usize, place: &str, message: impl Into<String>) {
        self.found.borrow_mut().insert(Problem {
            line,
            place: place.to_owned(),
            message: message.into(),
        });
    }

    /// Notes a property that changes no answer here.
    pub(super) fn pass_over(&self, place: &str, name: &str) {
        let (resource, _) = place.split_once('.').unwrap_or((place, ""));
        let mut passed_over = self.passed_over.borrow_mut();
        passed_over.insert((resource.to_owned(), name.to_owned()));
    }

    /// The properties that change no answer here, each with its resource.
    pub(super) fn passed_over(&self) -> BTreeSet<(String, String)> {
        self.passed_over.borrow().clone()
    }

    /// All problems, ordered by line.
    pub(super) fn into_list(self) -> Vec<Problem> {
        self.found.into_inner().into_iter().collect()
    }
}
