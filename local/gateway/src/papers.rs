//! What a request's functions were sent and what was answered, as it is kept for whoever looks on: bounded,
//! and without a credential.

use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderMap;

use crate::struck::{Secrets, base64_not_shown};

/// How much of a document is read; of a longer one only its length is kept.
const MAX_READ: usize = 64 * 1024;
/// How much of a document is kept.
const MAX_KEPT: usize = 16 * 1024;
/// How many headers of an answer are kept.
const MAX_HEADERS: usize = 100;

/// The documents of one request.
#[derive(Debug, Clone, Default)]
pub struct Papers {
    /// The authorizer's event, where it was called.
    pub asked: Option<String>,
    /// The handler's event, where it was called.
    pub event: Option<String>,
    /// What the client got: the status, the headers, and the body.
    pub answer: Answer,
}

/// What the client got.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// The same as it was.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    /// Whether the body is base64, of which no part has the form of what it stands for.
    pub(crate) is_base64: bool,
}

impl Papers {
    /// What may be kept of these.
    pub(crate) fn new(
        secrets: &Secrets,
        asked: Option<&Bytes>,
        event: Option<&Bytes>,
        answered: &Answered<'_>,
    ) -> Self {
        let headers = answered.headers.iter().take(MAX_HEADERS);
        let headers = headers.map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = secrets.strike_member(name.as_str(), &value);
            let name = secrets.strike_short(name.as_str());
            (name, value)
        });
        let body = if answered.is_base64 && !answered.body.is_empty() {
            base64_not_shown(answered.body.len())
        } else {
            kept(secrets, answered.body)
        };
        Self {
            asked: asked.map(|asked| kept(secrets, asked)),
            event: event.map(|event| kept(secrets, event)),
            answer: Answer {
                status: answered.status,
                headers: headers.collect(),
                body,
            },
        }
    }

    /// How much it is.
    pub(crate) fn bytes(&self) -> usize {
        let documents = self.asked.iter().chain(&self.event);
        let headers = self.answer.headers.iter();
        documents.map(String::len).sum::<usize>()
            + headers
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
            + self.answer.body.len()
    }
}

/// A document as it is kept. It is cut behind the striking out: a part of a credential has not its form.
fn kept(secrets: &Secrets, document: &Bytes) -> String {
    let length = document.len();
    if length > MAX_READ {
        return format!("[{length} bytes, which is too much to be shown]");
    }
    let Ok(text) = std::str::from_utf8(document) else {
        return format!("[{length} bytes that are no text]");
    };
    let mut struck = secrets.strike(text);
    if struck.len() > MAX_KEPT {
        let end = struck.floor_char_boundary(MAX_KEPT);
        let more = struck.len() - end;
        struck.truncate(end);
        // Writing to a String cannot fail.
        let _ = write!(struck, "\n[{more} bytes more]");
    }
    struck
}

#[cfg(test)]
mod tests {
    use super::*;

    fn papers(event: &str, body: &[u8]) -> Papers {
        let secrets = Secrets::new(["Bearer opaque-credential"].into_iter());
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", "session=fresh-credential".parse().unwrap());
        headers.insert("x-echo", "opaque-credential".parse().unwrap());
        let answered = Answered {
            status: 200,
            headers: &headers,
            body: &Bytes::copy_from_slice(body),
            is_base64: false,
        };
        let event = Bytes::copy_from_slice(event.as_bytes());
        Papers::new(&secrets, Some(&event), Some(&event), &answered)
    }

    #[test]
    fn no_credential_is_kept_of_event_and_answer() {
        let event = r#"{"headers":{"Authorization":"Bearer opaque-credential"},"body":"opaque-credential"}"#;
        let kept = papers(event, b"opaque-credential");
        let all = format!("{:?}{:?}{:?}", kept.asked, kept.event, kept.answer);
        assert!(!all.contains("-credential"), "{all}");
        assert!(all.contains("x-echo"), "{all}");
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_was_sent() {
        let long = papers(&format!("\"{}\"", "x".repeat(MAX_READ - 2)), b"\xff");
        assert!(long.bytes() < 3 * MAX_KEPT);
        assert_eq!(long.answer.body, "[1 bytes that are no text]");
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "x".repeat(1 << 20).parse().unwrap());
        let answered = Answered {
            status: 200,
            headers: &headers,
            body: &Bytes::new(),
            is_base64: false,
        };
        let of_headers = Papers::new(&Secrets::default(), None, None, &answered);
        assert!(of_headers.bytes() < MAX_KEPT);
        let longer = papers(&"\u{e4}".repeat(MAX_READ), b"");
        assert!(longer.event.unwrap().contains("131072 bytes"));
    }

    #[test]
    fn of_a_body_in_base64_its_length_is_kept() {
        let answered = Answered {
            status: 200,
            headers: &HeaderMap::new(),
            body: &Bytes::from_static(b"b3BhcXVlLWNyZWRlbnRpYWw="),
            is_base64: true,
        };
        let kept = Papers::new(&Secrets::default(), None, None, &answered);
        assert_eq!(kept.answer.body, "[24 characters of base64, not shown]");
    }
}
