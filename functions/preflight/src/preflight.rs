//! What a preflight request may be told (Fetch standard, "CORS-preflight request").

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CACHE_CONTROL, HeaderValue,
    VARY,
};
use keygate::problem::{NOT_FOUND, Problem};
use keygate::proxy::{AllowedOrigins, ProxyRequest};
use keygate::routes;
use lambda_http::http::{self, StatusCode};
use lambda_http::{Body, Response};

/// How long a browser may keep the answer, in seconds: two hours, the most that Chromium takes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Everything that the answer depends on. There whatever the answer is, so that a cache never
/// gives one origin's answer to another.
const VARY_ON: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// The request headers that a page may send besides the safelisted ones: those that a handler
/// reads, and those that browsers' tracing libraries add.
const ALLOWED_HEADERS: [&str; 7] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
    "tracestate",
];

/// Answers one request.
///
/// # Errors
/// 404 for a path that no route has, so that a mistyped path is told as such.
pub(crate) fn answer(
    request: &ProxyRequest,
    origins: &AllowedOrigins,
) -> Result<Response<Body>, Problem> {
    let requested = request.header_values(ACCESS_CONTROL_REQUEST_HEADERS.as_str());
    let requested: Vec<&str> = requested.collect();
    let headers = headers(request.path(), request.origin(), &requested, origins);
    let Some(headers) = headers else {
        return Err(not_found(request, origins));
    };
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The headers of the answer; `None` when no route has the path.
fn headers(
    path: &str,
    origin: Option<&str>,
    requested: &[&str],
    origins: &AllowedOrigins,
) -> Option<HeaderMap> {
    let mut methods: Vec<&str> = routes::methods_of(path).map(http::Method::as_str).collect();
    if methods.is_empty() {
        return None;
    }
    methods.push("OPTIONS");
    let methods = HeaderValue::from_str(&methods.join(", ")).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(VARY, VARY_ON);
    // Without an Origin it is no preflight but a plain OPTIONS (RFC 9110 section 9.3.7).
    headers.insert(ALLOW, methods.clone());
    let Some(allowed_origin) = origin.and_then(|origin| origins.allow(origin)) else {
        return Some(headers);
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed_origin);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    let granted = granted(requested);
    if let Some(granted) = HeaderValue::from_str(&granted)
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, granted);
    }
    Some(headers)
}

/// The requested headers that are allowed, each once, in our own spelling: nothing of the request
/// comes back.
fn granted(requested: &[&str]) -> String {
    let is_requested = |name: &&str| {
        let mut names = requested.iter().flat_map(|list| list.split(','));
        names.any(|other| other.trim().eq_ignore_ascii_case(name))
    };
    let granted: Vec<&str> = ALLOWED_HEADERS
        .into_iter()
        .filter(|name| is_requested(name))
        .collect();
    granted.join(", ")
}

fn not_found(request: &ProxyRequest, origins: &AllowedOrigins) -> Problem {
    let problem = Problem::new(&NOT_FOUND, "No route has this path.")
        .with_header(VARY, VARY_ON.to_str().unwrap_or_default())
        .with_header(CACHE_CONTROL, "no-store");
    match request.origin().and_then(|origin| origins.allow(origin)) {
        Some(origin) => problem.with_header(
            ACCESS_CONTROL_ALLOW_ORIGIN,
            origin.to_str().unwrap_or_default(),
        ),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "https://app.example.com";

    fn preflight(path: &str, origin: &str, requested: &[&str]) -> HeaderMap {
        headers(path, Some(origin), requested, &APP.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_allowed_origin_is_told_the_methods_that_the_path_really_has() {
        for (path, methods) in [
            ("/items", "GET, POST, OPTIONS"),
            ("/items/7", "GET, PUT, DELETE, OPTIONS"),
            ("/keys/7/rotate", "POST, OPTIONS"),
            ("/problems/not-found", "GET, OPTIONS"),
        ] {
            let headers = preflight(path, APP, &[]);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], methods, "{path}");
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
            assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "7200");
        }
    }

    #[test]
    fn an_origin_that_is_not_allowed_gets_no_cors_header() {
        let headers = preflight("/items", "https://evil.example", &["authorization"]);
        let cors = headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None);
        assert_eq!(headers[VARY], VARY_ON);
    }

    #[test]
    fn requested_headers_are_granted_when_they_are_allowed() {
        let headers = preflight(
            "/items",
            APP,
            &["Authorization,content-type", " X-Evil , if-match"],
        );
        assert_eq!(
            headers[ACCESS_CONTROL_ALLOW_HEADERS],
            "authorization, content-type, if-match"
        );
        let none = preflight("/items", APP, &["x-evil"]);
        assert!(!none.contains_key(ACCESS_CONTROL_ALLOW_HEADERS));
    }

    #[test]
    fn a_thousand_requested_headers_come_to_a_bounded_answer() {
        let many = "authorization,".repeat(1_000);
        let headers = preflight("/items", APP, &[&many]);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "authorization");
    }

    #[test]
    fn a_path_that_no_route_has_has_no_methods() {
        assert!(headers("/nothing", Some(APP), &[], &APP.parse().unwrap()).is_none());
    }
}
