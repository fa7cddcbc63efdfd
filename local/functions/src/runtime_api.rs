//! The Lambda Runtime API for one process ("Using the Lambda runtime API", AWS Lambda guide):
//! `next`, `response`, `error` and `init/error`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router, middleware};
use bytes::Bytes;
use keygate_model::deployment::function_arn;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::invoke_error::InvokeError;

/// The largest answer of a synchronous invocation: Lambda's quota of 6 MB, and the 100 bytes more that it
/// takes.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024 + 100;
/// The largest document of an error.
const MAX_ERROR_BYTES: usize = 256 * 1024;
/// The type of an error of which its runtime does not say one.
const UNKNOWN_ERROR: &str = "Runtime.Unknown";

type Answer = Result<Bytes, InvokeError>;

/// What a process is asked to do.
#[derive(Debug)]
pub struct Invocation {
    /// The id under which its log and the function know it.
    pub request_id: String,
    /// The event, as JSON.
    pub event: Bytes,
    /// What the caller says of itself, as JSON (`ClientContext`).
    pub client_context: Option<String>,
}

/// How far the start of a process is.
#[derive(Debug, Clone, Default)]
enum Init {
    #[default]
    Under,
    /// It has asked for an invocation.
    Done,
    /// Its runtime has told why it cannot.
    Failed(Fault),
}

/// The Runtime API of one process, on a port of its own: whoever polls it is that process.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    invocations: mpsc::Sender<Handed>,
    init: watch::Receiver<Init>,
    server: JoinHandle<()>,
}

/// An invocation on its way to the process.
#[derive(Debug)]
struct Handed {
    invocation: Invocation,
    deadline_ms: u128,
    answer: oneshot::Sender<Answer>,
}

struct Shared {
    function_arn: String,
    queue: tokio::sync::Mutex<mpsc::Receiver<Handed>>,
    in_flight: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    init: watch::Sender<Init>,
}

/// The body of `error` and `init/error`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Fault {
    pub(super) error_message: String,
    pub(super) error_type: String,
    /// The whole document.
    #[serde(skip)]
    pub(super) payload: Bytes,
}

impl RuntimeApi {
    /// Listens on a free port of loopback.
    pub(super) fn listen(function_name: &str) -> std::io::Result<Self> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let (invocations, queue) = mpsc::channel(1);
        let (init, init_receiver) = watch::channel(Init::default());
        let shared = Arc::new(Shared {
            function_arn: function_arn(function_name),
            queue: tokio::sync::Mutex::new(queue),
            in_flight: Mutex::new(None),
            init,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(middleware::from_fn(|request, next| {
                keygate_browser::no_page(refuse_page, request, next)
            }))
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
            init: init_receiver,
            server,
        })
    }

    /// Where the process finds the API.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the process has asked for an invocation, or its runtime has told why it does not.
    pub(super) async fn ready(&mut self) -> Result<(), Fault> {
        let init = self.init.wait_for(|init| !matches!(init, Init::Under));
        match init.await.as_deref() {
            Ok(Init::Failed(fault)) => Err(fault.clone()),
            // The sender lives as long as the server.
            _ => Ok(()),
        }
    }

    /// Hands an invocation to the process and waits for its answer; `None` when the API is gone.
    pub(super) async fn invoke(&self, invocation: Invocation, timeout: Duration) -> Option<Answer> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (answer, answered) = oneshot::channel();
        let handed = Handed {
            invocation,
            deadline_ms: (now + timeout).as_millis(),
            answer,
        };
        self.invocations.send(handed).await.ok()?;
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
    shared.init.send_replace(Init::Done);
    let Some(handed) = shared.queue.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let Invocation {
        request_id,
        event,
        client_context,
    } = handed.invocation;
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id.clone()),
        ("Lambda-Runtime-Deadline-Ms", handed.deadline_ms.to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            shared.function_arn.clone(),
        ),
        ("Content-Type", "application/json".to_owned()),
    ];
    *shared
        .in_flight
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some((request_id, handed.answer));
    let mut response = (headers, event).into_response();
    // Whoever has passed a context on has seen to it that a header can hold it.
    if let Some(Ok(context)) = client_context.map(HeaderValue::try_from) {
        let headers = response.headers_mut();
        headers.insert("Lambda-Runtime-Client-Context", context);
    }
    response
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Body,
) -> StatusCode {
    let answer = to_bytes(body, MAX_ANSWER_BYTES)
        .await
        .map_err(|_| too_large_an_answer());
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
        payload: fault.payload,
    });
    if shared.answer(&id, answer) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::BAD_REQUEST
    }
}

/// Whoever else polls would be given a client's event.
fn refuse_page(status: StatusCode, kind: &'static str, words: &'static str) -> impl IntoResponse {
    let error = json!({"errorType": kind, "errorMessage": words});
    (status, Json(error))
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Body) -> StatusCode {
    let fault = read_fault(body).await;
    shared.init.send_replace(Init::Failed(fault));
    StatusCode::ACCEPTED
}

async fn read_fault(body: Body) -> Fault {
    let payload = to_bytes(body, MAX_ERROR_BYTES).await.unwrap_or_default();
    match serde_json::from_slice(&payload) {
        Ok(fault) => Fault { payload, ..fault },
        Err(_) => Fault {
            error_message: "the runtime has told of an error, and not which".to_owned(),
            error_type: UNKNOWN_ERROR.to_owned(),
            payload: json!({"errorType": UNKNOWN_ERROR}).to_string().into(),
        },
    }
}

/// In Lambda's words.
fn too_large_an_answer() -> InvokeError {
    let error_type = "Function.ResponseSizeTooLarge";
    let message = format!(
        "Response payload size exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes)."
    );
    let payload = json!({"errorMessage": message, "errorType": error_type});
    InvokeError::Function {
        error_type: error_type.to_owned(),
        message,
        payload: payload.to_string().into(),
    }
}
