//! A resource behind the gateway: issue, list, rotate and revoke API keys.

mod handler;
mod issue;
mod representation;
#[cfg(test)]
mod rig;
mod rotate;
mod store;
mod usage_key;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use keygate::outbound::Outbound;
use keygate::proxy::{self, Cors, ProxySettings};
use keygate::settings::{self, SettingError};
use keygate::{dynamodb, logging};

use crate::handler::Keys;
use crate::store::Store;
use crate::usage_key::UsageKeys;

/// How long opening the connection to the table may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

struct Configured {
    proxy: ProxySettings,
    table: String,
    usage_keys: UsageKeys,
    outbound: Outbound,
}

fn configure() -> Result<Configured, SettingError> {
    logging::init()?;
    Ok(Configured {
        proxy: ProxySettings::from_env()?,
        table: settings::required("KEY_TABLE", "the DynamoDB table of API keys")?,
        usage_keys: settings::parsed("USAGE_KEYS")?.unwrap_or_default(),
        outbound: Outbound::new()?,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let configured = match configure() {
        Ok(configured) => configured,
        Err(error) => return settings::refuse_to_start("keys", &error),
    };
    let client = dynamodb::client(&configured.outbound).await;
    dynamodb::prewarm(&client, &configured.outbound, PREWARM_LIMIT).await;
    let keys = Arc::new(Keys {
        store: Store::new(client, configured.table),
        usage_keys: configured.usage_keys,
    });
    let handler = |request| {
        let keys = Arc::clone(&keys);
        async move { keys.answer(&request).await }
    };
    proxy::exit_code(proxy::run(configured.proxy, Cors::OfResponse, handler).await)
}
