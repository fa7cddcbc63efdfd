//! An invocation without an answer of its function's own, in Lambda's words.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

/// The largest event of an invocation whose caller waits ("Lambda quotas", AWS Lambda guide).
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// Why an invocation has no answer of its function's own.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function ran into its time limit and was killed.
    #[error("{}", task_timed_out(*after))]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The process ended while it worked on the invocation.
    #[error("{how}")]
    Crashed {
        /// How, as Lambda says it.
        how: String,
    },
    /// The process could not be started, or ended before it asked for an invocation.
    #[error("the function {function} does not start: {reason}")]
    DoesNotStart {
        /// The function's logical id.
        function: String,
        /// What the runtime or the system said; the function's own words are on standard error.
        reason: String,
        /// The error's type, such as `Runtime.ExitError`.
        error_type: String,
        /// The document with which the runtime has told why, if it has.
        payload: Option<Bytes>,
    },
    /// The function answered an error.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType` of the Runtime API.
        error_type: String,
        /// `errorMessage` of the Runtime API.
        message: String,
        /// The whole document, as the runtime wrote it.
        payload: Bytes,
    },
    /// The event is over Lambda's quota.
    #[error("the event has {0} bytes, and a function takes {MAX_EVENT_BYTES}")]
    EventTooLarge(usize),
    /// As many invocations are under way as `ReservedConcurrentExecutions` allows.
    #[error("throttled: ReservedConcurrentExecutions is {0}")]
    Throttled(u32),
    /// As many events that nobody waits for are waiting as may.
    #[error("throttled: too many events are waiting")]
    QueueFull,
    /// The template has no such function.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The gateway stops.
    #[error("the gateway stops")]
    Stopping,
}

impl InvokeError {
    /// What `Invoke` answers for an error of the function; `None` where the function was not to blame.
    pub fn payload(&self, request_id: &str) -> Option<Bytes> {
        let said = |error_type: &str, message: &str| {
            let message = format!("RequestId: {request_id} Error: {message}");
            let document = json!({"errorType": error_type, "errorMessage": message});
            Some(Bytes::from(document.to_string()))
        };
        match self {
            Self::Function { payload, .. }
            | Self::DoesNotStart {
                payload: Some(payload),
                ..
            } => Some(payload.clone()),
            Self::TimedOut { after } => said(TIMED_OUT, &task_timed_out(*after)),
            Self::Crashed { how } => said(EXITED, how),
            Self::DoesNotStart {
                reason, error_type, ..
            } => said(error_type, reason),
            Self::EventTooLarge(_)
            | Self::Throttled(_)
            | Self::QueueFull
            | Self::Unknown(_)
            | Self::Stopping => None,
        }
    }
}

/// The type of an error that is a function's end.
pub(super) const EXITED: &str = "Runtime.ExitError";
/// The type of an error that is a function's timeout.
pub(super) const TIMED_OUT: &str = "Sandbox.Timedout";

/// What Lambda says of a function that ran into its timeout.
pub(super) fn task_timed_out(after: Duration) -> String {
    format!("Task timed out after {:.2} seconds", after.as_secs_f64())
}

/// What Lambda says of a process that ended by itself.
pub(super) fn exited(status: ExitStatus) -> String {
    if status.success() {
        return "Runtime exited without providing a reason".to_owned();
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(number)) => format!("signal: {}", signal(number)),
        (None, None) => status.to_string(),
    };
    format!("Runtime exited with error: {how}")
}

/// A signal's name as Lambda has it, for those that end a process.
fn signal(number: i32) -> String {
    let name = match number {
        1 => "hangup",
        2 => "interrupt",
        4 => "illegal instruction",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_end_of_a_process_is_said_as_lambda_says_it() {
        for (status, words) in [
            (0, "Runtime exited without providing a reason"),
            (1 << 8, "Runtime exited with error: exit status 1"),
            (9, "Runtime exited with error: signal: killed"),
            (11, "Runtime exited with error: signal: segmentation fault"),
            (50, "Runtime exited with error: signal: signal 50"),
        ] {
            assert_eq!(exited(ExitStatus::from_raw(status)), words);
        }
    }

    #[test]
    fn only_a_functions_own_error_has_a_document() {
        let after = Duration::from_secs(3);
        let payload = InvokeError::TimedOut { after }.payload("r").unwrap();
        let document: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(document["errorType"], "Sandbox.Timedout");
        let message = "RequestId: r Error: Task timed out after 3.00 seconds";
        assert_eq!(document["errorMessage"], message);
        for error in [
            InvokeError::Throttled(1),
            InvokeError::EventTooLarge(7),
            InvokeError::Unknown("a".to_owned()),
        ] {
            assert_eq!(error.payload("r"), None, "{error}");
        }
    }
}
