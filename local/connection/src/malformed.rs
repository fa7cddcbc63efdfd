//! Why a request is refused before anybody reads it, and the request that stands in its place.

use std::sync::LazyLock;

use http::request::Parts;
use http::{Method, StatusCode, Uri};
use uuid::Uuid;

/// The method of the request that stands in the place of one that cannot be read.
const METHOD: &str = "-";

/// A path that no client knows: a request for it is the guard's.
static PATH: LazyLock<String> = LazyLock::new(|| format!("/{}/", Uuid::new_v4()));

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A TLS handshake.
    Tls,
    /// A byte that no head has, such as NUL.
    Control,
    /// A line that ends in CR or LF alone.
    LineEnd,
    /// A request line of other than three parts.
    RequestLine,
    /// Another version than HTTP/1.0 and HTTP/1.1.
    Version,
    /// A target that is neither a path nor an address.
    Target,
    /// A header that is none.
    Header,
    /// No `Host`, or several.
    Host,
    /// A length that cannot be told: `Content-Length` that is no number or is there twice, or beside
    /// `Transfer-Encoding`, or another encoding than `chunked`.
    Length,
    /// A head that is larger than any that is taken.
    TooLarge,
    /// More headers than are taken.
    TooMany,
    /// A head that takes too long.
    Slow,
    /// A head that ends in the middle.
    BrokenOff,
}

impl Malformed {
    const ALL: [Self; 13] = [
        Self::Tls,
        Self::Control,
        Self::LineEnd,
        Self::RequestLine,
        Self::Version,
        Self::Target,
        Self::Header,
        Self::Host,
        Self::Length,
        Self::TooLarge,
        Self::TooMany,
        Self::Slow,
        Self::BrokenOff,
    ];

    /// Why a request is the guard's own; `None` where it is a client's.
    #[must_use]
    pub fn of(method: &Method, target: &Uri) -> Option<Self> {
        if method.as_str() != METHOD {
            return None;
        }
        let number = target.path().strip_prefix(PATH.as_str())?;
        Self::ALL.get(number.parse::<usize>().ok()?).copied()
    }

    /// As [`Malformed::of`], of a request's parts. These are made those of a request of which nothing is
    /// known, whose path is `-`, so that nobody is shown the guard's.
    pub fn take(parts: &mut Parts) -> Option<Self> {
        let malformed = Self::of(&parts.method, &parts.uri)?;
        parts.uri = Uri::from_static("/-");
        parts.headers.clear();
        Some(malformed)
    }

    /// The request that stands in the place of one that cannot be read.
    pub(crate) fn request(self) -> String {
        let number = Self::ALL.iter().position(|other| *other == self);
        let (path, number) = (PATH.as_str(), number.unwrap_or_default());
        format!("{METHOD} {path}{number} HTTP/1.1\r\nConnection: close\r\n\r\n")
    }

    /// The status that says so.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge | Self::TooMany => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What is wrong, for a person.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Tls => "this is TLS, and plain HTTP is spoken here: call http://, not https://",
            Self::Control => "the request has a byte that no line of HTTP has",
            Self::LineEnd => "a line of the request ends in CR or LF alone: each ends in both",
            Self::RequestLine => {
                "the request line is not METHOD, target and HTTP/1.1 with a space between"
            }
            Self::Version => "HTTP/1.1 and HTTP/1.0 are spoken here, and no other version",
            Self::Target => "the request's target is no path, nor an address that begins http://",
            Self::Header => "a header is not NAME: value",
            Self::Host => "the request has no Host, or more than one",
            Self::Length => {
                "the body's length cannot be told: there is one Content-Length of digits, or else \
                 Transfer-Encoding: chunked"
            }
            Self::TooLarge => "the request line and the headers are larger than 64 KiB",
            Self::TooMany => "the request has more than 512 headers",
            Self::Slow => "the request's headers did not come within 30 seconds",
            Self::BrokenOff => "the request ends within its headers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guards_own_request_says_why_and_no_other_can() {
        for malformed in Malformed::ALL {
            let line = malformed.request();
            let target = line.split(' ').nth(1).unwrap();
            let method = Method::from_bytes(METHOD.as_bytes()).unwrap();
            let uri: Uri = target.parse().unwrap();
            assert_eq!(Malformed::of(&method, &uri), Some(malformed));
            assert_eq!(Malformed::of(&Method::GET, &uri), None);
        }
        let method = Method::from_bytes(METHOD.as_bytes()).unwrap();
        for target in ["/", "/0", "/00000000-0000-4000-8000-000000000000/0", "*"] {
            assert_eq!(Malformed::of(&method, &target.parse().unwrap()), None);
        }
    }
}
