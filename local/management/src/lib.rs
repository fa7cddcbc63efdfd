//! The part of API Gateway's management API that the functions and `keygate keys` call: usage
//! keys and their tags, usage plans, what was used of them, authorizers and the flush of their cache
//! (API Gateway REST API reference). Everything else is refused by name.
//!
//! Like DynamoDB here it believes any signature, but asks for one, and for a client that is no page
//! in a browser.

mod absent;
mod answer;
mod authorizers;
mod managed;
mod requests;
#[cfg(test)]
mod tests;
mod usage;
mod usage_keys;
mod usage_plans;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, put};
use keygate_browser::no_page;
use keygate_connection::{Malformed, Room, serve_router};
use keygate_gateway::Controls;
use keygate_gateway::trips::Trips;
use tokio::net::TcpListener;

use self::answer::ApiError;

/// Serves the API until the task is dropped.
pub async fn serve(listener: TcpListener, room: Room, controls: Controls, trips: Arc<Trips>) {
    let own = Router::new()
        .route("/_keygate/requests/{id}", get(requests::read))
        .with_state(trips);
    let router = Router::new()
        .route("/apikeys", get(usage_keys::list).post(usage_keys::create))
        .route(
            "/apikeys/{id}",
            get(usage_keys::read).delete(usage_keys::delete),
        )
        .route("/tags/{arn}", put(usage_keys::tag))
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
        .route("/usageplans/{plan}/usage", get(usage::read))
        .route("/restapis/{api}/authorizers", get(authorizers::list))
        .route(
            "/restapis/{api}/stages/{stage}/cache/authorizers",
            delete(authorizers::flush),
        )
        .fallback(unsupported)
        .method_not_allowed_fallback(unsupported)
        .layer(middleware::from_fn(signed))
        .layer(middleware::from_fn_with_state(
            absent::Called::default(),
            absent::refused,
        ))
        .with_state(controls)
        .merge(own)
        .layer(middleware::from_fn(|request, next| {
            no_page(ApiError::new, request, next)
        }));
    serve_router(listener, &room, router, unreadable).await;
}

fn unreadable(malformed: Malformed) -> Response {
    let (status, kind) = (malformed.status(), "BadRequestException");
    ApiError::new(status, kind, malformed.reason()).into_response()
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
