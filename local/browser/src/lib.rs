//! What comes from a page in a browser. Pages of any site may reach a listener on loopback, and none of
//! them may use what is for programs on this machine.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Whose page sends a request.
const SITE: &str = "sec-fetch-site";

/// Passes on what comes from a program. A page is answered by the error that `refusal` makes of a status, a
/// kind and words.
pub async fn no_page<E: IntoResponse>(
    refusal: impl FnOnce(StatusCode, &'static str, &'static str) -> E,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    // A browser says the one or the other: an image, or a request whose answer the page may not read, has no
    // origin, but always a site (Fetch metadata, W3C), which programs do not say.
    let is_of_page = headers.contains_key(header::ORIGIN) || headers.contains_key(SITE);
    if is_called_as_loopback(headers) && !is_of_page {
        return next.run(request).await;
    }
    let words = "this API is for programs on this machine, called as 127.0.0.1 or localhost";
    refusal(StatusCode::FORBIDDEN, "AccessDeniedException", words).into_response()
}

/// Whether a request is for a name that only ever stands for this machine. A page may have made a name of
/// its own stand for it (DNS rebinding).
#[must_use]
pub fn is_called_as_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    host.is_some_and(|host| is_loopback(host.host()))
}

/// Whether a name or an address only ever stands for this machine (RFC 6761, section 6.3).
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}
