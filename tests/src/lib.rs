//! What the suites of this package stand on: the repository's executables, gateways started from
//! them, and tests that are skipped by name where a target lacks what they need.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a suite that breaks is a test that fails"
)]

pub mod keygate;
pub mod suite;
