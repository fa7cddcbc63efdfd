//! A path or a method that nothing serves.

use keygate_problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem};
use keygate_routes::RouteTable;
use lambda_http::http::Method;
use lambda_http::http::header::ALLOW;

use crate::resource::readable_at;

/// 405 with the path's methods (RFC 9110 section 15.5.6), or 404 for a path that no route has.
pub(crate) fn problem(table: &RouteTable, method: &Method, path: &str) -> Problem {
    let methods = table.methods_of(path);
    // What the table lists and the template does not serve comes here as well.
    if methods.is_empty() || methods.contains(method) {
        // Nothing of the path comes back, since it is the client's own text.
        return Problem::new(&NOT_FOUND, "No route has this path.");
    }
    let mut allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if readable_at(table, path).is_some() {
        // This function answers it for what it serves to everybody.
        allowed.push(Method::HEAD.as_str());
    }
    allowed.push(Method::OPTIONS.as_str());
    let list = allowed.join(", ");
    // A method is any token that the client makes up, so it is named only when it is well known.
    let is_known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::TRACE,
    ]
    .contains(method);
    let detail = if is_known {
        format!("This path does not take {method}. It takes {list}.")
    } else {
        format!("This path does not take the method of the request. It takes {list}.")
    };
    Problem::new(&METHOD_NOT_ALLOWED, detail)
        .with("allow", allowed)
        .with_header(ALLOW, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &Method, path: &str) -> Problem {
        let table = "GET /books a\nPOST /books a\nGET /books/{id} a\nPUT /books/{id} a\n\
                     DELETE /books/{id} a\nANY / -\nANY /{proxy+} -\nGET /problems -";
        problem(&table.parse().unwrap(), method, path)
    }

    #[test]
    fn a_known_path_names_its_methods() {
        let problem = of(&Method::PATCH, "/books/7");
        assert_eq!(problem.kind, &METHOD_NOT_ALLOWED);
        assert_eq!(
            problem.headers,
            [(ALLOW, "GET, PUT, DELETE, OPTIONS".to_owned())]
        );
        assert_eq!(
            problem.members["allow"],
            serde_json::json!(["GET", "PUT", "DELETE", "OPTIONS"])
        );
        assert!(problem.detail.contains("PATCH"));
    }

    #[test]
    fn a_method_that_the_client_made_up_does_not_come_back() {
        let made_up = Method::from_bytes(b"EVIL-METHOD").unwrap();
        let problem = of(&made_up, "/books");
        assert_eq!(problem.kind, &METHOD_NOT_ALLOWED);
        assert!(!problem.detail.contains("EVIL"));
    }

    #[test]
    fn head_on_a_route_that_needs_a_credential_is_not_allowed() {
        assert_eq!(of(&Method::HEAD, "/books").kind, &METHOD_NOT_ALLOWED);
    }

    #[test]
    fn head_is_allowed_on_what_everybody_may_read() {
        let problem = of(&Method::PUT, "/problems");
        assert_eq!(problem.headers, [(ALLOW, "GET, HEAD, OPTIONS".to_owned())]);
    }

    #[test]
    fn a_route_that_is_listed_and_not_served_is_not_found() {
        assert_eq!(of(&Method::GET, "/books").kind, &NOT_FOUND);
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        for path in ["/", "", "//", "/nothing", "/books/7/parts", "/Books"] {
            let problem = of(&Method::GET, path);
            assert_eq!(problem.kind, &NOT_FOUND, "{path}");
            assert_eq!(problem.detail, "No route has this path.", "{path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_path() {
        for path in ["/books/", "/books/7//"] {
            let problem = of(&Method::PATCH, path);
            assert_eq!(problem.kind, &METHOD_NOT_ALLOWED, "{path}");
        }
    }
}
