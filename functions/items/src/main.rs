//! A resource behind the gateway: items in DynamoDB, each caller their own.

mod etag;
mod handler;
mod idempotency;
mod item;
#[cfg(test)]
mod rig;
mod store;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use keygate_aws::dynamodb;
use keygate_outbound::Outbound;
use keygate_proxy::{self as proxy, Cors, ProxySettings};
use keygate_settings::{SettingError, Settings, logging, refuse_to_start};

use crate::store::Store;

/// How long opening the connection to the table may hold up the start.
const PREWARM_LIMIT: Duration = Duration::from_secs(1);

struct Configured {
    proxy: ProxySettings,
    table: String,
    outbound: Outbound,
}

fn configure(settings: &Settings) -> Result<Configured, SettingError> {
    logging::init(settings, env!("CARGO_CRATE_NAME"))?;
    Ok(Configured {
        proxy: ProxySettings::read(settings)?,
        table: settings
            .required("ITEMS_TABLE", "the DynamoDB table of items")?
            .to_owned(),
        outbound: Outbound::new(settings)?,
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::from_env();
    let configured = match configure(&settings) {
        Ok(configured) => configured,
        Err(error) => return refuse_to_start("items", &error),
    };
    let client = dynamodb::client(&configured.outbound).await;
    dynamodb::prewarm(&client, &configured.outbound, &settings, PREWARM_LIMIT).await;
    let store = Arc::new(Store::new(client, configured.table));
    let handler = |request| {
        let store = Arc::clone(&store);
        async move { handler::answer(&request, &store).await }
    };
    proxy::exit_code(proxy::run(configured.proxy, Cors::OfResponse, handler).await)
}
