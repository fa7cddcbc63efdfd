//! The request headers that a page may send (`CORS_ALLOWED_HEADERS`).

use std::str::FromStr;

use keygate_settings::comma_separated;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::HeaderName;

/// What is allowed when nothing is configured: what Keygate and its sample read, and what browsers'
/// tracing libraries add (W3C Trace Context).
const DEFAULT: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, tracestate";
/// The most headers that may be named.
const MAX: usize = 50;

/// Names of request headers, besides the safelisted ones that every page may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedHeaders(Vec<HeaderName>);

/// A list that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedHeaders {
    /// Among them `*`: browsers never take it for `Authorization` (Fetch standard, "CORS-preflight
    /// fetch").
    #[error("`{0}` is no header's name: name each header that a page may send")]
    Name(String),
    #[error("it names more than {MAX} headers")]
    TooMany,
}

impl FromStr for AllowedHeaders {
    type Err = MalformedHeaders;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut names = Vec::new();
        for text in comma_separated(text) {
            let name = HeaderName::from_bytes(text.as_bytes()).ok();
            let name = name.filter(|name| name.as_str() != "*");
            let name = name.ok_or_else(|| MalformedHeaders::Name(text.to_owned()))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > MAX {
            return Err(MalformedHeaders::TooMany);
        }
        Ok(Self(names))
    }
}

impl Default for AllowedHeaders {
    fn default() -> Self {
        let names = DEFAULT.split(", ").map(HeaderName::from_static);
        Self(names.collect())
    }
}

impl AllowedHeaders {
    /// The requested headers that are allowed, each once and in our own spelling: nothing of the
    /// request comes back, so the answer is bounded whatever was asked.
    pub(crate) fn granted<'a>(
        &self,
        requested: impl Iterator<Item = &'a str>,
    ) -> Option<HeaderValue> {
        let mut is_granted = vec![false; self.0.len()];
        for name in requested.flat_map(|list| list.split(',')) {
            let allowed = |allowed: &HeaderName| allowed.as_str().eq_ignore_ascii_case(name.trim());
            if let Some(position) = self.0.iter().position(allowed) {
                is_granted[position] = true;
            }
        }
        let granted = self.0.iter().zip(is_granted);
        let granted: Vec<&str> = granted
            .filter_map(|(name, granted)| granted.then_some(name.as_str()))
            .collect();
        if granted.is_empty() {
            return None;
        }
        HeaderValue::from_str(&granted.join(", ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_any_case_and_each_name_once() {
        let headers: AllowedHeaders = "X-Api-Version, authorization,AUTHORIZATION"
            .parse()
            .unwrap();
        let granted = headers.granted(["Authorization, x-api-version, x-other"].into_iter());
        assert_eq!(granted.unwrap(), "x-api-version, authorization");
    }

    #[test]
    fn what_is_no_list_of_names_is_refused() {
        for text in ["*", "a b", "authorization, é", "a:b"] {
            let error = text.parse::<AllowedHeaders>();
            assert!(matches!(error, Err(MalformedHeaders::Name(_))), "{text}");
        }
        let many: Vec<String> = (0..=MAX).map(|number| format!("x-{number}")).collect();
        let error = many.join(",").parse::<AllowedHeaders>();
        assert_eq!(error, Err(MalformedHeaders::TooMany));
    }
}
