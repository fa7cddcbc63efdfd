//! What a deployment gives the routes to work on.

use keygate_issuing::{AuthorizerEvents, Issuing};

use crate::trust::Trust;

/// What the routes work on.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) issuing: Issuing,
    pub(crate) trust: Trust,
    /// What the authorizer is told of requests.
    pub(crate) events: AuthorizerEvents,
}
