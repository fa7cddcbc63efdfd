//! A resource behind the gateway: issue, list, rotate and revoke API keys.

mod handler;
mod issue;
mod refusal;
#[cfg(test)]
mod rig;
mod rotate;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use keygate_aws as aws;
use keygate_issuing::{Issuing, UsagePlans};
use keygate_outbound::Outbound;
use keygate_proxy::{Cors, ProxySettings};
use keygate_settings::{SettingError, Settings, logging, refuse_to_start};

use crate::handler::Keys;

/// How long opening the connections to the table and to API Gateway may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

struct Configured {
    proxy: ProxySettings,
    table: String,
    plans: Option<UsagePlans>,
    outbound: Outbound,
}

fn configure(settings: &Settings) -> Result<Configured, SettingError> {
    logging::init(settings, env!("CARGO_CRATE_NAME"))?;
    Ok(Configured {
        proxy: ProxySettings::read(settings)?,
        table: settings
            .required("KEY_TABLE", "the DynamoDB table of API keys")?
            .to_owned(),
        plans: settings.parsed("USAGE_PLANS")?,
        outbound: Outbound::new(settings)?,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::from_env();
    let configured = match configure(&settings) {
        Ok(configured) => configured,
        Err(error) => return refuse_to_start("keys", &error),
    };
    let Configured {
        proxy,
        table,
        plans,
        outbound,
    } = configured;
    let config = aws::sdk_config(&outbound).await;
    let issuing =
        Issuing::connected(&config, &outbound, &settings, table, plans, PREWARM_LIMIT).await;
    let keys = Arc::new(Keys { issuing });
    let handler = |request| {
        let keys = Arc::clone(&keys);
        async move { keys.answer(&request).await }
    };
    keygate_proxy::exit_code(keygate_proxy::run(proxy, Cors::OfResponse, handler).await)
}
