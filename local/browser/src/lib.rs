//! What comes from a page in a browser. Pages of any site may reach a listener on loopback, and none of
//! them may use what is for programs on this machine.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Passes on what comes from a program. A page is answered by the error that `refusal` makes of a status, a
/// kind and words.
pub async fn no_page<E: IntoResponse>(
    refusal: impl FnOnce(StatusCode, &'static str, &'static str) -> E,
    request: Request,
    next: Next,
) -> Response {
    if !may_be_a_page(request.headers()) {
        return next.run(request).await;
    }
    let words = "this API is for programs on this machine, called as 127.0.0.1 or localhost";
    refusal(StatusCode::FORBIDDEN, "AccessDeniedException", words).into_response()
}

/// Whether a request may come from a page: one in a browser says where it is from, or comes by a name of
/// its own that it has made to stand for loopback (DNS rebinding).
fn may_be_a_page(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let is_loopback = host.is_some_and(|host| match host.host() {
        "localhost" => true,
        name => name
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
    });
    !is_loopback || headers.contains_key(header::ORIGIN)
}
