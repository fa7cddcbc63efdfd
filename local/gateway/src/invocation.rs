//! A call of a function by API Gateway, which does not wait for an answer for ever.

use std::time::Duration;

use bytes::Bytes;
use keygate_functions::{Functions, InvokeError};
use tokio::time::timeout;

use super::fault::ResponseType;

/// The longest that API Gateway waits, whatever the function's timeout: its quota for the time of an
/// integration ("Quotas for configuring and running a REST API", API Gateway guide). The function goes
/// on.
const MAX_WAIT: Duration = Duration::from_secs(29);

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("no answer within {} s", MAX_WAIT.as_secs())]
    InTime,
    #[error(transparent)]
    AtAll(#[from] InvokeError),
}

impl NoAnswer {
    /// What it is to whoever has called the API. Of the time that a function had, and of its end, API
    /// Gateway learns no more than that there is no answer.
    pub(super) fn response_type(&self) -> ResponseType {
        match self {
            Self::InTime => ResponseType::IntegrationTimeout,
            Self::AtAll(InvokeError::EventTooLarge(_)) => ResponseType::RequestTooLarge,
            Self::AtAll(InvokeError::Throttled(_)) => ResponseType::IntegrationFailure,
            Self::AtAll(_) => ResponseType::Default5xx,
        }
    }
}

/// Calls a function.
pub(super) async fn invoke(
    functions: &Functions,
    function: &str,
    request_id: &str,
    event: Bytes,
) -> Result<Bytes, NoAnswer> {
    let answer = timeout(MAX_WAIT, functions.invoke(function, request_id, event)).await;
    Ok(answer.map_err(|_| NoAnswer::InTime)??)
}
