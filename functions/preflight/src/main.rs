//! The Lambda function `preflight`.

use std::process::ExitCode;

use keygate_proxy::Cors;
use preflight::Policy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    keygate_proxy::start(
        env!("CARGO_PKG_NAME"),
        Cors::OfHandler,
        async |settings| Policy::read(settings),
        async move |request, policy| preflight::answer(&request, &policy),
    )
    .await
}
