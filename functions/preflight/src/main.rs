//! CORS preflight: `OPTIONS` on every path of the stage.

mod preflight;

use std::process::ExitCode;

use keygate_proxy::{self as proxy, Cors, ProxySettings};
use keygate_settings::{Settings, logging, refuse_to_start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::from_env();
    let settings = match logging::init(&settings, env!("CARGO_CRATE_NAME"))
        .and_then(|()| ProxySettings::read(&settings))
    {
        Ok(settings) => settings,
        Err(error) => return refuse_to_start("preflight", &error),
    };
    let origins = settings.allowed_origins.clone();
    let handler = |request| {
        let answer = preflight::answer(&request, &origins);
        async { answer }
    };
    proxy::exit_code(proxy::run(settings, Cors::OfHandler, handler).await)
}
