//! The route table: every route once. The authorizer builds policies from it, preflight answers
//! `Access-Control-Allow-Methods` from it, the error mapper answers `Allow` from it, and a test in
//! `local/` holds it against `template.yaml`.

use http::Method;

/// One route: a method on a resource path, and the scope that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The resource path as API Gateway writes it: `/items/{id}`.
    pub path: &'static str,
    /// The scope a caller needs; `None` is open to everybody.
    pub scope: Option<&'static str>,
}

const fn route(method: Method, path: &'static str, scope: &'static str) -> Route {
    Route {
        method,
        path,
        scope: Some(scope),
    }
}

const fn public(method: Method, path: &'static str) -> Route {
    Route {
        method,
        path,
        scope: None,
    }
}

/// Every route, grouped by path.
pub static ROUTES: [Route; 12] = [
    route(Method::GET, "/items", "items:read"),
    route(Method::POST, "/items", "items:write"),
    route(Method::GET, "/items/{id}", "items:read"),
    route(Method::PUT, "/items/{id}", "items:write"),
    route(Method::DELETE, "/items/{id}", "items:write"),
    route(Method::GET, "/keys", "keys:admin"),
    route(Method::POST, "/keys", "keys:admin"),
    route(Method::GET, "/keys/{id}", "keys:admin"),
    route(Method::DELETE, "/keys/{id}", "keys:admin"),
    route(Method::POST, "/keys/{id}/rotate", "keys:admin"),
    public(Method::GET, "/problems"),
    public(Method::GET, "/problems/{type}"),
];

impl Route {
    /// Whether a request path (without the stage, not percent-decoded) is on this route's
    /// resource. A `{parameter}` takes exactly one segment that is not empty, so an encoded slash
    /// stays inside its segment.
    #[must_use]
    pub fn matches_path(&self, path: &str) -> bool {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let mut pattern = self.path.trim_start_matches('/').split('/');
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return true,
                (Some(expected), Some(segment)) => {
                    let fits = if expected.starts_with('{') {
                        !segment.is_empty()
                    } else {
                        expected == segment
                    };
                    if !fits {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }
}

/// The methods that `path` really has, in the table's order; empty when no route has the path.
pub fn methods_of(path: &str) -> impl Iterator<Item = &'static Method> {
    ROUTES
        .iter()
        .filter(move |route| route.matches_path(path))
        .map(|route| &route.method)
}

/// Whether everybody may read what is at `path`.
#[must_use]
pub fn is_public(path: &str) -> bool {
    ROUTES.iter().any(|route| {
        route.method == Method::GET && route.scope.is_none() && route.matches_path(path)
    })
}

/// The route of a method on a resource path as API Gateway names it (`/items/{id}`).
#[must_use]
pub fn of_resource(method: &Method, resource_path: &str) -> Option<&'static Route> {
    ROUTES
        .iter()
        .find(|route| route.method == *method && route.path == resource_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(path: &str) -> Vec<&'static str> {
        methods_of(path).map(Method::as_str).collect()
    }

    #[test]
    fn a_path_has_the_methods_of_its_resource_only() {
        assert_eq!(methods("/items"), ["GET", "POST"]);
        assert_eq!(methods("/items/7"), ["GET", "PUT", "DELETE"]);
        assert_eq!(methods("/keys/abc/rotate"), ["POST"]);
        assert_eq!(methods("/items/7/parts"), [""; 0]);
        assert_eq!(methods("/"), [""; 0]);
    }

    #[test]
    fn a_parameter_takes_one_segment_that_is_not_empty() {
        assert_eq!(methods("/items/"), [""; 0]);
        assert_eq!(methods("/items/a%2Fb"), ["GET", "PUT", "DELETE"]);
    }

    #[test]
    fn the_problem_pages_are_public_and_nothing_else_is() {
        assert!(is_public("/problems") && is_public("/problems/not-found"));
        for path in ["/items", "/keys/a/rotate", "/nothing", "/problems/a/b"] {
            assert!(!is_public(path), "{path}");
        }
    }

    #[test]
    fn no_route_is_listed_twice() {
        for (position, route) in ROUTES.iter().enumerate() {
            assert!(!ROUTES[..position].contains(route), "{route:?}");
        }
    }
}
