//! Where everything is on this machine.

use crate::aws::Services;

/// The addresses of this gateway and what it stands on.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) gateway_port: u16,
    /// Without the stage.
    pub(super) gateway: String,
    pub(super) issuer: String,
    pub(super) services: Services,
}
