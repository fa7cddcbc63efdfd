//! Answers and errors of Lambda's API, as the AWS SDKs read them.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use keygate_functions::InvokeError;
use keygate_model::deployment::LATEST;
use serde_json::{Value, json};

/// An error: its kind in a header, and a document.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    document: Value,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            document: json!({"Type": "User", "message": message.into()}),
        }
    }

    pub(super) fn invalid_parameter(message: String) -> Self {
        let kind = "InvalidParameterValueException";
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(super) fn invalid_content(message: String) -> Self {
        let kind = "InvalidRequestContentException";
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(super) fn too_large(length: usize, limit: usize) -> Self {
        let kind = "RequestTooLargeException";
        let message = format!(
            "Request must be smaller than {limit} bytes for the InvokeFunction operation, and has {length}"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, kind, message)
    }

    /// There is no function of this ARN. The one error whose message begins with a capital letter.
    pub(super) fn unknown(arn: &str) -> Self {
        let message = format!("Function not found: {arn}");
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "ResourceNotFoundException",
            document: json!({"Type": "User", "Message": message}),
        }
    }

    fn throttled(reason: &str) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            kind: "TooManyRequestsException",
            document: json!({"Type": "User", "message": "Rate Exceeded.", "Reason": reason}),
        }
    }
}

/// What kept a function from being invoked.
impl From<InvokeError> for ApiError {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Throttled(_) => {
                Self::throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            }
            InvokeError::QueueFull => Self::throttled("ConcurrentInvocationLimitExceeded"),
            error => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::new(status, "ServiceException", error.to_string())
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = [("x-amzn-errortype", self.kind)];
        (self.status, kind, Json(self.document)).into_response()
    }
}

/// The answer of a function that was waited for, or its error, with the end of its log where that was
/// asked for.
pub(super) fn invoked(payload: Bytes, is_error: bool, log: Option<Vec<u8>>) -> Response {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert("content-type", json);
    headers.insert("x-amz-executed-version", HeaderValue::from_static(LATEST));
    if is_error {
        let unhandled = HeaderValue::from_static("Unhandled");
        headers.insert("x-amz-function-error", unhandled);
    }
    if let Some(log) = log
        && let Ok(log) = HeaderValue::try_from(STANDARD.encode(log))
    {
        headers.insert("x-amz-log-result", log);
    }
    (headers, payload).into_response()
}
