//! `keygate why`: what became of a request that has passed, at the gateway that runs on this machine or
//! at a deployed stack.

mod deployed;
mod here;
mod log_service;
mod report;

use keygate_console as console;
use keygate_outbound::{Outbound, OutboundError};

use self::deployed::DeployedError;
use self::here::HereError;
use crate::cli::why::Why;

/// Why nothing is said of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WhyError {
    /// At the running gateway.
    #[error(transparent)]
    Here(#[from] HereError),
    /// At the deployed stack.
    #[error(transparent)]
    Deployed(#[from] DeployedError),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// It cannot be printed.
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

/// Prints what became of the request.
///
/// # Errors
/// When there is no such request, or nobody to ask.
pub(crate) async fn run(options: &Why) -> Result<(), WhyError> {
    let outbound = Outbound::new(&keygate_settings::Settings::from_env())?;
    let text = match &options.stack {
        None => here::told(&outbound, options).await?,
        Some(stack) => deployed::told(&outbound, options, stack).await?,
    };
    Ok(console::print(&text)?)
}
