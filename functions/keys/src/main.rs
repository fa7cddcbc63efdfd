//! A resource behind the gateway: issue, list, rotate and revoke API keys.

mod handler;
mod issue;
mod refusal;
#[cfg(test)]
mod rig;
mod rotate;

use std::process::ExitCode;
use std::time::Duration;

use keygate_aws as aws;
use keygate_issuing::Issuing;
use keygate_outbound::Outbound;
use keygate_proxy::Cors;
use keygate_settings::{SettingError, Settings};

use crate::handler::Keys;

/// How long opening the connections to the table and to API Gateway may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = env!("CARGO_PKG_NAME");
    keygate_proxy::start(function, Cors::OfResponse, open, async |request, keys| {
        keys.answer(&request).await
    })
    .await
}

async fn open(settings: &Settings) -> Result<Keys, SettingError> {
    let table = settings
        .required("KEY_TABLE", "the DynamoDB table of API keys")?
        .to_owned();
    let plans = settings.parsed("USAGE_PLANS")?;
    let outbound = Outbound::new(settings)?;
    let config = aws::sdk_config(&outbound).await;
    let issuing =
        Issuing::connected(&config, &outbound, settings, table, plans, PREWARM_LIMIT).await;
    Ok(Keys { issuing })
}
