//! CORS on actual responses, and the origins that preflight answers from the same list.

use std::str::FromStr;

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, ORIGIN, VARY,
};

use keygate_settings::comma_separated;

/// The response headers that a page's script may read besides the safelisted ones; the gateway
/// responses in `template.yaml` say the same.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ETag, Location, Retry-After, WWW-Authenticate, x-amzn-RequestId");

/// The origins whose pages may read responses. Credentials mode (cookies) is never allowed: the
/// API takes its credential from the `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// `*`: every origin.
    Any,
    /// Exactly these; none when the setting is empty.
    Listed(Vec<String>),
}

/// An origin that is not as browsers send it (RFC 6454 section 6.2), so it would never match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an origin: write scheme://host or scheme://host:port in lower case, without a \
     path, or * alone"
)]
pub struct MalformedOrigin(String);

impl Default for AllowedOrigins {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl FromStr for AllowedOrigins {
    type Err = MalformedOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        comma_separated(text)
            .map(|origin| {
                let serialized = url::Url::parse(origin)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https"))
                    .map(|url| url.origin().ascii_serialization());
                // A wildcard in a host would match no origin that a browser sends.
                if serialized.as_deref() == Some(origin) && !origin.contains('*') {
                    Ok(origin.to_owned())
                } else {
                    Err(MalformedOrigin(origin.to_owned()))
                }
            })
            .collect::<Result<_, _>>()
            .map(Self::Listed)
    }
}

impl AllowedOrigins {
    /// The value of `Access-Control-Allow-Origin` for a request from `origin`, compared exactly;
    /// `None` for an origin that is not allowed.
    #[must_use]
    pub fn allow(&self, origin: &str) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Listed(origins) => origins
                .iter()
                .find(|allowed| *allowed == origin)
                .and_then(|allowed| HeaderValue::from_str(allowed).ok()),
        }
    }

    /// Adds the CORS headers of an actual response. `Vary: Origin` is there whether or not the
    /// origin is allowed, so that a cache never gives one origin's answer to another.
    pub fn add_to_response(&self, headers: &mut HeaderMap, origin: Option<&str>) {
        if *self != Self::Any {
            headers.append(VARY, HeaderValue::from_name(ORIGIN));
        }
        if let Some(allowed) = origin.and_then(|origin| self.allow(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_exactly() {
        let origins: AllowedOrigins = "https://app.example.com, http://localhost:5173"
            .parse()
            .unwrap();
        assert!(origins.allow("http://localhost:5173").is_some());
        for other in [
            "https://app.example.com.evil.example",
            "http://app.example.com",
            "https://APP.example.com",
            "http://localhost",
            "null",
            "",
        ] {
            assert_eq!(origins.allow(other), None, "{other}");
        }
    }

    #[test]
    fn an_origin_that_a_browser_never_sends_is_refused_at_start() {
        for text in [
            "https://app.example.com/",
            "https://App.example.com",
            "app.example.com",
            "https://app.example.com:443",
            "https://*.example.com",
            "*, https://app.example.com",
            "ftp://app.example.com",
        ] {
            assert!(text.parse::<AllowedOrigins>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_refused_origin_gets_vary_and_nothing_else() {
        let origins: AllowedOrigins = "https://app.example.com".parse().unwrap();
        let mut headers = HeaderMap::new();
        origins.add_to_response(&mut headers, Some("https://evil.example"));
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[VARY], "origin");
    }
}
