//! Lambda authorizer: who is calling, and which routes they may call.
//!
//! One request goes through the modules in this order: [`event`], [`credential`], then for a JWT
//! [`token`], [`key_set`], [`signature`], [`verify`] and [`rule`], and for an API key [`key_table`]
//! and [`api_key`], then [`principal`], [`revocation`], [`policy`], [`decision`] and [`answer`].
//! [`authorizer`] is that order in code; [`config`] is what the environment decides.

mod algorithm;
mod answer;
mod api_key;
mod authorizer;
mod claims;
mod config;
mod credential;
mod decision;
mod event;
mod key_set;
mod key_table;
mod lookup_budget;
mod policy;
mod principal;
mod recent;
mod revocation;
mod rule;
mod signature;
mod token;
mod verify;

use std::process::ExitCode;

use keygate::logging;
use keygate::outbound::Outbound;
use keygate::settings::{self, SettingError};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::authorizer::Authorizer;
use crate::config::Config;
use crate::key_set::KeySet;

const FUNCTION: &str = "authorizer";

fn main() -> ExitCode {
    match prepare() {
        Ok(prepared) => run(prepared),
        Err(error) => settings::refuse_to_start(FUNCTION, &error),
    }
}

struct Prepared {
    config: Config,
    outbound: Outbound,
    seed: Option<KeySet>,
}

fn prepare() -> Result<Prepared, SettingError> {
    logging::init_without_handler_errors()?;
    let config = Config::from_env()?;
    let outbound = outbound(&config)?;
    let seed = config
        .jwks_file
        .as_deref()
        .map(config::key_set_file)
        .transpose()?;
    for name in [
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
    ] {
        settings::required(name, "this program runs in Lambda, or under a Runtime API")?;
    }
    Ok(Prepared {
        config,
        outbound,
        seed,
    })
}

/// The HTTP clients; with the TLS one where an issuer needs it, so that a certificate bundle that
/// cannot be used is named now.
fn outbound(config: &Config) -> Result<Outbound, SettingError> {
    let outbound = Outbound::new()?;
    for issuer in &config.issuers {
        outbound.client(issuer.url.as_url())?;
    }
    Ok(outbound)
}

fn run(prepared: Prepared) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(prepared)),
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API cannot be served");
            ExitCode::FAILURE
        }
    }
}

async fn serve(prepared: Prepared) -> Result<(), lambda_runtime::Error> {
    let Prepared {
        config,
        outbound,
        seed,
    } = prepared;
    let authorizer = Authorizer::prewarmed(config, outbound, seed).await;
    let authorizer = &authorizer;
    let handler = service_fn(move |event: LambdaEvent<Value>| async move {
        let request_id = &event.context.request_id;
        authorizer.authorize(&event.payload, request_id).await
    });
    Runtime::new(handler).run().await
}
