//! Route match: which method of which resource serves a request.
//!
//! API Gateway takes the most specific resource (a literal segment before `{name}` before
//! `{name+}`) that has the method or `ANY`: a resource that lacks the method is passed over for a
//! less specific one. `{proxy+}` does not match `/`.

use http::Method;
use keygate_model::Route;
use keygate_routes::{RouteMethod, Segment};
use percent_encoding::percent_decode_str;

/// The routes of a stage, most specific first.
#[derive(Debug)]
pub(super) struct Router {
    routes: Vec<Route>,
}

/// A route with the path parameters that the request gives it, percent-encoded as they were sent: so
/// AWS passes them on (serverless/serverless issue 5037, dherault/serverless-offline pull request 271).
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: Vec<(String, String)>,
}

/// A path that is not percent-encoded UTF-8 (RFC 3986 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MalformedPath;

impl Router {
    pub(super) fn new(routes: &[Route]) -> Self {
        let mut routes = routes.to_vec();
        // A specific method goes before ANY on the same resource.
        routes.sort_by_cached_key(|route| {
            let ranks: Vec<u8> = route.path.segments().iter().map(rank).collect();
            (ranks, route.method == RouteMethod::Any)
        });
        Self { routes }
    }

    /// The route of a request; `path` is below the stage, without a slash at its end, and still
    /// percent-encoded, so that an encoded slash stays inside its segment.
    pub(super) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<Option<Matched<'_>>, MalformedPath> {
        if !is_well_encoded(path) || percent_decode_str(path).decode_utf8().is_err() {
            return Err(MalformedPath);
        }
        let request: Vec<&str> = match path.strip_prefix('/').unwrap_or(path) {
            "" => Vec::new(),
            rest => rest.split('/').collect(),
        };
        for route in self.routes.iter().filter(|route| takes(route, method)) {
            if let Some(parameters) = matched(route.path.segments(), &request) {
                return Ok(Some(Matched { route, parameters }));
            }
        }
        Ok(None)
    }
}

/// `ANY` takes what a client makes up as well.
fn takes(route: &Route, method: &Method) -> bool {
    match &route.method {
        RouteMethod::Any => true,
        RouteMethod::One(own) => own == method,
    }
}

fn rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Variable(_) => 1,
        Segment::Greedy(_) => 2,
    }
}

fn matched(pattern: &[Segment], request: &[&str]) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut rest = request;
    for segment in pattern {
        let (&first, after) = rest.split_first()?;
        match segment {
            Segment::Literal(text) if text == first => {}
            Segment::Literal(_) => return None,
            Segment::Variable(_) if first.is_empty() => return None,
            Segment::Variable(name) => parameters.push((name.clone(), first.to_owned())),
            Segment::Greedy(name) => {
                parameters.push((name.clone(), rest.join("/")));
                return Some(parameters);
            }
        }
        rest = after;
    }
    rest.is_empty().then_some(parameters)
}

fn is_well_encoded(path: &str) -> bool {
    let mut parts = path.split('%');
    parts.next();
    parts.all(|part| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use keygate_model::{Integration, Validation};

    use super::*;

    fn router() -> Router {
        let route = |method: &str, path: &str, function: &str| Route {
            method: method.parse().unwrap(),
            path: path.parse().unwrap(),
            integration: Integration::Function(function.into()),
            authorizer: None,
            api_key_required: false,
            throttle: None,
            throttles: BTreeMap::new(),
            validation: Validation::default(),
            line: 0,
        };
        Router::new(&[
            route("ANY", "/{proxy+}", "any"),
            route("ANY", "/", "root"),
            route("OPTIONS", "/{proxy+}", "preflight"),
            route("GET", "/books", "list"),
            route("GET", "/books/{id}", "read"),
            route("GET", "/books/mine", "mine"),
            route("PUT", "/books/{id}", "write"),
        ])
    }

    fn served_by(method: &Method, path: &str) -> String {
        let router = router();
        let found = router.find(method, path).unwrap();
        let function = found.and_then(|found| found.route.function());
        function.unwrap_or("nobody").to_owned()
    }

    #[test]
    fn the_most_specific_resource_that_has_the_method_serves() {
        assert_eq!(served_by(&Method::GET, "/books/mine"), "mine");
        assert_eq!(served_by(&Method::PUT, "/books/mine"), "write");
        assert_eq!(served_by(&Method::DELETE, "/books/mine"), "any");
        assert_eq!(served_by(&Method::OPTIONS, "/books/7"), "preflight");
        assert_eq!(served_by(&Method::POST, "/books"), "any");
        assert_eq!(served_by(&Method::GET, "/a/b/c"), "any");
        assert_eq!(served_by(&Method::GET, "/"), "root");
        assert_eq!(served_by(&Method::OPTIONS, "/"), "root");
    }

    #[test]
    fn a_path_parameter_stays_encoded_and_in_its_segment() {
        let router = router();
        let found = router.find(&Method::GET, "/books/a%2Fb%20c").unwrap();
        let expected = [("id".to_owned(), "a%2Fb%20c".to_owned())];
        assert_eq!(found.unwrap().parameters, expected);
    }

    #[test]
    fn broken_percent_encoding_is_refused() {
        for path in ["/books/%", "/books/%2", "/books/%zz", "/books/%ff"] {
            assert!(router().find(&Method::GET, path).is_err(), "{path}");
        }
    }
}
