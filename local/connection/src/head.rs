//! The head of a request: its line and its headers (RFC 9112). What hyper reads is read by the same parser;
//! what it lets pass and could be read in two ways is refused besides.

use http::{HeaderName, Uri, header};

use crate::malformed::Malformed;

/// The largest head that is read at all; what reads it has limits of its own.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most headers.
pub const MAX_HEADERS: usize = 512;
/// The end of a head.
const END: &[u8] = b"\r\n\r\n";
/// The first byte of a TLS handshake, which begins no method.
const TLS_HANDSHAKE: u8 = 0x16;

/// How a request's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// A head on its way.
#[derive(Debug, Default)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    has_request_line: bool,
}

impl Head {
    /// Whether nothing of it is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes bytes up to the head's end, and gives what is behind it: nothing where the end is not there
    /// yet. What cannot become a head is refused as soon as that is known, for its end may never come.
    pub(crate) fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
        for (index, byte) in bytes.iter().copied().enumerate() {
            let before = self.bytes.last().copied();
            check_byte(before, byte)?;
            // Empty lines before a request are none of it (RFC 9112 section 2.2).
            if byte == b'\n' && self.bytes == b"\r" {
                self.bytes.clear();
                continue;
            }
            if self.bytes.len() >= MAX_HEAD_BYTES {
                return Err(Malformed::TooLarge);
            }
            self.bytes.push(byte);
            if byte != b'\n' {
                continue;
            }
            if !self.has_request_line {
                check_request_line(&self.bytes)?;
                self.has_request_line = true;
            }
            if self.bytes.ends_with(END) {
                return Ok(Some(bytes.get(index + 1..).unwrap_or_default()));
            }
        }
        Ok(None)
    }

    /// The whole head, and how its body is delimited.
    pub(crate) fn finish(&mut self) -> Result<(Vec<u8>, Framing), Malformed> {
        let framing = framing(&self.bytes)?;
        self.has_request_line = false;
        Ok((std::mem::take(&mut self.bytes), framing))
    }
}

/// A byte behind another one.
fn check_byte(before: Option<u8>, byte: u8) -> Result<(), Malformed> {
    match (before, byte) {
        (None, TLS_HANDSHAKE) => Err(Malformed::Tls),
        (Some(b'\r'), b'\n') | (_, b'\t') => Ok(()),
        (Some(b'\r'), _) | (_, b'\n') => Err(Malformed::LineEnd),
        (_, b'\r') => Ok(()),
        (_, byte) if byte.is_ascii_control() => Err(Malformed::Control),
        _ => Ok(()),
    }
}

/// Checks a request line with its end.
fn check_request_line(line: &[u8]) -> Result<(), Malformed> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Malformed::RequestLine);
    };
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => {}
        other if other.starts_with(b"HTTP/") => return Err(Malformed::Version),
        _ => return Err(Malformed::RequestLine),
    }
    if http::Method::from_bytes(method).is_err() {
        return Err(Malformed::RequestLine);
    }
    if method == b"CONNECT" {
        return Err(Malformed::Target);
    }
    let uri = Uri::try_from(target).map_err(|_| Malformed::Target)?;
    // An origin has no use for `*` (RFC 9112 section 3.2).
    let is_target = match uri.scheme_str() {
        Some(scheme) => scheme == "http" || scheme == "https",
        None => target.first() == Some(&b'/'),
    };
    is_target.then_some(()).ok_or(Malformed::Target)
}

/// How the body behind a whole head is delimited (RFC 9112 section 6.3), where that can be read in one way
/// only.
fn framing(head: &[u8]) -> Result<Framing, Malformed> {
    // The request line, the empty one and what is behind it are no headers.
    let lines = head.split(|byte| *byte == b'\n').count();
    if lines.saturating_sub(3) > MAX_HEADERS {
        return Err(Malformed::TooMany);
    }
    let mut headers = vec![httparse::EMPTY_HEADER; lines];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(Malformed::Header),
    }
    let is_old = request.version == Some(0);
    let named = |name: &HeaderName| {
        let headers = request.headers.iter();
        let mut named = headers.filter(|header| header.name.eq_ignore_ascii_case(name.as_str()));
        (named.next().map(|header| header.value), named.next())
    };
    match named(&header::HOST) {
        (Some(_), None) => {}
        (None, _) if is_old => {}
        _ => return Err(Malformed::Host),
    }
    let (length, second_length) = named(&header::CONTENT_LENGTH);
    let (encoding, second_encoding) = named(&header::TRANSFER_ENCODING);
    if second_length.is_some() || second_encoding.is_some() {
        return Err(Malformed::Length);
    }
    match (length, encoding) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(length), None) => number(length).map(Framing::Length),
        (None, Some(encoding)) if !is_old && encoding.eq_ignore_ascii_case(b"chunked") => {
            Ok(Framing::Chunked)
        }
        _ => Err(Malformed::Length),
    }
}

