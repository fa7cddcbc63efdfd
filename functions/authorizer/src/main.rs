//! The Lambda function `authorizer`.

use std::process::ExitCode;

use authorizer::{Authorizer, Prepared};
use keygate_metrics::Metrics;
use keygate_settings::{SettingError, Settings, logging, refuse_to_start};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

const FUNCTION: &str = "authorizer";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let authorizer = &match start(Settings::from_env()).await {
        Ok(authorizer) => authorizer,
        Err(error) => return refuse_to_start(FUNCTION, &error),
    };
    let handler = service_fn(move |event: LambdaEvent<Value>| async move {
        let request_id = &event.context.request_id;
        authorizer.authorize(&event.payload, request_id).await
    });
    match Runtime::new(handler).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be served");
            ExitCode::FAILURE
        }
    }
}

async fn start(settings: Settings) -> Result<Authorizer, SettingError> {
    logging::init_without_handler_errors(&settings, env!("CARGO_CRATE_NAME"))?;
    for name in [
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
    ] {
        settings.required(name, "this program runs in Lambda, or under a Runtime API")?;
    }
    let metrics = Metrics::read(&settings)?;
    Prepared::read(settings)?.counted_by(metrics).start().await
}
