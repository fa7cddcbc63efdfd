//! How much time an operation has.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// How long an operation may take, below the 10 s that the function has.
pub(crate) const LIMIT: Duration = Duration::from_secs(9);

/// How long reading a record may have taken before an operation that is about it.
pub(crate) const READ_LIMIT: Duration = Duration::from_millis(2500);

/// A step that must end by then, if there is a then.
pub(crate) fn by_any<T, E>(
    deadline: Option<Instant>,
    step: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, Failure>>
where
    E: Into<Failure>,
{
    // Before there is a future of this function, which would be as large.
    let step = Box::pin(step);
    async move {
        match deadline {
            // A step that is over before it begins would send its first call all the same.
            Some(deadline) if deadline <= Instant::now() => Err(Failure::TimedOut),
            Some(deadline) => by(deadline, step).await,
            None => step.await.map_err(Into::into),
        }
    }
}

/// A step that must end by then.
pub(crate) async fn by<T, E>(
    deadline: Instant,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, Failure>
where
    E: Into<Failure>,
{
    // On the heap, as calls of the SDK are large and several are named in each operation.
    match timeout_at(deadline, Box::pin(step)).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(Failure::TimedOut),
    }
}
