//! A path or a method that nothing serves.

use keygate::problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem};
use keygate::routes;
use lambda_http::http::Method;
use lambda_http::http::header::ALLOW;

/// 405 with the path's methods (RFC 9110 section 15.5.6), or 404 for a path that no route has.
pub(crate) fn problem(method: &Method, path: &str) -> Problem {
    let mut allowed: Vec<&str> = routes::methods_of(path).map(Method::as_str).collect();
    if allowed.is_empty() {
        return Problem::new(&NOT_FOUND, "No route has this path.");
    }
    allowed.push("OPTIONS");
    let list = allowed.join(", ");
    // A method is an arbitrary token of the client's, so it is named only when it is well known.
    let named = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
    ];
    let detail = if named.contains(method) {
        format!("This path does not have the method {method}, but {list}.")
    } else {
        format!("This path has the methods {list}.")
    };
    Problem::new(&METHOD_NOT_ALLOWED, detail)
        .with("allow", allowed)
        .with_header(ALLOW, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_path_names_its_methods() {
        let problem = problem(&Method::PATCH, "/items/7");
        assert_eq!(problem.kind, &METHOD_NOT_ALLOWED);
        assert_eq!(
            problem.headers,
            [(ALLOW, "GET, PUT, DELETE, OPTIONS".to_owned())]
        );
        assert_eq!(problem.members["allow"][0], "GET");
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        for path in ["/", "/nothing", "/items/7/parts", "/items/"] {
            assert_eq!(problem(&Method::GET, path).kind, &NOT_FOUND, "{path}");
        }
    }
}
