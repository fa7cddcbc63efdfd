//! A suite of requests to a gateway, as its clients send them.
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

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Arguments;
use tokio::runtime::Runtime;

use crate::build::Build;
use crate::suite::{self, Test};
use crate::target::Target;

/// A limit per client would count tests that share a client as one.
const WITHOUT_LIMITS: [&str; 8] = [
    "--parameter",
    "RateLimit=5000",
    "--parameter",
    "BurstLimit=5000",
    "--parameter",
    "UnregisteredRateLimit=5000",
    "--parameter",
    "UnregisteredBurstLimit=5000",
];

/// The `main` of such a suite.
pub fn test(topics: &[&[Test<Target>]]) -> ExitCode {
    let arguments = Arguments::from_args();
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
