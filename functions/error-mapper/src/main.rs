//! What no route serves, and the page that explains each problem type.

mod accept;
mod html;
mod pages;
mod unserved;

use std::process::ExitCode;
use std::sync::Arc;

use keygate_problem::Problem;
use keygate_proxy::{Cors, ProxyRequest};
use keygate_routes::{ROUTES, Route};
use lambda_http::http::Method;
use lambda_http::{Body, Response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = env!("CARGO_PKG_NAME");
    keygate_proxy::start(function, Cors::OfResponse, async |_| Ok(()), answer).await
}

async fn answer(request: ProxyRequest, _: Arc<()>) -> Result<Response<Body>, Problem> {
    let route = match *request.method() {
        // No route has HEAD, so API Gateway leaves it to `ANY`. It is answered as GET is, and the
        // gateway leaves the body out (RFC 9110 section 9.3.2).
        Method::HEAD => public_get(request.path()),
        _ => request.route().ok(),
    };
    match route.map(|route| route.path) {
        Some("/problems") => pages::index(&request),
        Some("/problems/{type}") => pages::page(&request),
        _ => Err(unserved::problem(request.method(), request.path())),
    }
}

/// The route that everybody may read at this path.
fn public_get(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| {
        route.method == Method::GET && route.scope.is_none() && route.matches_path(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_answered_for_pages_and_for_nothing_that_needs_a_credential() {
        assert!(public_get("/problems").is_some());
        assert!(public_get("/problems/not-found").is_some());
        assert!(public_get("/items").is_none());
        assert!(public_get("/nothing").is_none());
    }
}
