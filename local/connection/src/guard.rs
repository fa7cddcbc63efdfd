//! A connection as hyper may read it: whole and well-formed heads only, each in time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::body::Body;
use crate::head::{Framing, Head};
use crate::malformed::Malformed;

/// How long a head may take from its first byte on.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body may take. What serves may have a limit of its own below it.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a client may read nothing of an answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long, and how much, is read of what a refused client goes on to send. A connection that is closed on
/// unread data is reset, and the reset can overtake the answer (RFC 9112 section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_LINGERED_BYTES: usize = 64 * 1024 * 1024;

/// A connection that is looked at before it is read.
#[derive(Debug)]
pub struct Guard<S> {
    stream: S,
    place: Place,
    /// What may be read, from `given` on.
    passed: Vec<u8>,
    given: usize,
    /// Until when what is on its way must be there.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Until when some of the answer must be read.
    answer_deadline: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

/// Where in the stream of requests the next byte is.
#[derive(Debug)]
enum Place {
    Head(Head),
    Body(Body),
    /// A body that is none: nothing more is read.
    Failed,
    /// A request that is none: nothing more is read.
    Refused,
}

/// Whoever was refused is heard out for a while.
#[derive(Debug)]
struct Lingering {
    left: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> Guard<S> {
    /// Looks at a new connection.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            place: Place::Head(Head::default()),
            passed: Vec::new(),
            given: 0,
            deadline: None,
            answer_deadline: None,
            lingering: None,
        }
    }

