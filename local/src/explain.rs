//! `keygate explain`: what the template's authorizer thinks of a credential, check by check. It is the
//! authorizer's own code that goes through the checks, so nothing here can be of another opinion.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::ExitCode;

use authorizer::{Prepared, Report};
use keygate_builds::package;
use keygate_console as console;
use keygate_model::{Application, AuthorizerEvents, Function};
use keygate_outbound::{Outbound, OutboundError};
use keygate_settings::{SettingError, Settings};
use keygate_template::offered;
use keygate_template::{self as template, TemplateError};

use crate::aws;
use crate::cli::Explain;

/// The most of standard input that is read, in bytes: more than any credential that is looked at.
const MAX_INPUT: u64 = 64 * 1024;

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExplainError {
    /// A credential, it seems, on the command line, which others on the machine can read.
    #[error("send the credential on standard input: it is not taken as an argument")]
    Argument,
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template's API has no authorizer.
    #[error("the template's API has no authorizer to ask")]
    NoAuthorizer,
    /// A source address was given that the authorizer is never told.
    #[error(
        "--source: the authorizer gets TOKEN events, which do not say where a request comes from; \
         for a deployment whose authorizer is told, add --parameter AuthorizerEvents=REQUEST"
    )]
    SourceNotTold,
    /// The authorizer would not start with these settings.
    #[error("the authorizer does not start: {0}")]
    Setting(#[from] SettingError),
    /// A setting was given that changes nothing.
    #[error(
        "--set {name}: the authorizer has no setting of this name that a check asks for; there are \
         {known}"
    )]
    NoSuchSetting {
        /// Its name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The report cannot be printed.
    #[error("standard output cannot be written: {0}")]
    Output(std::io::Error),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// Standard input cannot be read.
    #[error("the credential on standard input cannot be read: {0}")]
    Input(std::io::Error),
}

/// Explains the credential on standard input. Ends with 0 for one that is accepted, and 1 for one
/// that is not.
pub(crate) async fn explain(options: &Explain) -> Result<ExitCode, ExplainError> {
    if !options.credential.is_empty() {
        return Err(ExplainError::Argument);
    }
    let function = authorizer(options)?;
    let environment = package::environment(&function, package::home(&options.template));
    let mut credential = String::new();
    std::io::stdin()
        .take(MAX_INPUT)
        .read_to_string(&mut credential)
        .map_err(ExplainError::Input)?;
    let report = report(options, environment, &credential).await?;
    console::print(&report.to_string()).map_err(ExplainError::Output)?;
    Ok(match report.reason() {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

async fn report(
    options: &Explain,
    mut environment: BTreeMap<String, String>,
    credential: &str,
) -> Result<Report, ExplainError> {
    // What the template itself gives the function is nobody's slip.
    let given = options.settings.iter().map(|(name, _)| name);
    let given = given.filter(|name| !environment.contains_key(name.as_str()));
    let given: Vec<String> = given.cloned().collect();
    // A deployed table is reached as the AWS tools reach it, by this process's environment.
    let table = options.table.iter();
    environment.extend(table.map(|table| ("KEY_TABLE".to_owned(), table.clone())));
    environment.extend(options.settings.iter().cloned());
    let settings: Settings = environment.into_iter().collect();
    let prepared = Prepared::read(settings.clone())?;
    let started = if options.table.is_some() {
        prepared.start().await?
    } else {
        let outbound = Outbound::new(&settings)?;
        let client = aws::dynamodb(&outbound, &aws::address(options.dynamodb_port));
        prepared.start_with(client).await?
    };
    // By now it has asked for all that it knows.
    let known = settings.asked();
    let unknown = given
        .into_iter()
        .find(|name| !known.contains(name.as_str()));
    if let Some(name) = unknown {
        let known = Vec::from_iter(known).join(", ");
        return Err(ExplainError::NoSuchSetting { name, known });
    }
    // As the authorizer takes the address of an event.
    let source = options.source.map(|address| address.to_canonical());
    Ok(started.explain(credential, source).await)
}

/// The function behind the template's authorizer, with the settings that the template gives it.
fn authorizer(options: &Explain) -> Result<Function, ExplainError> {
    let issuer = aws::address(options.issuer_port);
    let parameters =
        offered::parameters(&options.parameters, options.config_env.as_deref(), &issuer);
    let Application {
        api, mut functions, ..
    } = template::load(&options.template, &parameters)?;
    let authorizer = api.authorizers.values().next();
    let authorizer = authorizer.ok_or(ExplainError::NoAuthorizer)?;
    if options.source.is_some() && matches!(authorizer.events, AuthorizerEvents::Token { .. }) {
        return Err(ExplainError::SourceNotTold);
    }
    let function = functions.remove(&authorizer.function);
    function.ok_or(ExplainError::NoAuthorizer)
}
