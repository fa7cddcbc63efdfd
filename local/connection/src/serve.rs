//! Accepting connections, and having hyper read them.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::guard::Guard;
use crate::head::MAX_HEADERS;
use crate::room::Room;

/// How long a connection may be without a request.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long requests in flight may take once nothing more is accepted.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it is waited when no connection can be accepted.
const PAUSE: Duration = Duration::from_millis(50);
/// How often that is said.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Serves connections until `stop` is done, then the requests in flight. `open` gives what a connection is
/// read from, which is the guard or stands on it, and what answers its requests.
pub async fn serve<I, S, B>(
    listener: TcpListener,
    room: &Room,
    stop: impl Future<Output = ()>,
    mut open: impl FnMut(Guard<TcpStream>, SocketAddr) -> (I, S),
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = B, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (ending, end) = watch::channel(());
    let mut accepting = Accepting::default();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accepting.next(&listener) => accepted,
            () = &mut stop => break,
        };
        // Small messages, each waited for.
        let _ = stream.set_nodelay(true);
        let place = room.take();
        let (stream, service) = open(Guard::new(stream), peer);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_TIMEOUT)
            .max_headers(MAX_HEADERS)
            // Who has said everything may still listen.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        let mut end = end.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => Some(ended),
                () = place.wanted() => None,
                _ = end.changed() => None,
            };
            if ended.is_none() {
                // After the request that it is at.
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    // A client that goes away, or speaks no HTTP, is nobody's fault here.
                    _ = connection => {}
                    () = place.wanted() => {}
                }
            }
        });
    }
    drop((listener, end));
    ending.send_replace(());
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, ending.closed()).await;
}

/// Accepts connections, and waits where none can be.
#[derive(Debug, Default)]
struct Accepting {
    /// When it was said last that none can be.
    said: Option<Instant>,
}

impl Accepting {
    async fn next(&mut self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: give connections time to end.
                    if self.said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
                        self.said = Some(Instant::now());
                        tracing::warn!(%error, "connections cannot be accepted now");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
