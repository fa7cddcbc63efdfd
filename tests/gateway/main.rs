//! The end-to-end suite: requests to a gateway, as its clients send them. [`keygate_tests::gateway`]
//! says which gateway.

// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access_log;
mod claims;
mod client_steps;
mod clients;
mod cors;
mod dependencies;
mod explain;
mod faulty;
mod handlers;
mod key_credentials;
mod keys;
mod keys_function;
mod metadata;
mod oauth_clients;
mod operator;
mod problems;
mod processes;
mod request_events;
mod routes;
mod runtimes;
mod services;
mod start;
mod sweep;
mod tokens;
mod unread;
mod usage_keys;
mod usage_plan;
mod visible;

use std::process::ExitCode;

fn main() -> ExitCode {
    keygate_tests::gateway::test(&[
        keys::TESTS,
        tokens::TESTS,
        key_credentials::TESTS,
        request_events::TESTS,
        dependencies::TESTS,
        cors::TESTS,
        metadata::TESTS,
        clients::TESTS,
        problems::TESTS,
        oauth_clients::TESTS,
        client_steps::TESTS,
        usage_plan::TESTS,
        usage_keys::TESTS,
        operator::TESTS,
        sweep::TESTS,
        explain::TESTS,
        start::TESTS,
        processes::TESTS,
        routes::TESTS,
        handlers::TESTS,
        runtimes::TESTS,
        access_log::TESTS,
        claims::TESTS,
        unread::TESTS,
        visible::TESTS,
    ])
}
