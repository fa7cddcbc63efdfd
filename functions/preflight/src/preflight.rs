//! What a preflight request is told (Fetch standard, "CORS protocol").
//!
//! A preflight is always 204, since a browser that gets anything else reports a CORS error and
//! hides the cause. For a path that no route has, the answer allows the origin and names no method:
//! the request itself then reaches the error mapper, and the page can read its 404. An `OPTIONS`
//! that is no preflight asks what the path can do (RFC 9110 section 9.3.7) and is told with `Allow`,
//! or 404.

use keygate_problem::{NOT_FOUND, Problem};
use keygate_proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};
use lambda_http::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW,
    HeaderName, HeaderValue, VARY,
};
use lambda_http::http::{HeaderMap, Method, StatusCode};
use lambda_http::{Body, Response};

use crate::allowed_headers::AllowedHeaders;

/// How long a browser may keep the answer, in seconds: two hours, the most that Chromium takes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Everything that the answer depends on. There whatever the answer is, so that a cache never
/// gives one origin's answer to another.
const VARY_ON: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// What the answers are made of.
#[derive(Debug)]
pub struct Policy {
    origins: AllowedOrigins,
    headers: AllowedHeaders,
    routes: RouteTable,
}

impl Policy {
    /// Reads the origins and headers that are allowed, and the route table.
    ///
    /// # Errors
    /// When a setting is missing or malformed.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            origins: ProxySettings::read(settings)?.allowed_origins,
            headers: settings.parsed("CORS_ALLOWED_HEADERS")?.unwrap_or_default(),
            routes: keygate_routes::required(settings)?,
        })
    }
}

/// Answers one request.
///
/// # Errors
/// 404 when it is no preflight and no route has the path.
pub fn answer(request: &ProxyRequest, policy: &Policy) -> Result<Response<Body>, Problem> {
    let methods = methods(&policy.routes, request.path());
    let headers = match request.origin() {
        Some(origin) if request.has_header(ACCESS_CONTROL_REQUEST_METHOD.as_str()) => {
            let requested = request.header_values(ACCESS_CONTROL_REQUEST_HEADERS.as_str());
            of_preflight(origin, methods, requested, policy)
        }
        origin => of_options(origin, methods, &policy.origins)?,
    };
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The methods that a path really has, `OPTIONS` included; `None` when no route has the path.
fn methods(routes: &RouteTable, path: &str) -> Option<HeaderValue> {
    let of_path = routes.methods_of(path);
    if of_path.is_empty() {
        return None;
    }
    let methods = of_path.iter().chain([&Method::OPTIONS]);
    let methods: Vec<&str> = methods.map(Method::as_str).collect();
    HeaderValue::from_str(&methods.join(", ")).ok()
}

/// The headers for a preflight; an origin that is not allowed gets none of CORS.
fn of_preflight<'a>(
    origin: &str,
    methods: Option<HeaderValue>,
    requested: impl Iterator<Item = &'a str>,
    policy: &Policy,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(VARY, VARY_ON);
    let Some(origin) = policy.origins.allow(origin) else {
        return headers;
    };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if let Some(granted) = policy.headers.granted(requested) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, granted);
    }
    if let Some(methods) = methods {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    headers
}

