//! One bounded GET of a JSON document that trust rests on.

use std::time::Duration;

use keygate_outbound::Outbound;
use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode, Url};

/// The longest document in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// How long one document may take, connecting included.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How many redirects are followed, all within the host that was asked.
const MAX_REDIRECTS: usize = 3;

/// Why a document could not be had. A fault of the issuer or the network, never of a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the issuer cannot be reached")]
    Unreachable,
    #[error("the issuer did not answer in time")]
    TimedOut,
    #[error("the issuer answered with status {0}")]
    Status(u16),
    /// Following it would move the trust decision to an address that was not configured.
    #[error("the issuer redirects to another host, port or scheme, or too often")]
    Redirected,
    #[error("the issuer's document is longer than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the issuer's key set cannot be used: {0}")]
    KeySet(super::set::KeySetError),
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

    /// Gets a document. Only status 200 will do, if need be behind redirects within the host.
    pub(crate) async fn get(&self, url: &Url) -> Result<Document, FetchError> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url).await?;
            match response.status() {
                StatusCode::OK => return document(response).await,
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    url = redirected(&url, response.headers()).ok_or(FetchError::Redirected)?;
                }
                status => return Err(FetchError::Status(status.as_u16())),
            }
        }
        Err(FetchError::Redirected)
    }

    async fn send(&self, url: &Url) -> Result<Response, FetchError> {
        let client = self.0.client(url).map_err(|_| FetchError::Client)?;
        let request = client.get(url.clone()).header(ACCEPT, "application/json");
        let response = request.timeout(TIMEOUT).send().await;
        response.map_err(|error| classify(&error))
    }
}

/// Where a redirect leads, if that is the same scheme, host and port.
fn redirected(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let to = from.join(location).ok()?;
    (to.origin() == from.origin() && to.username().is_empty() && to.password().is_none())
        .then_some(to)
}

async fn document(mut response: Response) -> Result<Document, FetchError> {
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
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use keygate_settings::Settings;
    use keygate_tests::loopback::{self, Response as Answer};
    use reqwest::header::HeaderValue;

    use super::*;

    /// An address that answers with a document whose length it does not say first.
    fn unannounced(document: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunk = format!("{head}{:x}\r\n", document.len());
            // Whoever has read enough hangs up.
            let _ = stream.write_all(&[chunk.as_bytes(), &document, b"\r\n0\r\n\r\n"].concat());
        });
        format!("http://{address}/")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_document_has_a_megabyte_at_most_whether_its_length_is_announced_or_not() {
        let fetcher = Fetcher::new(Outbound::new(&Settings::default()).unwrap());
        for (length, is_read) in [(1_048_576, true), (1_048_577, false)] {
            let document = vec![b' '; length];
            let announced = {
                let document = document.clone();
                loopback::serve(move |_| Answer::new(200, document.clone()))
            };
            for url in [format!("http://{announced}/"), unannounced(document)] {
                let got = fetcher.get(&Url::parse(&url).unwrap()).await;
                match got {
                    Ok(document) => assert!(is_read && document.body.len() == length),
                    Err(error) => assert!(!is_read && error == FetchError::TooLarge, "{error}"),
                }
            }
        }
    }

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

    #[test]
    fn a_redirect_stays_with_scheme_host_and_port() {
        let from = Url::parse("https://a.example/keys").unwrap();
        let to = |location: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
            redirected(&from, &headers).map(String::from)
        };
        for (location, url) in [
            ("/v2/keys", "https://a.example/v2/keys"),
            ("jwks?x=1", "https://a.example/jwks?x=1"),
            ("https://a.example:443/jwks", "https://a.example/jwks"),
        ] {
            assert_eq!(to(location).as_deref(), Some(url));
        }
        for location in [
            "http://a.example/keys",
            "https://a.example:8443/keys",
            "https://b.example/keys",
            "//b.example/keys",
            "https://a.example.b.example/",
            "https://me@a.example/keys",
            "file:///keys",
            "data:,keys",
        ] {
            assert_eq!(to(location), None, "{location}");
        }
        assert_eq!(redirected(&from, &HeaderMap::new()), None);
    }
}
