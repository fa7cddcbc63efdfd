//! The pages behind problem types: what a problem means, what causes it, what to do.

use std::fmt::Write as _;

use keygate::problem::{self, CATALOGUE, NOT_ACCEPTABLE, NOT_FOUND, Problem, ProblemType};
use keygate::proxy::{self, ProxyRequest};
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY,
};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use crate::accept::{Representation, preferred};

/// The pages change with a deployment only.
const CACHE_FOR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// Nothing but the page's own style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const STYLE: &str = include_str!("page.css");

/// `GET /problems`: every type.
pub(crate) fn index(request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let url = request.public_url();
    match representation(request)? {
        Representation::Json => {
            let problems: Vec<Value> = CATALOGUE.iter().map(|kind| summary(kind, url)).collect();
            Ok(document(proxy::json(200, &json!({"problems": problems}))?))
        }
        Representation::Html => {
            let mut rows = String::new();
            for kind in CATALOGUE {
                // Writing to a String cannot fail.
                let _ = write!(
                    rows,
                    "<li><a href=\"{}\"><b>{}</b> {}</a><p>{}</p></li>",
                    escape(&problem::type_uri(url, kind)),
                    kind.status,
                    escape(kind.title),
                    escape(kind.meaning),
                );
            }
            Ok(html(
                "Problem types",
                &format!("<h1>Problem types</h1><ul class=\"index\">{rows}</ul>"),
            ))
        }
    }
}

/// `GET /problems/{type}`: one type.
pub(crate) fn page(request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let kind = request
        .path_parameter("type")
        .and_then(problem::find)
        .ok_or_else(|| {
            Problem::new(
                &NOT_FOUND,
                "There is no problem type of this name; /problems lists them.",
            )
        })?;
    let url = request.public_url();
    match representation(request)? {
        Representation::Json => {
            let mut page = summary(kind, url);
            page["causes"] = json!(kind.causes);
            page["remedy"] = json!(kind.remedy);
            Ok(document(proxy::json(200, &page)?))
        }
        Representation::Html => Ok(html(kind.title, &explanation(kind, url))),
    }
}

fn representation(request: &ProxyRequest) -> Result<Representation, Problem> {
    let accept: Vec<&str> = request.header_values("accept").collect();
    let accept = (!accept.is_empty()).then(|| accept.join(","));
    preferred(accept.as_deref()).ok_or_else(|| {
        Problem::new(
            &NOT_ACCEPTABLE,
            "This page is text/html or application/json.",
        )
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

fn explanation(kind: &ProblemType, url: &str) -> String {
    let causes = kind.causes.iter().fold(String::new(), |mut causes, cause| {
        let _ = write!(causes, "<li>{}</li>", escape(cause));
        causes
    });
    format!(
        "<p class=\"status\">{status}</p><h1>{title}</h1><p class=\"meaning\">{meaning}</p>\
         <h2>What causes it</h2><ul>{causes}</ul><h2>What to do</h2><p>{remedy}</p>\
         <p><a href=\"{index}\">All problem types</a></p>",
        status = kind.status,
        title = escape(kind.title),
        meaning = escape(kind.meaning),
        remedy = code(&escape(kind.remedy)),
        index = escape(&format!("{url}/problems")),
    )
}

/// Backticks as HTML, in text that is escaped already.
fn code(text: &str) -> String {
    let mut parts = text.split('`');
    let mut html = parts.next().unwrap_or_default().to_owned();
    for (position, part) in parts.enumerate() {
        html.push_str(if position % 2 == 0 {
            "<code>"
        } else {
            "</code>"
        });
        html.push_str(part);
    }
    html
}

fn html(title: &str, body: &str) -> Response<Body> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style><main>{body}</main></html>",
        escape(title)
    );
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    document(response)
}

/// What both representations carry.
fn document(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, CACHE_FOR);
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_to_do() {
        for kind in CATALOGUE {
            let page = explanation(kind, "https://api.example.com/v1");
            assert!(page.contains("What to do"), "{}", kind.slug);
            assert_eq!(
                page.matches("<code>").count(),
                page.matches("</code>").count(),
                "{}",
                kind.slug
            );
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
