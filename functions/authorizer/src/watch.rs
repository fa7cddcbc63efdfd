//! Looking on while a credential is judged: what `explain` shows is what the decision did.
//!
//! There is one list of checks. Whoever judges a credential goes through it with a [`Watch`]: a
//! function in Lambda with [`Unwatched`], which stops at the first check that fails, and `explain`
//! with its report, which is told of each and has those made that come behind.

use keygate_principal::scope::Scopes;

/// One check, with what was found and what was expected.
#[derive(Debug)]
pub(crate) struct Line {
    /// The check's name.
    pub(crate) name: &'static str,
    pub(crate) found: String,
    /// `None` where it goes without saying.
    pub(crate) expected: Option<String>,
}

/// Why a check failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The reason code.
    pub(crate) code: &'static str,
    /// The reason in words.
    pub(crate) reason: String,
    /// Whether nobody can tell, rather than the credential being at fault.
    pub(crate) is_fault: bool,
}

/// Who looks on.
pub(crate) trait Watch {
    /// Whether anybody does: lines are made for them alone, and checks behind a failed one.
    const LOOKS: bool;

    /// A check was made.
    fn made(&mut self, line: Line, failure: Option<Failure>);

    /// A check has no meaning here, or could not be made.
    fn not_made(&mut self, name: &'static str, why: &'static str);

    /// What the credential says that it opens, be it believed or not.
    fn scopes(&mut self, scopes: Option<Scopes>);
}

/// Nobody looks on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    const LOOKS: bool = false;

    fn made(&mut self, _: Line, _: Option<Failure>) {}

    fn not_made(&mut self, _: &'static str, _: &'static str) {}

    fn scopes(&mut self, _: Option<Scopes>) {}
}

impl Line {
    pub(crate) fn new(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            found: found.into(),
            expected: None,
        }
    }

    pub(crate) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
}
