//! How a client spelled the names of its headers. API Gateway passes them on as they were sent over
//! HTTP/1.1; hyper gives them in lower case, and keeps the spelling where nobody else can read it. So
//! each connection's bytes are looked at on their way to hyper.
//!
//! Nothing is decided here but spelling: a request is what hyper reads. Where the two do not read the
//! same names, which a sender of malformed requests can bring about, names stay in lower case.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of a line is looked at: more than all headers of a request that reaches a function.
const MAX_LINE: usize = 16 * 1024;

/// The names of one request's headers as they were sent; of a name that was spelled in several ways,
/// the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Spelling(HashMap<HeaderName, String>);

impl Spelling {
    /// A name as it was sent, or in lower case where that is not known.
    pub(super) fn of<'a>(&'a self, name: &'a HeaderName) -> &'a str {
        self.0.get(name).map_or(name.as_str(), String::as_str)
    }

    fn add(&mut self, name: &[u8]) {
        if let (Ok(known), Ok(sent)) = (HeaderName::from_bytes(name), std::str::from_utf8(name)) {
            self.0.entry(known).or_insert_with(|| sent.to_owned());
        }
    }

    fn has_all(&self, headers: &HeaderMap) -> bool {
        headers.keys().all(|name| self.0.contains_key(name))
    }
}

/// A connection whose requests' spelling is looked at.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    spellings: Spellings,
}

/// The spelling of each request of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Spellings(Arc<Mutex<Reader>>);

impl<S> Watched<S> {
    pub(super) fn new(stream: S) -> (Self, Spellings) {
        let spellings = Spellings::default();
        let watched = Self {
            stream,
            spellings: spellings.clone(),
        };
        (watched, spellings)
    }
}

impl Spellings {
    /// The spelling of the next request, whose headers are these; to be called once for each.
    pub(super) fn next(&self, headers: &HeaderMap) -> Spelling {
        let mut reader = self.reader();
        match reader.read.pop_front() {
            Some(spelling) if spelling.has_all(headers) => spelling,
            _ => {
                reader.lose();
                Spelling::default()
            }
        }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let watched = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut watched.stream).poll_read(context, buffer);
        if let Some(new) = buffer.filled().get(before..)
            && !new.is_empty()
        {
            watched.spellings.reader().take(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// Where in the stream of requests the next byte is (RFC 9112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    RequestLine,
    Headers,
    /// So many bytes are left of a body, and no chunk's.
    Body(u64),
    ChunkSize,
    /// So many bytes are left of a chunk.
    Chunk(u64),
    ChunkEnd,
    Trailers,
    /// What follows is not known: it was no HTTP.
    Lost,
}

/// Reads the names out of a connection's bytes, in whatever pieces they come.
#[derive(Debug, Default)]
struct Reader {
    place: Place,
    /// What has come of the line, its first [`MAX_LINE`] bytes.
    line: Vec<u8>,
    spelling: Spelling,
    length: Option<u64>,
    is_chunked: bool,
    /// The requests that nobody has asked for yet.
    read: VecDeque<Spelling>,
}

impl Reader {
    fn lose(&mut self) {
        *self = Self {
            place: Place::Lost,
            ..Self::default()
        };
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Lost => return,
                Place::Body(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.place = match left {
                        0 => Place::RequestLine,
                        left => Place::Body(left),
                    };
                    rest
                }
                Place::Chunk(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.place = match left {
                        0 => Place::ChunkEnd,
                        left => Place::Chunk(left),
                    };
                    rest
                }
                _ => self.take_line(bytes),
            };
        }
    }

    /// Takes what there is of a line, and gives what is behind it.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        let room = MAX_LINE.saturating_sub(self.line.len());
        self.line
            .extend_from_slice(part.get(..room).unwrap_or(part));
        if end.is_none() {
            return rest;
        }
        let mut line = mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        self.end_line(&line);
        // Its memory serves the next line.
        line.clear();
        self.line = line;
        rest.get(1..).unwrap_or_default()
    }

    fn end_line(&mut self, line: &[u8]) {
        match self.place {
            Place::RequestLine if line.is_empty() => {}
            Place::RequestLine => self.place = Place::Headers,
            Place::Headers if line.is_empty() => self.end_head(),
            Place::Headers => self.header(line),
            Place::ChunkSize => match chunk_size(line) {
                Some(0) => self.place = Place::Trailers,
                Some(size) => self.place = Place::Chunk(size),
                None => self.lose(),
            },
            Place::ChunkEnd if line.is_empty() => self.place = Place::ChunkSize,
            Place::Trailers if line.is_empty() => self.place = Place::RequestLine,
            Place::Trailers => {}
            Place::ChunkEnd | Place::Body(_) | Place::Chunk(_) | Place::Lost => self.lose(),
        }
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = line.split_at(colon);
        self.spelling.add(name);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let digits = value.get(1..).map(<[u8]>::trim_ascii);
            let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| digits.parse().ok()) {
                Some(length) => self.length = Some(length),
                None => self.lose(),
            }
        }
    }

    fn end_head(&mut self) {
        self.read.push_back(mem::take(&mut self.spelling));
        let length = self.length.take().unwrap_or(0);
        self.place = match (mem::take(&mut self.is_chunked), length) {
            (true, _) => Place::ChunkSize,
            (false, 0) => Place::RequestLine,
            (false, length) => Place::Body(length),
        };
    }
}

/// Leaves out as much as there is of so many bytes: how many are left, and what is behind them.
fn skip(left: u64, bytes: &[u8]) -> (u64, &[u8]) {
    let there = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match usize::try_from(left) {
        Ok(all) if left < there => (0, bytes.get(all..).unwrap_or_default()),
        _ => (left - there.min(left), &[]),
    }
}

/// The size at the beginning of a chunk's line, before its extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_hex = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(size).ok().filter(|_| is_hex)?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
