//! Calls to AWS services that are not on this machine. The functions' SDKs send them here
//! (`AWS_ENDPOINT_URL`), so that what is in them goes no further, and they are refused by name.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use super::answer::ApiError;

/// The service that is here, as signatures name it.
const API_GATEWAY: &str = "apigateway";
/// In how much of a call its operation is looked for, in bytes.
const MAX_LOOKED_AT: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";
/// The code of the refusal.
const NOT_IMPLEMENTED: &str = "NotImplemented";

/// The services that were called so far: each is said once.
#[derive(Debug, Clone, Default)]
pub(super) struct Called(Arc<Mutex<BTreeSet<String>>>);

impl Called {
    fn is_first(&self, service: &str) -> bool {
        // No code panics while it holds the lock.
        let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        services.insert(service.to_owned())
    }
}

/// Refuses the call of a service other than API Gateway. What names neither is left to the next layer.
pub(super) async fn refused(
    State(called): State<Called>,
    request: Request,
    next: Next,
) -> Response {
    let Some(service) = service(request.headers()).filter(|service| *service != API_GATEWAY) else {
        return next.run(request).await;
    };
    let service = service.to_owned();
    let protocol = Protocol::of(&service, request.headers());
    let operation = operation(request, &protocol).await;
    if called.is_first(&service) {
        let text = "a handler calls a service that is not there on this machine, and is refused";
        tracing::warn!(service, operation, "{text}");
    }
    protocol.refusal(&format!(
        "the service {service} is not there on this machine: the local gateway refuses {operation}"
    ))
}

/// The service that a call is for: in the scope of its signature ("Authenticating Requests (AWS
/// Signature Version 4)"), or else, for calls that need none, before the name of the operation.
fn service(headers: &HeaderMap) -> Option<&str> {
    let scope = || {
        let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        let scope = credential.split([',', ' ']).next()?;
        scope.strip_suffix("/aws4_request")?.rsplit('/').next()
    };
    let named = scope().or_else(|| Some(target(headers)?.0));
    named.filter(|name| is_name(name))
}

/// What may be said of a call whoever sent it.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The service and operation that protocols in JSON name.
fn target(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get("x-amz-target")?.to_str().ok()?.split_once('.')
}

/// The operation as its protocol names it, or the method and path.
async fn operation(request: Request, protocol: &Protocol) -> String {
    let (parts, body) = request.into_parts();
    let mut beginning = Vec::new();
    let mut rest = body.into_data_stream();
    // To its end, since a client that is not heard out may miss the answer.
    while let Some(Ok(bytes)) = rest.next().await {
        if beginning.len() < MAX_LOOKED_AT {
            beginning.extend_from_slice(&bytes);
        }
    }
    let action = || {
        let form = std::str::from_utf8(&beginning).ok()?;
        form.split('&')
            .find_map(|field| field.strip_prefix("Action="))
    };
    let named = match target(&parts.headers) {
        Some((_, operation)) => Some(operation),
        None if matches!(protocol, Protocol::Query) => action(),
        None => None,
    };
    match named.filter(|name| is_name(name)) {
        Some(name) => name.to_owned(),
        None => format!("{} {}", parts.method, parts.uri.path()),
    }
}

/// How a service words an error ("AWS Query", "AWS JSON" and "AWS restXml protocol", Smithy).
enum Protocol {
    Query,
    S3,
    Json,
}

impl Protocol {
    fn of(service: &str, headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE);
        let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(FORM.as_bytes()));
        match service {
            "s3" => Self::S3,
            _ if is_form => Self::Query,
            _ => Self::Json,
        }
    }

    fn refusal(&self, message: &str) -> Response {
        let status = StatusCode::NOT_IMPLEMENTED;
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
        let error =
            format!("<Error><Code>{NOT_IMPLEMENTED}</Code><Message>{escaped}</Message></Error>");
        let xml = match self {
            Self::Json => return ApiError::new(status, NOT_IMPLEMENTED, message).into_response(),
            Self::S3 => error,
            Self::Query => format!("<ErrorResponse>{error}</ErrorResponse>"),
        };
        let headers = [(header::CONTENT_TYPE, "text/xml")];
        (status, headers, Body::from(xml)).into_response()
    }
}