    /// Takes what has come.
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.place {
                Place::Failed | Place::Refused => return,
                Place::Head(head) => {
                    let read = match head.take(bytes) {
                        Ok(None) => return,
                        Ok(Some(rest)) => head.finish().map(|finished| (finished, rest)),
                        Err(malformed) => Err(malformed),
                    };
                    self.deadline = None;
                    let ((head, framing), rest) = match read {
                        Ok(read) => read,
                        Err(malformed) => {
                            self.refuse(malformed);
                            return;
                        }
                    };
                    self.passed.extend_from_slice(&head);
                    if framing == Framing::Length(0) {
                        self.place = Place::Head(Head::default());
                    } else {
                        self.place = Place::Body(Body::new(framing));
                    }
                    bytes = rest;
                }
                Place::Body(body) => {
                    let Ok((length, is_over)) = body.take(bytes) else {
                        self.place = Place::Failed;
                        return;
                    };
                    let (taken, rest) = bytes.split_at(length);
                    self.passed.extend_from_slice(taken);
                    if is_over {
                        self.deadline = None;
                        self.place = Place::Head(Head::default());
                    }
                    bytes = rest;
                }
            }
        }
    }

    /// Puts the guard's own request in the place of one that cannot be read. It is the last.
    fn refuse(&mut self, malformed: Malformed) {
        self.place = Place::Refused;
        self.deadline = None;
        self.passed
            .extend_from_slice(malformed.request().as_bytes());
    }

    /// Gives as much of what may be read as there is room for; false where there is nothing.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let left = self.passed.get(self.given..).unwrap_or_default();
        if left.is_empty() {
            return false;
        }
        let (given, _) = left.split_at(left.len().min(buffer.remaining()));
        buffer.put_slice(given);
        self.given += given.len();
        if self.given == self.passed.len() {
            // Its memory is given back: most connections are idle.
            self.passed = Vec::new();
            self.given = 0;
        }
        true
    }

    /// Waits for what is on its way, and refuses it when its time is over.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = match &self.place {
            Place::Head(head) if head.is_empty() => return Poll::Pending,
            Place::Head(_) => HEAD_TIMEOUT,
            Place::Body(_) => BODY_TIMEOUT,
            Place::Failed | Place::Refused => return Poll::Pending,
        };
        let deadline = self.deadline.get_or_insert_with(|| in_time(limit));
        ready!(deadline.as_mut().poll(context));
        if matches!(self.place, Place::Head(_)) {
            self.refuse(Malformed::Slow);
            return Poll::Ready(Ok(()));
        }
        self.place = Place::Failed;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Counts the time in which a client reads nothing of its answer.
    fn poll_answered<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.answer_deadline = None;
            return written;
        }
        let deadline = self
            .answer_deadline
            .get_or_insert_with(|| in_time(ANSWER_TIMEOUT));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn in_time(limit: Duration) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::now() + limit))
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        loop {
            if guard.give(buffer) {
                return Poll::Ready(Ok(()));
            }
            match guard.place {
                Place::Failed => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                // Whatever follows is no business of hyper's, which has its last request.
                Place::Refused => return Poll::Pending,
                Place::Head(_) | Place::Body(_) => {}
            }
            // The buffer's own memory, so that an idle connection has none for it.
            let mut read = ReadBuf::new(buffer.initialize_unfilled());
            match Pin::new(&mut guard.stream).poll_read(context, &mut read) {
                Poll::Pending => ready!(guard.poll_deadline(context))?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) if read.filled().is_empty() => match &guard.place {
                    Place::Head(head) if !head.is_empty() => guard.refuse(Malformed::BrokenOff),
                    _ => return Poll::Ready(Ok(())),
                },
                Poll::Ready(Ok(())) => guard.take(read.filled()),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        let written = Pin::new(&mut guard.stream).poll_write(context, bytes);
        guard.poll_answered(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        let written = Pin::new(&mut guard.stream).poll_write_vectored(context, slices);
        guard.poll_answered(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.lingering.is_none() {
            ready!(Pin::new(&mut guard.stream).poll_shutdown(context))?;
        }
        if !matches!(guard.place, Place::Failed | Place::Refused) {
            return Poll::Ready(Ok(()));
        }
        let lingering = guard.lingering.get_or_insert_with(|| Lingering {
            left: MAX_LINGERED_BYTES,
            until: in_time(LINGER_TIMEOUT),
        });
        let mut chunk = [0; 4096];
        // Whoever sends for longer than that is cut off.
        while lingering.until.as_mut().poll(context).is_pending() {
            let mut read = ReadBuf::new(&mut chunk);
            match ready!(Pin::new(&mut guard.stream).poll_read(context, &mut read)) {
                Ok(()) if !read.filled().is_empty() => {
                    match lingering.left.checked_sub(read.filled().len()) {
                        Some(left) => lingering.left = left,
                        None => break,
                    }
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

    /// What hyper would be given of what a client sends before it ends.
    async fn given(sent: &str) -> io::Result<String> {
        let (mut client, server) = duplex(1024 * 1024);
        client.write_all(sent.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut guard = Guard::new(server);
        let mut all = Vec::new();
        let mut chunk = [0; 100];
        // A refused connection has no end.
        let pause = Duration::from_hours(1);
        while let Ok(read) = tokio::time::timeout(pause, guard.read(&mut chunk)).await {
            match read? {
                0 => break,
                length => all.extend_from_slice(&chunk[..length]),
            }
        }
        Ok(String::from_utf8(all).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn requests_pass_as_they_are_and_one_that_is_none_is_replaced() {
        let post = "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\0\n\r";
        let chunked =
            "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n";
        let good = format!("{GET}{post}{chunked}{GET}");
        assert_eq!(given(&good).await.unwrap(), good);
        for (bad, malformed) in [
            ("GET /\r\n", Malformed::RequestLine),
            ("\u{1}", Malformed::Control),
            ("GET / HTTP/1.1\r\nHost", Malformed::BrokenOff),
        ] {
            let sent = format!("{good}{bad}{}", "more".repeat(100));
            let sent = if malformed == Malformed::BrokenOff {
                format!("{good}{bad}")
            } else {
                sent
            };
            let expected = format!("{good}{}", malformed.request());
            assert_eq!(given(&sent).await.unwrap(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_none_is_an_error() {
        let bad = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        let error = given(bad).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_and_a_body_have_their_time_and_an_idle_connection_has_no_end() {
        let (mut client, server) = duplex(1024);
        let mut guard = Guard::new(server);
        let mut chunk = [0; 1024];
        let idle = guard.read(&mut chunk);
        assert!(tokio::time::timeout(HEAD_TIMEOUT * 10, idle).await.is_err());
        let slow = tokio::spawn(async move {
            while client.write_all(b"a").await.is_ok() {
                tokio::time::sleep(HEAD_TIMEOUT / 10).await;
            }
        });
        let length = guard.read(&mut chunk).await.unwrap();
        let expected = Malformed::Slow.request();
        assert_eq!(&chunk[..length], expected.as_bytes());
        slow.abort();

        let (mut client, server) = duplex(1024);
        let mut guard = Guard::new(server);
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
        client.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(guard.read(&mut chunk).await.unwrap(), head.len());
        let error = guard.read(&mut chunk).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_ends() {
        let (_client, server) = duplex(16);
        let mut guard = Guard::new(server);
        let error = guard.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
