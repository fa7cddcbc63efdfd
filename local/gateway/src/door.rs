//! Where requests come in. What answers them may be replaced meanwhile: each request is answered by what
//! was there when it came.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use keygate_console::Lines;
use keygate_functions::{Functions, Parting};
use tokio::net::TcpListener;

use super::spelling::Watched;
use super::trips::Trips;
use super::{Control, Front, Gateway, ListedRoutes, READ_TIMEOUT, Told};

/// The most headers. With more, or with a line that is no HTTP, the connection's own error comes
/// back, bare and before any access log.
const MAX_HEADERS: usize = 512;
/// How long requests in flight may take once the gateway is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The way in to a gateway.
pub struct Door {
    front: Arc<RwLock<Arc<Front>>>,
    functions: Arc<Functions>,
    trips: Arc<Trips>,
}

/// The way in for what manages the stage.
#[derive(Debug, Clone)]
pub struct Controls(Arc<RwLock<Control>>);

impl Door {
    /// The way in to this gateway, whose functions these are.
    #[must_use]
    pub fn new(
        gateway: Gateway,
        listed: ListedRoutes,
        functions: &Arc<Functions>,
        told: Told,
    ) -> Self {
        let trips = Arc::clone(&told.trips);
        let front = Front::new(gateway, listed, functions, told);
        Self {
            front: Arc::new(RwLock::new(front)),
            functions: Arc::clone(functions),
            trips,
        }
    }

    /// Leads to another gateway from the next request on. Functions that are `parting` go once the former
    /// has answered its last request.
    pub fn replace(
        &self,
        gateway: Gateway,
        listed: ListedRoutes,
        access_log: Option<Lines>,
        parting: Parting,
    ) {
        let told = Told {
            access_log,
            trips: Arc::clone(&self.trips),
        };
        let front = Front::new(gateway, listed, &self.functions, told);
        let mut current = self.front.write().unwrap_or_else(PoisonError::into_inner);
        let former = std::mem::replace(&mut *current, Arc::clone(&front));
        drop(current);
        former.part_with(parting, &front);
    }

    /// Serves requests until `stop` is done, then those in flight.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: give connections time to end.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            // Small messages, each waited for.
            let _ = stream.set_nodelay(true);
            let (stream, spellings) = Watched::new(stream);
            let front = Arc::clone(&self.front);
            let service = service_fn(move |mut request: Request<Incoming>| {
                let spelling = spellings.next(request.headers());
                request.extensions_mut().insert(spelling);
                let front = Arc::clone(&front.read().unwrap_or_else(PoisonError::into_inner));
                async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READ_TIMEOUT)
                .max_headers(MAX_HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                // A client that goes away, or speaks no HTTP, is nobody's fault here.
                let _ = connection.await;
            });
        }
        drop(listener);
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
    }
}

impl Controls {
    /// What manages the stage now.
    pub fn current(&self) -> Control {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Has another stage managed from the next call on, and gives the former.
    pub fn replace(&self, control: Control) -> Control {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, control)
    }
}

impl From<Control> for Controls {
    fn from(control: Control) -> Self {
        Self(Arc::new(RwLock::new(control)))
    }
}
