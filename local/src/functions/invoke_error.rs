//! An invocation without an answer of its function's own.

use std::time::Duration;

/// Why an invocation has no answer of its function's own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvokeError {
    /// The function ran into its time limit and was killed.
    #[error("killed at its timeout of {} s", after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The process ended while it worked on the invocation.
    #[error("the process ended during the invocation")]
    Crashed,
    /// The process could not be started, or ended before it asked for an invocation.
    #[error("the function {function} does not start: {reason}")]
    DoesNotStart {
        /// The function's logical id.
        function: String,
        /// What the system said; the function's own words are on standard error.
        reason: String,
    },
    /// The function answered an error.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType` of the Runtime API.
        error_type: String,
        /// `errorMessage` of the Runtime API.
        message: String,
    },
    /// The template has no such function.
    #[error("there is no function {0}")]
    Unknown(String),
}
