//! Lambda's `Invoke` on this machine ("Invoke", Lambda API reference), for `aws lambda invoke`,
//! `cargo lambda invoke` and the SDKs: it reaches the processes that serve the API. The other calls of
//! Lambda's API are refused by name.
//!
//! It asks for no signature, as `cargo lambda invoke` makes none, and for a client that is no page in a
//! browser.

mod answer;
mod name;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use keygate_browser::no_page;
use keygate_connection::{Malformed, Room, serve_router};
use keygate_functions::{Functions, Invocation, MAX_EVENT_BYTES};
use serde::de::IgnoredAny;
use tokio::net::TcpListener;
use uuid::Uuid;

use self::answer::ApiError;

/// The largest event that nobody waits for.
const MAX_QUEUED_EVENT_BYTES: usize = 1024 * 1024;
/// The most that a client may send of an event that is too large. A connection that is closed on unread
/// data is reset, and the reset can overtake the answer.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// The largest client context, in base64.
const MAX_CONTEXT_BYTES: usize = 3583;

/// How a function is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

/// Serves the API until the task is dropped.
pub async fn serve(listener: TcpListener, room: Room, functions: Arc<Functions>) {
    let router = Router::new()
        .route(
            "/2015-03-31/functions/{name}/invocations",
            post(answer_invoke),
        )
        .fallback(unsupported)
        .method_not_allowed_fallback(unsupported)
        .layer(middleware::from_fn(|request, next| {
            no_page(ApiError::new, request, next)
        }))
        .layer(DefaultBodyLimit::disable())
        .with_state(functions);
    serve_router(listener, &room, router, unreadable).await;
}

fn unreadable(malformed: Malformed) -> Response {
    let (status, kind) = (malformed.status(), "InvalidRequestContentException");
    ApiError::new(status, kind, malformed.reason()).into_response()
}

async fn unsupported(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        format!("the local gateway does not support {method} {path} of Lambda's API"),
    )
}

async fn answer_invoke(
    State(functions): State<Arc<Functions>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request_id = Uuid::new_v4().to_string();
    // Whatever becomes of it, the client is heard out.
    let event = read(body).await;
    let qualifier = query.get("Qualifier").map(String::as_str);
    let outcome = invoke(&functions, &name, qualifier, &headers, event, &request_id).await;
    let mut response = outcome.unwrap_or_else(ApiError::into_response);
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// Why a body is no event.
enum Unread {
    /// It has so many bytes.
    TooLarge(usize),
    /// The client went away.
    BrokenOff,
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unread::BrokenOff)?;
        length += chunk.len();
        if length <= MAX_EVENT_BYTES {
            kept.extend_from_slice(&chunk);
        } else if length > MAX_READ_BYTES {
            break;
        }
    }
    if length <= MAX_EVENT_BYTES {
        Ok(kept.into())
    } else {
        Err(Unread::TooLarge(length))
    }
}

async fn invoke(
    functions: &Functions,
    name: &str,
    qualifier: Option<&str>,
    headers: &HeaderMap,
    event: Result<Bytes, Unread>,
    request_id: &str,
) -> Result<Response, ApiError> {
    let function = name::find(functions, name, qualifier)?;
    let kind = InvocationType::of(headers)?;
    let wants_log = wants_log(headers)?;
    let invocation = Invocation {
        request_id: request_id.to_owned(),
        event: checked(event, kind.max_event_bytes())?,
        client_context: client_context(headers)?,
    };
    match kind {
        InvocationType::DryRun => Ok(StatusCode::NO_CONTENT.into_response()),
        InvocationType::Event => {
            functions.queue(&function, invocation)?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        InvocationType::RequestResponse => {
            let invoked = functions.call(&function, invocation).await;
            let (payload, is_error) = match invoked.answer {
                Ok(payload) => (payload, false),
                Err(error) => match error.payload(request_id) {
                    Some(payload) => (payload, true),
                    None => return Err(error.into()),
                },
            };
            let log = wants_log.then_some(invoked.log);
            Ok(answer::invoked(payload, is_error, log))
        }
    }
}

impl InvocationType {
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let name = "x-amz-invocation-type";
        match text(headers, name)? {
            None | Some("RequestResponse") => Ok(Self::RequestResponse),
            Some("Event") => Ok(Self::Event),
            Some("DryRun") => Ok(Self::DryRun),
            Some(other) => Err(ApiError::invalid_parameter(format!(
                "X-Amz-Invocation-Type is RequestResponse, Event or DryRun, not {other}"
            ))),
        }
    }

    fn max_event_bytes(self) -> usize {
        match self {
            Self::Event => MAX_QUEUED_EVENT_BYTES,
            Self::RequestResponse | Self::DryRun => MAX_EVENT_BYTES,
        }
    }
}

fn wants_log(headers: &HeaderMap) -> Result<bool, ApiError> {
    match text(headers, "x-amz-log-type")? {
        None | Some("None") => Ok(false),
        Some("Tail") => Ok(true),
        Some(other) => Err(ApiError::invalid_parameter(format!(
            "X-Amz-Log-Type is None or Tail, not {other}"
        ))),
    }
}

/// An event that is JSON of at most so many bytes. Without one, a function gets an empty object.
fn checked(event: Result<Bytes, Unread>, limit: usize) -> Result<Bytes, ApiError> {
    let event = event.map_err(|unread| match unread {
        Unread::TooLarge(length) => ApiError::too_large(length, limit),
        Unread::BrokenOff => ApiError::invalid_content("the request is broken off".to_owned()),
    })?;
    if event.len() > limit {
        return Err(ApiError::too_large(event.len(), limit));
    }
    if event.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&event) {
        Ok(_) => Ok(event),
        Err(error) => Err(ApiError::invalid_content(format!(
            "Could not parse request body into json: {error}"
        ))),
    }
}

/// What the caller says of itself, as the Runtime API passes it on.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(encoded) = text(headers, "x-amz-client-context")? else {
        return Ok(None);
    };
    let invalid = || {
        ApiError::invalid_content(format!(
            "X-Amz-Client-Context is an object as JSON in base64, of at most {MAX_CONTEXT_BYTES} bytes"
        ))
    };
    if encoded.len() > MAX_CONTEXT_BYTES {
        return Err(invalid());
    }
    let decoded = STANDARD.decode(encoded).map_err(|_| invalid())?;
    let context: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&decoded).map_err(|_| invalid())?;
    // Written anew, so that no line ends in it and a header can hold it.
    let context = serde_json::to_string(&context).map_err(|_| invalid())?;
    Ok(Some(in_ascii(&context)))
}

/// The same JSON: outside of its strings there is nothing but ASCII.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str();
    text.map(Some)
        .map_err(|_| ApiError::invalid_parameter(format!("{name} is not text")))
}
