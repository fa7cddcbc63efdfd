//! A small HTTP/1.1 server on a free loopback port, a thread a connection.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// One request.
pub struct Request {
    /// As it was sent.
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whole, also when it came in chunks.
    pub body: Vec<u8>,
}

/// One answer.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Besides `content-length`.
    pub headers: Vec<(&'static str, String)>,
    /// Sent as it is.
    pub body: Vec<u8>,
    /// Whether the connection breaks off before the body's announced end.
    pub is_cut: bool,
}

impl Response {
    /// JSON with a status.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: body.into(),
            is_cut: false,
        }
    }

    /// The same, broken off after what is there of the body.
    pub fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Serves on a free port until the process ends.
pub fn serve(answer: impl Fn(Request) -> Response + Send + Sync + 'static) -> SocketAddr {
    serve_at(0, answer)
}

/// Serves on a port until the process ends.
pub fn serve_at(
    port: u16,
    answer: impl Fn(Request) -> Response + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || converse(&connection, answer.as_ref()));
        }
    });
    address
}

fn converse(connection: &TcpStream, answer: &dyn Fn(Request) -> Response) {
    connection.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(connection);
    while let Some(request) = read(&mut reader) {
        let response = answer(request);
        let mut message = format!(
            "HTTP/1.1 {} x\r\ncontent-length: {}\r\n",
            response.status,
            response.body.len() + usize::from(response.is_cut)
        );
        for (name, value) in &response.headers {
            for part in [name, ": ", value, "\r\n"] {
                message.push_str(part);
            }
        }
        message.push_str("\r\n");
        let mut message = message.into_bytes();
        message.extend_from_slice(&response.body);
        let mut writer = connection;
        if writer.write_all(&message).is_err() || response.is_cut {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |wanted| {
        let mut headers = headers.iter();
        headers.find_map(|(name, value)| (name == wanted).then_some(value))
    };
    let length = header("content-length").map_or(Ok(0), |length| length.parse());
    let mut body = vec![0; length.ok()?];
    reader.read_exact(&mut body).ok()?;
    if header("transfer-encoding").is_some() {
        read_chunks(reader, &mut body)?;
    }
    Some(Request {
        method,
        path,
        headers,
        body,
    })
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        reader.read_exact(&mut chunk).ok()?;
        if length == 0 {
            return Some(());
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
