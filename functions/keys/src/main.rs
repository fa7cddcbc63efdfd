//! Two resources behind the gateway: API keys, which are issued, listed, rotated and revoked, and OAuth
//! clients, which are registered, put on a plan, shut out and removed.

mod change_client;
mod clients;
mod deployment;
mod handler;
mod issue;
mod refusal;
#[cfg(test)]
mod rig;
mod rotate;
mod stage;
mod trust;
mod usage;

use std::process::ExitCode;
use std::time::Duration;

use keygate_aws as aws;
use keygate_issuing::{Issuing, StackPlans};
use keygate_outbound::Outbound;
use keygate_proxy::Cors;
use keygate_settings::{SettingError, Settings};

use crate::deployment::Keys;
use crate::trust::Trust;

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
    let plans = match settings.parsed("USAGE_PLANS")? {
        None => None,
        Some(plans) => {
            let stack = settings.required("STACK_NAME", "the stack whose tag usage keys carry")?;
            let stack = stack.to_owned();
            Some(StackPlans { plans, stack })
        }
    };
    let trust = Trust::read(settings)?;
    let prefix = settings.parsed("KEY_PREFIX")?.unwrap_or_default();
    let events = settings.parsed("AUTHORIZER_EVENTS")?.unwrap_or_default();
    let outbound = Outbound::new(settings)?;
    let config = aws::sdk_config(&outbound).await;
    let issuing =
        Issuing::connected(&config, &outbound, settings, table, plans, PREWARM_LIMIT).await;
    let issuing = issuing.with_prefix(prefix);
    Ok(Keys {
        issuing,
        trust,
        events,
    })
}