/// The headers for an `OPTIONS` that is no preflight, with those of any actual response for a page
/// that sent it.
///
/// # Errors
/// 404 when no route has the path, with the same headers.
fn of_options(
    origin: Option<&str>,
    methods: Option<HeaderValue>,
    origins: &AllowedOrigins,
) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    origins.add_to_response(&mut headers, origin);
    headers.insert(VARY, VARY_ON);
    if let Some(methods) = methods {
        headers.insert(ALLOW, methods);
        return Ok(headers);
    }
    let problem = Problem::new(&NOT_FOUND, "No route has this path.");
    let with_header = |problem: Problem, (name, value): (&HeaderName, &HeaderValue)| {
        problem.with_header(name.clone(), value.to_str().unwrap_or_default())
    };
    Err(headers.iter().fold(problem, with_header))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;

    use super::*;

    const APP: &str = "https://app.example.com";
    const EVIL: &str = "https://evil.example";

    fn policy() -> Policy {
        let routes = "GET /books a\nPOST /books a\nGET /books/{id} a\nPUT /books/{id} a\n\
                      DELETE /books/{id} a\nPOST /books/{id}/lend a\nGET /problems/{type} -\n\
                      ANY /files/{path+} a\nANY /{proxy+} -\nOPTIONS /{proxy+} -";
        Policy {
            origins: APP.parse().unwrap(),
            headers: AllowedHeaders::default(),
            routes: routes.parse().unwrap(),
        }
    }

    fn preflight(path: &str, origin: &str, requested: &[&str]) -> HeaderMap {
        let requested = requested.iter().copied();
        let policy = policy();
        of_preflight(origin, methods(&policy.routes, path), requested, &policy)
    }

    fn has_cors(headers: &HeaderMap) -> bool {
        headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    }

    #[test]
    fn an_allowed_origin_is_told_the_methods_that_the_path_really_has() {
        for (path, methods) in [
            ("/books", "GET, POST, OPTIONS"),
            ("/books/7", "GET, PUT, DELETE, OPTIONS"),
            ("/books/a%2Fb", "GET, PUT, DELETE, OPTIONS"),
            ("/books/7/lend", "POST, OPTIONS"),
            ("/files/a/b", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("/problems/not-found", "GET, OPTIONS"),
        ] {
            let headers = preflight(path, APP, &[]);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], methods, "{path}");
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
            assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "7200");
            assert_eq!(headers[VARY], VARY_ON);
        }
    }

    #[test]
    fn an_origin_that_is_not_allowed_gets_no_cors_header() {
        for origin in [EVIL, "null", "", "https://app.example.com.evil.example"] {
            let headers = preflight("/books", origin, &["authorization"]);
            assert!(!has_cors(&headers), "{origin}");
            assert_eq!(headers[VARY], VARY_ON);
        }
    }

    #[test]
    fn any_origin_is_allowed_by_a_star_without_credentials() {
        let policy = Policy {
            origins: AllowedOrigins::Any,
            ..policy()
        };
        let methods = methods(&policy.routes, "/books");
        let headers = of_preflight(EVIL, methods, [].into_iter(), &policy);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn requested_headers_are_granted_when_they_are_allowed() {
        let headers = preflight(
            "/books",
            APP,
            &["Authorization,content-type", " X-Evil , if-match"],
        );
        assert_eq!(
            headers[ACCESS_CONTROL_ALLOW_HEADERS],
            "authorization, content-type, if-match"
        );
        for none in ["x-evil", "", "*", "authorization x", "x-authorization"] {
            let headers = preflight("/books", APP, &[none]);
            assert!(
                !headers.contains_key(ACCESS_CONTROL_ALLOW_HEADERS),
                "{none}"
            );
        }
    }

    #[test]
    fn a_thousand_requested_headers_come_to_a_bounded_answer() {
        let many = format!("{}{}", "authorization,".repeat(1_000), "x".repeat(100_000));
        let headers = preflight("/books", APP, &[&many, &many]);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "authorization");
    }

    #[test]
    fn a_path_that_no_route_has_has_no_methods_and_its_404_can_be_read() {
        let headers = preflight("/nothing", APP, &["authorization"]);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "authorization");
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        assert!(!headers.contains_key(ACCESS_CONTROL_MAX_AGE));
    }

    #[test]
    fn an_options_request_that_is_no_preflight_is_told_what_the_path_can_do() {
        let headers =
            of_options(None, methods(&policy().routes, "/books"), &policy().origins).unwrap();
        assert_eq!(headers[ALLOW], "GET, POST, OPTIONS");
        assert!(!has_cors(&headers));
        let headers = of_options(
            Some(APP),
            methods(&policy().routes, "/books"),
            &policy().origins,
        )
        .unwrap();
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
        assert!(headers.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS));
        assert!(!headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        assert_eq!(headers.get_all(VARY).iter().count(), 1);
    }

    #[test]
    fn an_options_request_on_a_path_that_no_route_has_is_not_found() {
        let problem = of_options(
            Some(APP),
            methods(&policy().routes, "/nothing"),
            &policy().origins,
        )
        .unwrap_err();
        assert_eq!(problem.kind, &NOT_FOUND);
        let names: Vec<_> = problem.headers.iter().map(|(name, _)| name).collect();
        assert!(names.contains(&&VARY) && names.contains(&&ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
