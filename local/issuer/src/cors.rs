//! CORS (Fetch standard) for pages that a developer serves from this machine. Others are answered without:
//! the issuer believes whoever asks, and a page of any origin could read a token.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use keygate_browser::{is_called_as_loopback, is_loopback};
use url::Url;

/// Answers preflights, and says who may read any other answer. A page from elsewhere that calls by a name of
/// its own (DNS rebinding), sends a form or asks for an authorization in the background is refused.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_called_as_loopback(headers) || is_from_elsewhere(&request) {
        let error = "this issuer is for programs and pages of this machine, called as 127.0.0.1 or localhost";
        let vary = [(VARY, "origin")];
        return (StatusCode::FORBIDDEN, vary, error).into_response();
    }
    let origin = headers
        .get(ORIGIN)
        .filter(|origin| is_here(origin))
        .cloned();
    let is_preflight =
        request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else {
        return response;
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST");
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if let Some(asked) = asked {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
    }
    response
}

/// Whether it can only come from a page that is not from this machine, and does more than look. A browser
/// says of each request whose page it is from and what for (Fetch metadata, W3C); following a link is
/// everybody's, and programs that say a mode say no site.
fn is_from_elsewhere(request: &Request) -> bool {
    let headers = request.headers();
    if headers.get(ORIGIN).is_some_and(is_here) {
        return false;
    }
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    let is_form = request.method() == Method::POST && headers.contains_key(ORIGIN);
    let is_followed = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
    let is_in_background = is("sec-fetch-site", "cross-site") && !is_followed;
    is_form || (request.uri().path() == "/authorize" && is_in_background)
}

/// Whether a page is from this machine. `null`, which a file has, may be anybody's.
fn is_here(origin: &HeaderValue) -> bool {
    let url = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
    url.is_some_and(|url| {
        let host = url.host_str().unwrap_or_default();
        matches!(url.scheme(), "http" | "https") && is_loopback(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_read_what_is_answered() {
        for (origin, expected) in [
            ("http://localhost:5173", true),
            ("https://127.0.0.1:8443", true),
            ("http://[::1]:3000", true),
            ("http://shop.localhost", true),
            ("null", false),
            ("file://localhost", false),
            ("https://evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
        ] {
            assert_eq!(
                is_here(&HeaderValue::from_static(origin)),
                expected,
                "{origin}"
            );
        }
    }
}
