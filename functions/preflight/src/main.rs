//! CORS preflight: `OPTIONS` on every path of the stage.

mod allowed_headers;
mod preflight;

use std::process::ExitCode;

use keygate_proxy::{Cors, ProxySettings};
use keygate_settings::{SettingError, Settings};

use crate::preflight::Policy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    keygate_proxy::start(
        env!("CARGO_PKG_NAME"),
        Cors::OfHandler,
        async |settings| policy(settings),
        async move |request, policy| preflight::answer(&request, &policy),
    )
    .await
}

fn policy(settings: &Settings) -> Result<Policy, SettingError> {
    Ok(Policy {
        origins: ProxySettings::read(settings)?.allowed_origins,
        headers: settings.parsed("CORS_ALLOWED_HEADERS")?.unwrap_or_default(),
        routes: keygate_routes::required(settings)?,
    })
}
