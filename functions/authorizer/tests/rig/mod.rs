//! What tests and figures stand on: a signer with keys made at run time, an issuer and a Runtime
//! API on loopback, and the built authorizer as a process between them.

#![allow(dead_code, reason = "each user of the rig needs a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a rig that breaks is a test that fails"
)]

pub(crate) mod house;
pub(crate) mod issuer;
pub(crate) mod loopback;
pub(crate) mod process;
pub(crate) mod signer;
pub(crate) mod table;
