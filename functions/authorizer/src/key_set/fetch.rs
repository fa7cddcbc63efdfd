//! One bounded GET of a JSON document that trust rests on.

use std::time::Duration;

use keygate::outbound::Outbound;
use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use reqwest::{StatusCode, Url};

/// The longest document in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How long one document may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Why a document could not be had. A fault of the issuer or the network, never of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the issuer cannot be reached")]
    Unreachable,
    #[error("the issuer did not answer in time")]
    TimedOut,
    #[error("the issuer answered with status {0}")]
    Status(u16),
    /// Following it would move the trust decision to an address that was not configured.
    #[error("the issuer redirects, which is not followed")]
    Redirected,
    #[error("the issuer's document is longer than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the issuer's key set cannot be used: {0}")]
    KeySet(super::KeySetError),
    #[error("no TLS client could be made")]
    Client,
}

/// A document and how long its sender lets it be kept.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) body: Vec<u8>,
    pub(crate) max_age: Option<Duration>,
}

/// Gets documents over the process's HTTP clients.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher(Outbound);

impl Fetcher {
    pub(crate) fn new(outbound: Outbound) -> Self {
        Self(outbound)
    }

    /// Gets a document. Only status 200 will do.
    pub(crate) async fn get(&self, url: &Url) -> Result<Document, FetchError> {
        let client = self.0.client(url).map_err(|_| FetchError::Client)?;
        let request = client.get(url.clone()).header(ACCEPT, "application/json");
        let mut response = request
            .timeout(TIMEOUT)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return Err(FetchError::Redirected),
            status => return Err(FetchError::Status(status.as_u16())),
        }
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |length| length > MAX_BYTES) {
            return Err(FetchError::TooLarge);
        }
        let max_age = max_age(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { body, max_age })
    }
}

fn classify(error: &reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::TimedOut
    } else {
        FetchError::Unreachable
    }
}

/// `max-age` of `Cache-Control`; zero when keeping is forbidden (RFC 9111 section 5.2.2).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).iter();
    let directives = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    let mut found = None;
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if ["no-store", "no-cache"]
            .iter()
            .any(|no| name.eq_ignore_ascii_case(no))
        {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            found = value
                .trim_matches('"')
                .parse()
                .ok()
                .map(Duration::from_secs);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_age_that_a_document_may_reach_is_read_from_cache_control() {
        for (value, expected) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=\"60\", must-revalidate", Some(60)),
            ("no-store, max-age=600", Some(0)),
            ("no-cache", Some(0)),
            ("public", None),
            ("max-age=soon", None),
            ("s-maxage=60", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
            assert_eq!(
                max_age(&headers),
                expected.map(Duration::from_secs),
                "{value}"
            );
        }
        assert_eq!(max_age(&HeaderMap::new()), None);
    }
}
