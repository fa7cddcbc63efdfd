//! CORS preflight: `OPTIONS` on every path of the stage.

mod preflight;

use std::process::ExitCode;

use keygate::proxy::{self, Cors, ProxySettings};
use keygate::{logging, settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings =
        match logging::init(env!("CARGO_CRATE_NAME")).and_then(|()| ProxySettings::from_env()) {
            Ok(settings) => settings,
            Err(error) => return settings::refuse_to_start("preflight", &error),
        };
    let origins = settings.allowed_origins.clone();
    let handler = |request| {
        let answer = preflight::answer(&request, &origins);
        async { answer }
    };
    proxy::exit_code(proxy::run(settings, Cors::OfHandler, handler).await)
}
