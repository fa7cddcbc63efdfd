//! Where requests come in. What answers them may be replaced meanwhile: each request is answered by what
//! was there when it came.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use keygate_connection::Room;
use keygate_functions::Functions;
use tokio::net::TcpListener;

use super::spelling::Watched;
use super::{Control, Front, Gateway, ListedRoutes, Told};

/// The way in to a gateway.
pub struct Door {
    front: Arc<RwLock<Arc<Front>>>,
    functions: Arc<Functions>,
    told: Told,
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
        let front = Front::new(gateway, listed, functions, &told);
        Self {
            front: Arc::new(RwLock::new(front)),
            functions: Arc::clone(functions),
            told,
        }
    }

    /// Leads to another gateway from the next request on.
    pub fn replace(&self, gateway: Gateway, listed: ListedRoutes) {
        let front = Front::new(gateway, listed, &self.functions, &self.told);
        *self.front.write().unwrap_or_else(PoisonError::into_inner) = front;
    }

    /// Serves requests until `stop` is done, then those in flight.
    pub async fn serve(&self, listener: TcpListener, room: &Room, stop: impl Future<Output = ()>) {
        keygate_connection::serve(listener, room, stop, |connection, peer| {
            let (connection, spellings) = Watched::new(connection);
            let front = Arc::clone(&self.front);
            let service = service_fn(move |mut request: Request<Incoming>| {
                let spelling = spellings.next(request.headers());
                request.extensions_mut().insert(spelling);
                let front = Arc::clone(&front.read().unwrap_or_else(PoisonError::into_inner));
                async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
            });
            (connection, service)
        })
        .await;
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
