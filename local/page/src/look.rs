//! What there is to look at: what the gateway keeps and tells, and nothing that it does not.

use std::sync::Arc;

use keygate_gateway::Controls;
use keygate_gateway::trips::{Trips, Whole};
use keygate_outbound::Outbound;
use tokio::sync::{Semaphore, watch};

use super::form::Sender;
use super::stage::Stage;

/// How many pages may be told at once what is new.
const MAX_READERS: usize = 32;

/// What there is to look at.
#[derive(Clone)]
pub struct Look {
    pub(super) trips: Arc<Trips>,
    pub(super) controls: Controls,
    stage: watch::Receiver<Arc<Stage>>,
    /// `None` where there is no HTTP client.
    pub(super) sender: Arc<Option<Sender>>,
    /// The places of those that are told what is new.
    pub(super) readers: Arc<Semaphore>,
}

impl Look {
    /// At these requests and plans, and at what is served. Tokens for the form come from `issuer`.
    #[must_use]
    pub fn at(
        trips: Arc<Trips>,
        controls: Controls,
        stage: watch::Receiver<Arc<Stage>>,
        issuer: String,
    ) -> Self {
        let outbound = Outbound::new(&keygate_settings::Settings::default()).ok();
        let sender = outbound.and_then(|outbound| Sender::new(&outbound, issuer));
        Self {
            trips,
            controls,
            stage,
            sender: Arc::new(sender),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }

    /// A request with the checks that were made when the answer was given that was kept for it.
    pub(super) fn with_former_checks(&self, whole: Whole) -> Whole {
        let step = whole.trip.authorizer.as_ref();
        let former = step.and_then(|step| self.trips.whole(step.answered_in.as_deref()?));
        Whole {
            checks: former.map_or(whole.checks, |former| former.checks),
            ..whole
        }
    }

    /// What is served now.
    pub(super) fn stage(&self) -> Arc<Stage> {
        Arc::clone(&self.stage.borrow())
    }
}
