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

use keygate::issuing::{Issuing, UsagePlans};
use keygate::outbound::Outbound;
use keygate::proxy::{self, Cors, ProxySettings};
use keygate::settings::{self, SettingError};
use keygate::{aws, logging};

use crate::handler::Keys;

/// How long opening the connections to the table and to API Gateway may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

struct Configured {
    proxy: ProxySettings,
    table: String,
    plans: Option<UsagePlans>,
    outbound: Outbound,
}

fn configure() -> Result<Configured, SettingError> {
    logging::init(env!("CARGO_CRATE_NAME"))?;
    Ok(Configured {
        proxy: ProxySettings::from_env()?,
        table: settings::required("KEY_TABLE", "the DynamoDB table of API keys")?,
        plans: settings::parsed("USAGE_PLANS")?,
        outbound: Outbound::new()?,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let configured = match configure() {
        Ok(configured) => configured,
        Err(error) => return settings::refuse_to_start("keys", &error),
    };
    let Configured {
        proxy: settings,
        table,
        plans,
        outbound,
    } = configured;
    let config = aws::sdk_config(&outbound).await;
    let issuing = Issuing::connected(&config, &outbound, table, plans, PREWARM_LIMIT).await;
    let keys = Arc::new(Keys { issuing });
    let handler = |request| {
        let keys = Arc::clone(&keys);
        async move { keys.answer(&request).await }
    };
    proxy::exit_code(proxy::run(settings, Cors::OfResponse, handler).await)
}
