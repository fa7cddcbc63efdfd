//! A resource behind the gateway: items in DynamoDB, each caller their own.

mod handler;
mod idempotency;
mod item;
mod precondition;
#[cfg(test)]
mod rig;
mod table;

use std::process::ExitCode;

use keygate_proxy::Cors;

use crate::table::Table;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = env!("CARGO_PKG_NAME");
    keygate_proxy::start(function, Cors::OfResponse, Table::open, handler::answer).await
}
