//! The end-to-end suite: requests to a gateway, as its clients send them.
//!
//! Without `GATEWAY_URL` it builds and starts keygate on free ports (`GATEWAY_BIN` names a
//! directory of built executables to take instead). With it, it runs against any deployment:
//!
//! - `GATEWAY_URL`: the stage's address, such as `https://api.example.com/v1`;
//! - `GATEWAY_ISSUER`: a token issuer that the deployment trusts and that grants
//!   `client_credentials` as `keygate issuer` does;
//! - `GATEWAY_AUDIENCE`: the audience that tokens must be for (default `keygate-local`);
//! - `GATEWAY_HEADERS`: `Name: value` lines to send with each request;
//! - `GATEWAY_SKIP`: what the target lacks, as `capability=reason;capability=reason`. The tests
//!   that need it are skipped by name.

// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access_log;
mod call;
mod cors;
mod dependencies;
mod explain;
mod faulty;
mod item_bodies;
mod items;
mod key_credentials;
mod keys;
mod keys_function;
mod operator;
mod paging;
mod problems;
mod processes;
mod services;
mod start;
mod sweep;
mod target;
mod tokens;
mod usage_keys;
mod usage_plan;

use std::process::ExitCode;
use std::sync::Arc;

use keygate_tests::keygate::Build;
use keygate_tests::suite::{self, Test};
use libtest_mimic::Arguments;
use tokio::runtime::Runtime;

use crate::target::Target;

/// A limit per client would count tests that share a client as one.
const WITHOUT_LIMITS: [&str; 4] = [
    "--parameter",
    "RateLimit=5000",
    "--parameter",
    "BurstLimit=5000",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let topics: &[&[Test<Target>]] = &[
        items::TESTS,
        item_bodies::TESTS,
        paging::TESTS,
        keys::TESTS,
        tokens::TESTS,
        key_credentials::TESTS,
        dependencies::TESTS,
        cors::TESTS,
        problems::TESTS,
        usage_plan::TESTS,
        usage_keys::TESTS,
        operator::TESTS,
        sweep::TESTS,
        explain::TESTS,
        start::TESTS,
        processes::TESTS,
        access_log::TESTS,
    ];
    let runtime = Arc::new(Runtime::new().expect("the runtime starts"));
    let deployment = std::env::var("GATEWAY_URL")
        .ok()
        .filter(|url| !url.is_empty());
    let conclusion = if let Some(url) = deployment {
        let target = Arc::new(Target::deployment(&url, runtime));
        suite::run(&arguments, topics, &target, target.lacks())
    } else {
        let build = Arc::new(Build::find());
        let gateway = build.start(&WITHOUT_LIMITS);
        let target = Arc::new(Target::started(&gateway, build, runtime));
        let conclusion = suite::run(&arguments, topics, &target, target.lacks());
        drop(gateway);
        conclusion
    };
    // Not Conclusion::exit, which would leave the gateway running.
    conclusion.exit_code()
}
