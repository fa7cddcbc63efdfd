//! Where requests come in. What answers them may be replaced meanwhile: each request is answered by what
//! was there when it came.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use keygate_connection::Room;
use keygate_console::Lines;
use tokio::net::TcpListener;

use super::spelling::Watched;
use super::trips::Trips;
use super::{Front, Gateway, Invoker, ListedRoutes, Parting, Told};

/// The way in to a gateway.
pub struct Door {
    front: Arc<RwLock<Arc<Front>>>,
    functions: Invoker,
    trips: Arc<Trips>,
}

impl Door {
    /// The way in to this gateway, whose functions these are.
    #[must_use]
    pub fn new(gateway: Gateway, listed: ListedRoutes, functions: &Invoker, told: Told) -> Self {
        let trips = Arc::clone(&told.trips);
        let front = Front::new(gateway, listed, functions, told);
        Self {
            front: Arc::new(RwLock::new(front)),
            functions: functions.clone(),
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
