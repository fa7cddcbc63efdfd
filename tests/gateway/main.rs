//! The end-to-end suite: requests to a gateway, as its clients send them. [`keygate_tests::gateway`]
//! says which gateway.

// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absent_services;
mod access_log;
mod bad_input;
mod builds;
mod chatty;
mod claims;
mod client_steps;
mod clients;
mod cors;
mod decision_metrics;
mod dependencies;
mod explain;
mod faulty;
mod first_look;
mod foreign_apis;
mod handlers;
mod invoke;
mod invoke_clients;
mod issuer;
mod key_credentials;
mod key_metadata;
mod key_prefix;
mod keys;
mod keys_function;
mod lifetimes;
mod manual;
mod metadata;
mod oauth_clients;
mod operator;
mod page;
mod page_in_browser;
mod page_safety;
mod problems;
mod process_groups;
mod processes;
mod public_limits;
mod rebinding;
mod recorded;
mod recorded_answers;
mod reloads;
mod request_events;
mod request_lines;
mod restarts;
mod roles;
mod routes;
mod runtimes;
mod services;
mod start;
mod sweep;
mod tokens;
mod unread;
mod upkeep;
mod usage;
mod usage_keys;
mod usage_plan;
mod visible;
mod watch;
mod watched;
mod why;

use std::process::ExitCode;

fn main() -> ExitCode {
    keygate_tests::gateway::test(&[
        keys::TESTS,
        tokens::TESTS,
        key_credentials::TESTS,
        key_metadata::TESTS,
        key_prefix::TESTS,
        request_events::TESTS,
        decision_metrics::TESTS,
        dependencies::TESTS,
        cors::TESTS,
        manual::TESTS,
        metadata::TESTS,
        clients::TESTS,
        problems::TESTS,
        oauth_clients::TESTS,
        client_steps::TESTS,
        usage_plan::TESTS,
        usage_keys::TESTS,
        usage::TESTS,
        operator::TESTS,
        page::TESTS,
        page_in_browser::TESTS,
        page_safety::TESTS,
        sweep::TESTS,
        upkeep::TESTS,
        explain::TESTS,
        start::TESTS,
        processes::TESTS,
        public_limits::TESTS,
        recorded::TESTS,
        recorded_answers::TESTS,
        process_groups::TESTS,
        request_lines::TESTS,
        restarts::TESTS,
        roles::TESTS,
        routes::TESTS,
        handlers::TESTS,
        issuer::TESTS,
        runtimes::TESTS,
        invoke::TESTS,
        invoke_clients::TESTS,
        lifetimes::TESTS,
        foreign_apis::TESTS,
        absent_services::TESTS,
        access_log::TESTS,
        bad_input::malformed::TESTS,
        bad_input::slow::TESTS,
        bad_input::connections::TESTS,
        bad_input::functions::TESTS,
        bad_input::templates::TESTS,
        bad_input::full_disk::TESTS,
        builds::TESTS,
        first_look::TESTS,
        claims::TESTS,
        unread::TESTS,
        visible::TESTS,
        watch::TESTS,
        watched::TESTS,
        reloads::TESTS,
        chatty::TESTS,
        rebinding::TESTS,
        why::TESTS,
    ])
}
