//! The methods that API Gateway routes.

use std::fmt;
use std::str::FromStr;

use http::Method;

/// Every method that a route may have by itself, in the order in which answers list them
/// ("Set up a method request in API Gateway", API Gateway guide).
pub static METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// The method of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RouteMethod {
    /// `ANY`: each of [`METHODS`] for which the resource has no route of its own.
    Any,
    /// One method.
    One(Method),
}

/// A text that is no method of a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no method that API Gateway routes: use GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or ANY"
)]
pub struct UnknownMethod(String);

impl RouteMethod {
    /// Whether a request with this method may be on the route.
    #[must_use]
    pub fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Any => METHODS.contains(method),
            Self::One(own) => own == method,
        }
    }

    /// The method's name: `GET`, `ANY`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "ANY",
            Self::One(method) => method.as_str(),
        }
    }
}

impl FromStr for RouteMethod {
    type Err = UnknownMethod;

    /// Reads a name in any case, as SAM does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("ANY") {
            return Ok(Self::Any);
        }
        let mut known = METHODS.iter();
        known
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .map(|method| Self::One(method.clone()))
            .ok_or_else(|| UnknownMethod(text.to_owned()))
    }
}

impl fmt::Display for RouteMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_read_in_any_case_and_others_are_refused() {
        assert_eq!("get".parse(), Ok(RouteMethod::One(Method::GET)));
        assert_eq!("Any".parse(), Ok(RouteMethod::Any));
        for text in ["", "*", "TRACE", "CONNECT", "FETCH", "GET,POST"] {
            assert!(text.parse::<RouteMethod>().is_err(), "{text}");
        }
    }

    #[test]
    fn any_takes_the_methods_that_api_gateway_routes() {
        assert!(METHODS.iter().all(|method| RouteMethod::Any.takes(method)));
        assert!(!RouteMethod::Any.takes(&Method::TRACE));
        assert!(!RouteMethod::One(Method::GET).takes(&Method::HEAD));
    }
}
