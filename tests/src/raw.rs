//! Requests as they stand on the wire, for a test of how names are spelled or bodies are sent: an HTTP
//! client writes names in its own way.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(50);

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Every header, its name as it was sent.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// The values of a header, joined.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let named = self.headers.iter();
        let named = named.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let values: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        values.join(", ")
    }

    /// The body, which must be JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {self:#?}"),
        }
    }
}

/// Sends one request with these lines behind the request line, each with a header, and this body. The
/// path is the whole one, with the stage. Where no line is a `Host`, the address's is sent.
///
/// # Panics
/// When there is no answer.
#[must_use]
#[track_caller]
pub fn ask(url: &str, request_line: &str, headers: &[&str], body: &str) -> Answer {
    let mut lines = vec![format!("{request_line} HTTP/1.1")];
    let is_host = |header: &&str| header.to_ascii_lowercase().starts_with("host:");
    if !headers.iter().any(is_host) {
        lines.push(format!("Host: {}", host(url)));
    }
    lines.extend(headers.iter().map(ToString::to_string));
    if !body.is_empty() {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    lines.push("Connection: close".to_owned());
    let sent = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
    let mut answers = converse(url, sent.as_bytes());
    assert_eq!(answers.len(), 1, "{answers:#?}");
    answers.remove(0)
}

/// Sends all of it at once to the host of an address, and reads the answers until the connection is
/// closed, which the last request must ask for.
///
/// # Panics
/// When what comes back is no HTTP.
#[must_use]
#[track_caller]
pub fn converse(url: &str, sent: &[u8]) -> Vec<Answer> {
    let mut connection = connect(url);
    connection.write_all(sent).unwrap();
    answers(connection)
}

/// As [`converse`], and ends its own side once all is sent, whatever that is.
///
/// # Panics
/// When what comes back is no HTTP.
#[must_use]
#[track_caller]
pub fn converse_and_end(url: &str, sent: &[u8]) -> Vec<Answer> {
    let mut connection = connect(url);
    connection.write_all(sent).unwrap();
    // Whoever has refused it may have closed all by now.
    let _ = connection.shutdown(Shutdown::Write);
    answers(connection)
}

/// A connection to the host of an address, whose reads do not take for ever.
///
/// # Panics
/// When there is none.
#[must_use]
#[track_caller]
pub fn connect(url: &str) -> TcpStream {
    let connection = TcpStream::connect(host(url)).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

/// The answers until the connection is closed.
///
/// # Panics
/// When what comes back is no HTTP.
#[must_use]
#[track_caller]
pub fn answers(mut connection: TcpStream) -> Vec<Answer> {
    let mut received = Vec::new();
    connection.read_to_end(&mut received).unwrap();
    let mut rest = received.as_slice();
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (answer, behind) = answer(rest);
        rest = behind;
        // 100 (Continue) is no answer yet.
        if answer.status >= 200 {
            answers.push(answer);
        }
    }
    answers
}

/// The host of an address, with its port.
fn host(url: &str) -> &str {
    let host = url.strip_prefix("http://").unwrap();
    host.split('/').next().unwrap()
}

/// The first answer in some bytes, and what is behind it.
#[track_caller]
fn answer(bytes: &[u8]) -> (Answer, &[u8]) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        panic!("no HTTP: {:?}", String::from_utf8_lossy(bytes));
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut answer = Answer {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        headers: headers.collect(),
        body: String::new(),
    };
    let length = answer.header("content-length").parse().unwrap_or(0);
    let (body, rest) = bytes[end + 4..].split_at(length);
    answer.body = String::from_utf8_lossy(body).into_owned();
    (answer, rest)
}
