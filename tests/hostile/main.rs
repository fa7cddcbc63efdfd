//! What an attacker or an outage can send the authorizer: the built binary behind a Runtime API,
//! with an issuer and a table that do what they must not.
//!
//! Each bad credential is expected to be refused for its own reason, not for any: a case that is
//! refused earlier than meant proves nothing about the check that it is for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite that breaks is a test that fails"
)]

mod cases;
mod faults;
mod flood;
mod keys;
mod published;
mod request_events;
mod tokens;
mod weak;
