//! Errors and pages as the AWS SDKs read them.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keygate_gateway::Refused;
use serde_json::{Value, json};
use uuid::Uuid;

/// How many entries a page has when the request does not say, and at most.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 500;

/// An error: its kind in a header, and a message.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFoundException", message)
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::NoSuchKey | Refused::NoSuchPlan | Refused::NotOnPlan => {
                Self::not_found(message)
            }
            Refused::ValueTaken | Refused::OnPlan | Refused::OnAnotherPlan => {
                Self::new(StatusCode::CONFLICT, "ConflictException", message)
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let headers = [
            ("x-amzn-errortype", self.kind.to_owned()),
            ("x-amzn-requestid", Uuid::new_v4().to_string()),
        ];
        let body = Json(json!({"message": self.message}));
        (self.status, headers, body).into_response()
    }
}

/// The query of a request, of which every part is known.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Refuses a parameter that is none of `known`, since to pass over it would be to answer
    /// something else.
    pub(super) fn of(query: BTreeMap<String, String>, known: &[&str]) -> Result<Self, ApiError> {
        match query.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self(query)),
            Some(name) => Err(ApiError::bad_request(format!(
                "the local gateway does not support the query parameter {name} here"
            ))),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::bad_request(format!("{name} is true or false"))),
        }
    }

    /// How many entries to give; a number that no page may have asks for nothing in particular.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let Some(text) = self.text("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        let limit: i64 = text
            .parse()
            .map_err(|_| ApiError::bad_request("limit is a number"))?;
        let limit = usize::try_from(limit).ok();
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        Ok(limit.unwrap_or(DEFAULT_LIMIT))
    }
}

/// One page of a list: `entries` may hold one more than `limit`, which tells that another page
/// follows. A position is the id of the last entry before it.
pub(super) fn page<T>(
    mut entries: Vec<T>,
    limit: usize,
    id: impl Fn(&T) -> &str,
    show: impl Fn(&T) -> Value,
) -> Json<Value> {
    let more = entries.len() > limit;
    entries.truncate(limit);
    let mut page = json!({"item": entries.iter().map(show).collect::<Vec<_>>()});
    if let Some(last) = entries.last().filter(|_| more) {
        page["position"] = json!(id(last));
    }
    Json(page)
}
