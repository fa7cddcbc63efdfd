//! The supervisor's functions, as the gateway invokes them.

use std::sync::Arc;

use keygate_functions::{Functions, InvokeError};
use keygate_gateway::{InvokeError as Unanswered, Invoker};

/// Invokes these functions.
pub(super) fn of(functions: &Arc<Functions>) -> Invoker {
    let functions = Arc::clone(functions);
    Invoker::by(move |call| {
        let functions = Arc::clone(&functions);
        async move {
            let answer = functions.invoke(&call.function, &call.request_id, call.event);
            answer.await.map_err(unanswered)
        }
    })
}

fn unanswered(error: InvokeError) -> Unanswered {
    match error {
        InvokeError::Function {
            error_type,
            message,
            ..
        } => Unanswered::Function {
            error_type,
            message,
        },
        InvokeError::EventTooLarge(_) => Unanswered::EventTooLarge(error.to_string()),
        InvokeError::Throttled(_) => Unanswered::Throttled(error.to_string()),
        InvokeError::TimedOut { .. }
        | InvokeError::Crashed { .. }
        | InvokeError::DoesNotStart { .. }
        | InvokeError::QueueFull
        | InvokeError::Unknown(_)
        | InvokeError::Stopping => Unanswered::Failed(error.to_string()),
    }
}
