//! CORS preflight: `OPTIONS` on every path of the stage.

mod preflight;

use std::process::ExitCode;

use keygate_proxy::{Cors, ProxySettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    keygate_proxy::start(
        env!("CARGO_PKG_NAME"),
        Cors::OfHandler,
        async |settings| Ok(ProxySettings::read(settings)?.allowed_origins),
        async move |request, origins| preflight::answer(&request, &origins),
    )
    .await
}
