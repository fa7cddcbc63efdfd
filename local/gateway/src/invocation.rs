//! A call of a function by API Gateway, which does not wait for an answer for ever.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::fault::ResponseType;

/// The longest that API Gateway waits, whatever the function's timeout: its quota for the time of an
/// integration ("Quotas for configuring and running a REST API", API Gateway guide). The function goes
/// on.
const MAX_WAIT: Duration = Duration::from_secs(29);

/// What a function is called with.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's logical id.
    pub function: String,
    /// The request that it is for.
    pub request_id: String,
    /// The event.
    pub event: Bytes,
}

/// Why a function has not answered, as far as API Gateway tells reasons apart. The texts are for whoever
/// runs the gateway.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function answered an error.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType` of the Lambda Runtime API.
        error_type: String,
        /// `errorMessage` of the Lambda Runtime API.
        message: String,
    },
    /// The event is over Lambda's quota.
    #[error("{0}")]
    EventTooLarge(String),
    /// The function's concurrency is used up.
    #[error("{0}")]
    Throttled(String),
    /// Any other: it does not start, takes too long, or ends meanwhile.
    #[error("{0}")]
    Failed(String),
}

type Answer = Pin<Box<dyn Future<Output = Result<Bytes, InvokeError>> + Send>>;

/// What invokes functions, whatever runs them.
#[derive(Clone)]
pub struct Invoker(Arc<dyn Fn(Invocation) -> Answer + Send + Sync>);

impl Invoker {
    /// Has functions invoked by `invoke`, which gives their answers.
    pub fn by<F>(invoke: impl Fn(Invocation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Bytes, InvokeError>> + Send + 'static,
    {
        Self(Arc::new(move |invocation| Box::pin(invoke(invocation))))
    }
}

impl fmt::Debug for Invoker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Invoker")
    }
}

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
    functions: &Invoker,
    function: &str,
    request_id: &str,
    event: Bytes,
) -> Result<Bytes, NoAnswer> {
    let answer = (functions.0)(Invocation {
        function: function.to_owned(),
        request_id: request_id.to_owned(),
        event,
    });
    let answer = timeout(MAX_WAIT, answer).await;
    Ok(answer.map_err(|_| NoAnswer::InTime)??)
}
