//! A router of axum's on connections that no client can hold.

use std::future::pending;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::malformed::Malformed;
use crate::room::Room;
use crate::serve::serve;

/// Serves a router until the task is dropped. What cannot be read as a request is answered by `refusal`.
pub async fn serve_router(
    listener: TcpListener,
    room: &Room,
    router: Router,
    refusal: fn(Malformed) -> Response,
) {
    let refuse = move |request: Request, next: Next| async move {
        match Malformed::of(request.method(), request.uri()) {
            Some(malformed) => refusal(malformed),
            None => next.run(request).await,
        }
    };
    let router = router.layer(middleware::from_fn(refuse));
    serve(listener, room, pending(), |connection, _| {
        (connection, TowerToHyperService::new(router.clone()))
    })
    .await;
}
