//! What suites stand on: the repository's executables, gateways started from them, requests to those
//! or to a deployment, and tests that are skipped by name where a target lacks what they need; and for
//! a function by itself a Runtime API, an issuer, keys made at run time and a DynamoDB, all on
//! loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a suite that breaks is a test that fails"
)]

pub mod authorizer;
pub mod call;
pub mod choices;
pub mod chromium;
pub mod disk;
pub mod event;
pub mod function;
pub mod gateway;
pub mod issuer;
pub mod keygate;
pub mod loopback;
pub mod metric_filter;
pub mod node;
pub mod page;
pub mod probe;
pub mod project;
pub mod raw;
pub mod roca;
pub mod signer;
pub mod small_order;
pub mod suite;
pub mod symbols;
pub mod table;
pub mod target;
pub mod terminal;
pub mod venv;
