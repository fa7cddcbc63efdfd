//! Items end to end: requests to a gateway, as its clients send them. [`keygate_tests::gateway`] says
//! which gateway.

// A test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod idempotency;
mod items;
mod paging;

use std::process::ExitCode;

fn main() -> ExitCode {
    keygate_tests::gateway::test(&[
        items::TESTS,
        bodies::TESTS,
        idempotency::TESTS,
        paging::TESTS,
    ])
}
