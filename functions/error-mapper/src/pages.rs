//! The pages behind problem types: what a problem means, what causes it, what to do. For a program
//! as JSON, for a person as HTML.

use keygate_problem::{
    self as problem, CATALOGUE, NOT_ACCEPTABLE, NOT_FOUND, Problem, ProblemType,
};
use keygate_proxy::{self as proxy, ProxyRequest};
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY,
};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use crate::accept::{Representation, preferred};
use crate::html;

/// One hour: the pages change with a deployment only.
const CACHE_FOR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `GET /problems`: every type.
///
/// # Errors
/// 406 when neither representation is acceptable.
pub(crate) fn index(request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let url = request.public_url();
    let response = match representation(request)? {
        Representation::Json => {
            let problems: Vec<Value> = CATALOGUE.iter().map(|kind| summary(kind, url)).collect();
            proxy::json(200, &json!({ "problems": problems }))?
        }
        Representation::Html => page_of(html::index()),
    };
    Ok(cacheable(response))
}

/// `GET /problems/{type}`: one type.
///
/// # Errors
/// 404 when there is no such type, 406 when neither representation is acceptable.
pub(crate) fn page(request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let kind = of_path(request.path()).ok_or_else(|| {
        Problem::new(
            &NOT_FOUND,
            "There is no problem type of this name; GET /problems lists them.",
        )
    })?;
    let url = request.public_url();
    let response = match representation(request)? {
        Representation::Json => {
            let mut page = summary(kind, url);
            page["causes"] = json!(kind.causes);
            page["remedy"] = json!(kind.remedy);
            proxy::json(200, &page)?
        }
        Representation::Html => page_of(html::page(kind, url)),
    };
    Ok(cacheable(response))
}

/// The type that the last segment names. It has no character that is ever percent-encoded.
fn of_path(path: &str) -> Option<&'static ProblemType> {
    path.rsplit('/').next().and_then(problem::find)
}

fn representation(request: &ProxyRequest) -> Result<Representation, Problem> {
    let accept: Vec<&str> = request.header_values("accept").collect();
    preferred(&accept.join(",")).ok_or_else(|| {
        Problem::new(
            &NOT_ACCEPTABLE,
            "This page is there as text/html and as application/json.",
        )
        .with_header(VARY, "Accept")
    })
}

fn summary(kind: &ProblemType, url: &str) -> Value {
    json!({
        "type": problem::type_uri(url, kind),
        "title": kind.title,
        "status": kind.status,
        "meaning": kind.meaning,
    })
}

fn page_of(html: String) -> Response<Body> {
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_SECURITY_POLICY, html::POLICY);
    response
}

fn cacheable(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, CACHE_FOR);
    headers.append(VARY, HeaderValue::from_static("Accept"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_names_the_type() {
        for kind in CATALOGUE {
            assert_eq!(of_path(&format!("/problems/{}", kind.slug)), Some(kind));
        }
        for path in ["/problems/", "/problems/nothing", "/problems/Not-Found", ""] {
            assert_eq!(of_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_page_is_kept_by_caches_for_the_representation_that_it_is() {
        let response = cacheable(page_of(html::index()));
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=3600");
        assert_eq!(response.headers()[VARY], "Accept");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str();
        assert!(policy.unwrap().starts_with("default-src 'none';"));
    }
}
