//! The part of API Gateway's management API that the functions and `keygate keys` call: usage
//! keys, usage plans, and the flush of the authorizer's cache (API Gateway REST API reference).
//! Everything else is refused by name.
//!
//! Like DynamoDB here it believes any signature, but asks for one, so that a page in a browser
//! cannot call it.

mod answer;
#[cfg(test)]
mod tests;
mod usage_keys;
mod usage_plans;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get};
use tokio::net::TcpListener;

use self::answer::ApiError;
use crate::gateway::Control;

/// Serves the API until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, control: Control) {
    let router = Router::new()
        .route("/apikeys", get(usage_keys::list).post(usage_keys::create))
        .route(
            "/apikeys/{id}",
            get(usage_keys::read).delete(usage_keys::delete),
        )
        .route("/usageplans", get(usage_plans::list))
        .route("/usageplans/{plan}", get(usage_plans::read))
        .route(
            "/usageplans/{plan}/keys",
            get(usage_plans::keys).post(usage_plans::put_on),
        )
        .route(
            "/usageplans/{plan}/keys/{id}",
            delete(usage_plans::take_off),
        )
        .route(
            "/restapis/{api}/stages/{stage}/cache/authorizers",
            delete(flush),
        )
        .fallback(unsupported)
        .method_not_allowed_fallback(unsupported)
        .layer(middleware::from_fn(signed))
        .with_state(control);
    // It ends with the program only.
    let _ = axum::serve(listener, router).await;
}

async fn signed(request: Request, next: Next) -> Response {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let scheme = authorization.and_then(|value| value.to_str().ok());
    if scheme.is_some_and(|value| value.starts_with("AWS4-")) {
        return next.run(request).await;
    }
    ApiError::new(
        StatusCode::FORBIDDEN,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token: sign the call as the AWS SDK does, with any credentials",
    )
    .into_response()
}

async fn unsupported(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    ApiError::bad_request(format!(
        "the local gateway does not support {method} {path} of API Gateway's management API"
    ))
}

/// `FlushStageAuthorizersCache`.
async fn flush(
    State(control): State<Control>,
    Path((api, stage)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    if api != control.api_id {
        return Err(ApiError::not_found("Invalid API identifier specified"));
    }
    if stage != control.stage {
        return Err(ApiError::not_found("Invalid stage identifier specified"));
    }
    control.flush_authorizers();
    Ok(StatusCode::ACCEPTED)
}
