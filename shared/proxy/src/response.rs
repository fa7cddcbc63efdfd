//! Responses that handlers share.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION};
use keygate_problem::{self as problem, Problem};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::request::ProxyRequest;

/// A problem as a response. The request id can be the client's choice, the extended one cannot.
pub(crate) fn render(
    problem: Problem,
    public_url: &str,
    request_id: &str,
    extended_request_id: Option<&str>,
) -> Response<Body> {
    if problem.kind.status >= 500 {
        tracing::error!(
            request_id,
            extended_request_id,
            problem = problem.kind.slug,
            detail = problem.detail
        );
    }
    let problem = match extended_request_id {
        Some(id) => problem.with("extended_request_id", id),
        None => problem,
    };
    let body = problem.to_json(public_url, request_id).to_string();
    let mut response = empty(problem.kind.status);
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in &problem.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name.clone(), value);
        }
    }
    response
}

/// A JSON response.
///
/// # Errors
/// When the value cannot be serialised, which is a fault of the function.
pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Response<Body>, Problem> {
    let body = serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "a response could not be serialised");
        Problem::new(&problem::INTERNAL_ERROR, "The response could not be made.")
    })?;
    let mut response = empty(status);
    *response.body_mut() = Body::from(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 201 with what was made, and its address in `Location`: `path` below the stage.
///
/// # Errors
/// When the value cannot be serialised, which is a fault of the function.
pub fn created<T: Serialize>(
    request: &ProxyRequest,
    path: &str,
    value: &T,
) -> Result<Response<Body>, Problem> {
    let mut response = json(201, value)?;
    let location = format!("{}{path}", request.public_url());
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// A response without a body.
#[must_use]
pub fn empty(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