fn number(digits: &[u8]) -> Result<u64, Malformed> {
    let digits = std::str::from_utf8(digits).ok();
    let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    // What hyper takes for lengths of its own kind is at the end of the range.
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    number.ok_or(Malformed::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of bytes that come in pieces of so many.
    fn read(bytes: &[u8], size: usize) -> Result<Option<Framing>, Malformed> {
        let mut head = Head::default();
        for piece in bytes.chunks(size) {
            if head.take(piece)?.is_some() {
                return head.finish().map(|(_, framing)| Some(framing));
            }
        }
        Ok(None)
    }

    #[track_caller]
    fn is_refused(text: &[u8], expected: Malformed) {
        for size in [1, 7, text.len()] {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(read(text, size), Err(expected), "{shown:?} in {size}s");
        }
    }

    #[test]
    fn what_is_no_head_is_refused_as_soon_as_that_is_known() {
        is_refused(&[0x16, 3, 1, 0, 200], Malformed::Tls);
        for (begun, expected) in [
            ("GE\0", Malformed::Control),
            ("\u{1}\u{2}garbage", Malformed::Control),
            ("GET / HTTP/1.1\n", Malformed::LineEnd),
            ("\n", Malformed::LineEnd),
            ("GET / HTTP/1.1\rX", Malformed::LineEnd),
            ("GET / HTTP/1.1\r\nHost: a\rb", Malformed::LineEnd),
            ("GET /\r\n", Malformed::RequestLine),
            ("hello\r\n", Malformed::RequestLine),
            ("GET  / HTTP/1.1\r\n", Malformed::RequestLine),
            ("G(T / HTTP/1.1\r\n", Malformed::RequestLine),
            ("GET / http/1.1\r\n", Malformed::RequestLine),
            ("PRI * HTTP/2.0\r\n", Malformed::Version),
            ("GET / HTTP/1.2\r\n", Malformed::Version),
            ("OPTIONS * HTTP/1.1\r\n", Malformed::Target),
            ("CONNECT a:443 HTTP/1.1\r\n", Malformed::Target),
            ("CONNECT http://a/ HTTP/1.1\r\n", Malformed::Target),
            ("GET books HTTP/1.1\r\n", Malformed::Target),
            ("GET ftp://a/ HTTP/1.1\r\n", Malformed::Target),
        ] {
            is_refused(begun.as_bytes(), expected);
        }
    }

    #[test]
    fn headers_that_can_be_read_in_two_ways_are_refused() {
        for (headers, expected) in [
            ("X Y: 1", Malformed::Header),
            ("X : 1", Malformed::Header),
            (": 1", Malformed::Header),
            ("X", Malformed::Header),
            ("X: 1\r\n folded", Malformed::Header),
            ("Host: b", Malformed::Host),
            ("Content-Length: x", Malformed::Length),
            ("Content-Length: -1", Malformed::Length),
            ("Content-Length: +1", Malformed::Length),
            ("Content-Length:", Malformed::Length),
            ("Content-Length: 1, 1", Malformed::Length),
            ("Content-Length: 99999999999999999999", Malformed::Length),
            ("Content-Length: 1\r\ncontent-length: 1", Malformed::Length),
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked",
                Malformed::Length,
            ),
            ("Transfer-Encoding: gzip, chunked", Malformed::Length),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                Malformed::Length,
            ),
            ("Transfer-Encoding: identity", Malformed::Length),
        ] {
            let text = format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n");
            is_refused(text.as_bytes(), expected);
        }
        is_refused(b"GET / HTTP/1.1\r\nX: 1\r\n\r\n", Malformed::Host);
        is_refused(
            b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            Malformed::Length,
        );
    }

    #[test]
    fn a_head_has_bounds_in_bytes_and_in_headers() {
        let of_size = |size: usize| {
            let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
            format!(
                "{start}{}\r\n\r\n",
                "a".repeat(size - start.len() - END.len())
            )
        };
        assert!(read(of_size(MAX_HEAD_BYTES).as_bytes(), 8192).is_ok());
        let larger = of_size(MAX_HEAD_BYTES + 1);
        assert_eq!(read(larger.as_bytes(), 8192), Err(Malformed::TooLarge));
        let with = |count: usize| {
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "X:1\r\n".repeat(count - 1)
            )
        };
        assert!(read(with(MAX_HEADERS).as_bytes(), 8192).is_ok());
        let more = with(MAX_HEADERS + 1);
        assert_eq!(read(more.as_bytes(), 8192), Err(Malformed::TooMany));
    }

    #[test]
    fn honest_heads_are_taken_with_what_is_behind_them_left() {
        for (text, framing) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Length(0)),
            (
                "\r\n\r\nGET /?a=b HTTP/1.1\r\nHost:a\r\n\r\n",
                Framing::Length(0),
            ),
            (
                "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
                Framing::Length(0),
            ),
            (
                "GET /\u{e9} HTTP/1.1\r\nHost: a\r\nX: \u{e9}\t1\r\n\r\n",
                Framing::Length(0),
            ),
            ("GET / HTTP/1.0\r\n\r\n", Framing::Length(0)),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12 \r\n\r\n",
                Framing::Length(12),
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n",
                Framing::Chunked,
            ),
        ] {
            for size in [1, 5, text.len()] {
                assert_eq!(read(text.as_bytes(), size), Ok(Some(framing)), "{text:?}");
            }
            let more = format!("{text}behind");
            let rest = Head::default()
                .take(more.as_bytes())
                .unwrap()
                .map(<[u8]>::to_vec);
            assert_eq!(rest.as_deref(), Some(&b"behind"[..]));
        }
    }
}
