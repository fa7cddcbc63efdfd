//! The Lambda function `upkeep`, which a schedule calls: it tells a person of API keys that are about to
//! expire, and sweeps usage keys.

mod notice;
mod outcome;
mod topic;
mod upkeep;

use std::process::ExitCode;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use keygate_aws as aws;
use keygate_issuing::{Issuing, StackPlans};
use keygate_metrics::Metrics;
use keygate_outbound::Outbound;
use keygate_settings::{SettingError, Settings, logging, refuse_to_start};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::topic::Topic;
use crate::upkeep::Upkeep;

const FUNCTION: &str = env!("CARGO_PKG_NAME");

/// How long opening the connections to the table and to API Gateway may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);
/// How long one try of a call may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long all tries together may take.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(25);
const MAX_ATTEMPTS: u32 = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let upkeep = &match start(&Settings::from_env()).await {
        Ok(upkeep) => upkeep,
        Err(error) => return refuse_to_start(FUNCTION, &error),
    };
    // Whatever the event says, what is to be done is the same.
    let handler = service_fn(move |event: LambdaEvent<Value>| async move {
        upkeep.run(event.context.deadline()).await
    });
    match Runtime::new(handler).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be served");
            ExitCode::FAILURE
        }
    }
}

/// A configuration with time for its calls: a page of a long list may take seconds, and a sweep of many
/// usage keys is throttled. Nobody waits for an answer.
fn patient(config: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let retries = aws::retries().with_max_attempts(MAX_ATTEMPTS);
    let builder = config.into_builder();
    builder
        .timeout_config(timeouts)
        .retry_config(retries)
        .build()
}

async fn start(settings: &Settings) -> Result<Upkeep, SettingError> {
    logging::init_without_handler_errors(settings, FUNCTION)?;
    let table = settings.required("KEY_TABLE", "the DynamoDB table of API keys")?;
    let stack = settings.optional("STACK_NAME")?.map(str::to_owned);
    let plans = StackPlans::read(settings)?;
    let days = settings.parsed("KEY_EXPIRY_NOTICE_DAYS")?;
    let topic = settings.parsed("TOPIC_ARN")?;
    let outbound = Outbound::new(settings)?;
    let config = patient(aws::sdk_config(&outbound).await);
    let table = table.to_owned();
    let issuing = Issuing::connected(&config, &outbound, settings, table, plans, PREWARM_LIMIT);
    Ok(Upkeep {
        issuing: issuing.await,
        days: days.unwrap_or_default(),
        topic: topic.map(|arn| Topic::new(&config, arn)),
        metrics: Metrics::read(settings)?,
        stack,
    })
}
