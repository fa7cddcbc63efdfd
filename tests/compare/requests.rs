//! The requests that are compared: `requests.txt`.

const LIST: &str = include_str!("requests.txt");

/// One request to one of the APIs.
#[derive(Debug)]
pub(crate) struct Request {
    /// What it is about, in a few words; no other has this name.
    pub(crate) name: &'static str,
    /// The template that describes the API.
    pub(crate) api: &'static str,
    /// The method, and the path behind the stage as it is sent.
    line: &'static str,
    /// Each a line, those that every request has among them.
    headers: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Request {
    #[track_caller]
    fn read(api: &'static str, text: &'static str) -> Self {
        let mut parts = text.split(" | ").peekable();
        let name = parts.next().unwrap();
        let line = parts.next().unwrap_or_else(|| panic!("no request: {text}"));
        let (bodies, headers): (Vec<_>, Vec<_>) = parts.partition(|part| part.starts_with("> "));
        let body = bodies
            .first()
            .map_or(Vec::new(), |body| body_of(&body[2..]));
        let mut headers: Vec<_> = headers.into_iter().map(unescaped).collect();
        let is_chunked = text.contains("| Transfer-Encoding: chunked |");
        if !body.is_empty() && !is_chunked {
            headers.push(format!("Content-Length: {}", body.len()).into_bytes());
        }
        headers.push(b"Host: localhost".to_vec());
        headers.push(b"Connection: close".to_vec());
        Self {
            name,
            api,
            line,
            headers,
            body,
        }
    }

    /// The names of its headers, as they are sent.
    pub(crate) fn header_names(&self) -> Vec<String> {
        let names = self.headers.iter().map(|line| {
            let name = line.split(|byte| *byte == b':').next().unwrap();
            String::from_utf8(name.to_vec()).unwrap()
        });
        names.collect()
    }

    /// As it stands on the wire, with a prefix before the path.
    pub(crate) fn sent(&self, prefix: &str) -> Vec<u8> {
        let (method, path) = self.line.split_once(' ').unwrap_or((self.line, ""));
        let mut sent = format!("{method} {prefix}{path} HTTP/1.1\r\n").into_bytes();
        for line in &self.headers {
            sent.extend_from_slice(line);
            sent.extend_from_slice(b"\r\n");
        }
        sent.extend_from_slice(b"\r\n");
        sent.extend_from_slice(&self.body);
        sent
    }
}

/// A body of the list.
fn body_of(text: &str) -> Vec<u8> {
    match text.split_once(" times ") {
        Some((times, part)) => part.repeat(times.parse().unwrap()).into_bytes(),
        None => unescaped(text),
    }
}

/// The bytes of a text in which some are escaped.
fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (escaped, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(escaped, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// All of them, in the list's order: some rest upon what those before them have left in an authorizer's cache.
pub(crate) fn requests() -> Vec<Request> {
    let mut api = "";
    let mut requests = Vec::new();
    for line in LIST.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            api = heading.split(':').next().unwrap();
        } else if !line.is_empty() && !line.starts_with('#') {
            requests.push(Request::read(api, line));
        }
    }
    requests
}
