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
mod command;
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

use keygate_outbound::Outbound;
use keygate_settings::logging;
use keygate_settings::{SettingError, Settings, refuse_to_start};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::authorizer::Authorizer;
use crate::config::Config;
use crate::key_set::KeySet;

const FUNCTION: &str = "authorizer";

fn main() -> ExitCode {
    let settings = Settings::from_env();
    let outcome = match std::env::args().nth(1) {
        // Lambda starts a function without arguments.
        None => logging::init_without_handler_errors(&settings, env!("CARGO_CRATE_NAME"))
            .and_then(|()| Prepared::read(settings))
            .and_then(Prepared::in_lambda)
            .map(|prepared| run(serve(prepared))),
        Some(_) => Prepared::read(settings).map(|prepared| run(command::run(prepared))),
    };
    outcome.unwrap_or_else(|error| refuse_to_start(FUNCTION, &error))
}

/// Everything that the environment decides.
struct Prepared {
    settings: Settings,
    config: Config,
    outbound: Outbound,
    seed: Option<KeySet>,
}

impl Prepared {
    fn read(settings: Settings) -> Result<Self, SettingError> {
        let config = Config::read(&settings)?;
        let outbound = outbound(&settings, &config)?;
        let seed = config
            .jwks_file
            .as_deref()
            .map(config::key_set_file)
            .transpose()?;
        Ok(Self {
            settings,
            config,
            outbound,
            seed,
        })
    }

    fn in_lambda(self) -> Result<Self, SettingError> {
        for name in [
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_VERSION",
        ] {
            self.settings
                .required(name, "this program runs in Lambda, or under a Runtime API")?;
        }
        Ok(self)
    }

    async fn authorizer(self) -> Authorizer {
        Authorizer::prewarmed(self.config, &self.settings, self.outbound, self.seed).await
    }
}

/// The HTTP clients; with the TLS one where an issuer needs it, so that a certificate bundle that
/// cannot be used is named now.
fn outbound(settings: &Settings, config: &Config) -> Result<Outbound, SettingError> {
    let outbound = Outbound::new(settings)?;
    for issuer in &config.issuers {
        outbound.client(issuer.url.as_url())?;
    }
    Ok(outbound)
}

fn run(task: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(task),
        Err(error) => {
            eprintln!("{FUNCTION}: no runtime can be made: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(prepared: Prepared) -> ExitCode {
    let authorizer = prepared.authorizer().await;
    let authorizer = &authorizer;
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
