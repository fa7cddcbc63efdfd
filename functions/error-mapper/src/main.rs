//! The Lambda function `error-mapper`.

use std::process::ExitCode;

use error_mapper::Api;
use keygate_proxy::Cors;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    keygate_proxy::start(
        env!("CARGO_PKG_NAME"),
        Cors::OfResponse,
        async |settings| Api::read(settings),
        async |request, api| error_mapper::answer(&request, &api),
    )
    .await
}
