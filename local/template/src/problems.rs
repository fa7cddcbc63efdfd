//! What is wrong with a template: collected while it is read, so that one start names it all.

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
pub(super) struct Problems(RefCell<BTreeSet<Problem>>);

impl Problems {
    /// Notes a problem.
    pub(super) fn report(&self, line: usize, place: &str, message: impl Into<String>) {
        self.0.borrow_mut().insert(Problem {
            line,
            place: place.to_owned(),
            message: message.into(),
        });
    }

    /// All problems, ordered by line.
    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0.into_inner().into_iter().collect()
    }
}
