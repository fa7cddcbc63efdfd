//! A request as it stands on the wire, and what comes back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The longest that a part of an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(35);

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code; `None` where the connection is closed without an answer.
    pub(crate) status: Option<u16>,
    /// Every header, its name in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, whatever it holds.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(other, _)| other == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Sends one request to the host of an address, and reads until the connection is closed, which the request
/// asks for.
#[track_caller]
pub(crate) fn exchange(url: &str, sent: &[u8]) -> Answer {
    let host = url.strip_prefix("http://").unwrap();
    let host = host.split('/').next().unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    // A gateway may refuse a request before it has read all of it: what counts is its answer.
    let _ = connection.write_all(sent);
    let mut received = Vec::new();
    let _ = connection.read_to_end(&mut received);
    parsed(&received)
}

#[track_caller]
fn parsed(received: &[u8]) -> Answer {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Answer {
            status: None,
            headers: Vec::new(),
            body: received.to_vec(),
        };
    };
    let (head, behind) = (&received[..end], &received[end + 4..]);
    let head: String = head.iter().map(|byte| char::from(*byte)).collect();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let status: u16 = status.parse().unwrap();
    if status == 100 {
        return parsed(behind);
    }
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let mut answer = Answer {
        status: Some(status),
        headers: headers.collect(),
        body: Vec::new(),
    };
    answer.body = if answer.header("transfer-encoding") == Some("chunked") {
        unchunked(behind)
    } else {
        behind.to_vec()
    };
    answer
}

/// The body that stands in chunks.
#[track_caller]
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n");
        // The answer to a HEAD has no chunks.
        let Some(line) = line else { return body };
        let length = str::from_utf8(&rest[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        let chunk = &rest[line + 2..];
        body.extend_from_slice(&chunk[..length]);
        rest = &chunk[length + 2..];
    }
}
