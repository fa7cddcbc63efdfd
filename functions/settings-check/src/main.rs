//! The Lambda function `settings-check`, the provider of the custom resource `Settings`: CloudFormation
//! calls it before it gives the functions new settings, and gives them none that a function would refuse.
//!
//! One call goes through the modules in this order: [`request`], [`properties`], [`check`] with
//! [`functions`] and [`refusal`], [`stack`] where a refusal would stop a rollback, [`fingerprint`], and
//! [`response`].
//! [`provider`] is that order in code.

mod check;
mod fingerprint;
mod functions;
mod properties;
mod provider;
mod refusal;
mod request;
mod response;
mod stack;

use std::process::ExitCode;

use keygate_settings::{SettingError, Settings, logging, refuse_to_start};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::provider::Provider;

const FUNCTION: &str = env!("CARGO_PKG_NAME");

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let provider = &match start(Settings::from_env()) {
        Ok(provider) => provider,
        Err(error) => return refuse_to_start(FUNCTION, &error),
    };
    let handler = service_fn(move |event: LambdaEvent<Value>| provider.answer(event.payload));
    match Runtime::new(handler).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be served");
            ExitCode::FAILURE
        }
    }
}

fn start(settings: Settings) -> Result<Provider, SettingError> {
    // Of a level that is none CloudFormation is told by the check, so it must not keep that from starting.
    if logging::init(&settings, FUNCTION).is_err() {
        logging::init(&Settings::default(), FUNCTION)?;
    }
    Provider::new(settings)
}
