//! What became of a run: an answer that says what was done, or an error that says what was not.

use keygate_issuing::Swept;
use lambda_runtime::Diagnostic;
use serde::Serialize;

/// What a run has done.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Done {
    /// Keys that expire within the days of the first notice; nothing where there are to be no notices.
    pub(crate) expiring: Option<usize>,
    /// Keys that a person was told of by this run.
    pub(crate) noticed: usize,
    /// Nothing where there are no usage plans.
    pub(crate) swept: Option<Counts>,
}

/// What a sweep has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) in_order: usize,
    pub(crate) deleted: usize,
    pub(crate) restored: usize,
    pub(crate) young: usize,
}

impl From<&Swept> for Counts {
    fn from(swept: &Swept) -> Self {
        Self {
            in_order: swept.in_order,
            deleted: swept.deleted.len(),
            restored: swept.restored.len(),
            young: swept.young.len(),
        }
    }
}

/// The parts of a run that failed, after the others were done. The invocation fails, so that Lambda counts it
/// among its errors, and has it run again.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct Undone(pub(crate) Vec<String>);

impl From<Undone> for Diagnostic {
    fn from(undone: Undone) -> Self {
        Self {
            error_type: "UpkeepFailed".to_owned(),
            error_message: undone.to_string(),
        }
    }
}
