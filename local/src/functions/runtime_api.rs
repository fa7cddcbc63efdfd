//! The Lambda Runtime API for one process ("Using the Lambda runtime API", AWS Lambda guide):
//! `next`, `response`, `error` and `init/error`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::invoke_error::InvokeError;
use crate::deployment::function_arn;

/// The largest answer of a synchronous invocation, Lambda's own quota.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

type Answer = Result<Bytes, InvokeError>;

/// The Runtime API of one process, on a port of its own: whoever polls it is that process.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<Invocation>,
    polled: watch::Receiver<bool>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Invocation {
    request_id: String,
    deadline_ms: u128,
    event: Bytes,
    answer: oneshot::Sender<Answer>,
}

struct Shared {
    function_arn: String,
    queue: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    in_flight: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    polled: watch::Sender<bool>,
}

/// The body of `error` and `init/error`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Fault {
    error_message: String,
    error_type: String,
}

impl RuntimeApi {
    /// Listens on a free port of loopback.
    pub(super) fn listen(function_id: &str) -> std::io::Result<Self> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let (invocations, queue) = mpsc::channel(1);
        let (polled, polled_receiver) = watch::channel(false);
        let shared = Arc::new(Shared {
            function_arn: function_arn(function_id),
            queue: tokio::sync::Mutex::new(queue),
            in_flight: Mutex::new(None),
            polled,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(shared);
        let listener = listener.tap_io(|stream| {
            // Both sides send small messages and wait for each other.
            let _ = stream.set_nodelay(true);
        });
        let server = tokio::spawn(async move {
            // It only ends with the process that it serves.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            invocations,
            polled: polled_receiver,
            server,
        })
    }

    /// Where the process finds the API.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process has asked for an invocation.
    pub(super) async fn polled(&mut self) {
        // The sender lives as long as the server.
        let _ = self.polled.wait_for(|polled| *polled).await;
    }

    /// Hands an invocation to the process and waits for its answer; `None` when the API is gone.
    pub(super) async fn invoke(
        &self,
        request_id: &str,
        event: Bytes,
        timeout: Duration,
    ) -> Option<Answer> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (answer, answered) = oneshot::channel();
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            deadline_ms: (now + timeout).as_millis(),
            event,
            answer,
        };
        self.invocations.send(invocation).await.ok()?;
        answered.await.ok()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// Ends the invocation in flight; false when `id` is not it.
    fn answer(&self, id: &str, answer: Answer) -> bool {
        let mut in_flight = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match in_flight.take_if(|(request_id, _)| request_id == id) {
            Some((_, waiting)) => waiting.send(answer).is_ok(),
            None => false,
        }
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.polled.send_replace(true);
    let Some(invocation) = shared.queue.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        (
            "Lambda-Runtime-Aws-Request-Id",
            invocation.request_id.clone(),
        ),
        (
            "Lambda-Runtime-Deadline-Ms",
            invocation.deadline_ms.to_string(),
        ),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            shared.function_arn.clone(),
        ),
        ("Content-Type", "application/json".to_owned()),
    ];
    *shared
        .in_flight
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some((invocation.request_id, invocation.answer));
    (headers, invocation.event).into_response()
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Body,
) -> StatusCode {
    let answer = to_bytes(body, MAX_ANSWER_BYTES)
        .await
        .map_err(|_| InvokeError::Function {
            error_type: "Function.ResponseSizeTooLarge".to_owned(),
            message: format!("the answer is over {MAX_ANSWER_BYTES} bytes"),
        });
    let too_large = answer.is_err();
    match (shared.answer(&id, answer), too_large) {
        (true, false) => StatusCode::ACCEPTED,
        (true, true) => StatusCode::PAYLOAD_TOO_LARGE,
        (false, _) => StatusCode::BAD_REQUEST,
    }
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Body,
) -> StatusCode {
    let fault = read_fault(body).await;
    let answer = Err(InvokeError::Function {
        error_type: fault.error_type,
        message: fault.error_message,
    });
    if shared.answer(&id, answer) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::BAD_REQUEST
    }
}

async fn init_error(body: Body) -> StatusCode {
    let fault = read_fault(body).await;
    tracing::error!(
        error_type = fault.error_type,
        message = fault.error_message,
        "init failed"
    );
    StatusCode::ACCEPTED
}

async fn read_fault(body: Body) -> Fault {
    let body = to_bytes(body, MAX_ANSWER_BYTES).await.unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_default()
}
