//! `keygate explain`: what the template's authorizer thinks of a credential, check by check. It runs
//! the authorizer's own `explain`, so that nothing here can be of another opinion.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use tokio::process::Command;

use crate::binaries::{self, BinaryError};
use crate::cli::Explain;
use crate::model::Function;
use crate::template::{self, TemplateError};
use crate::{aws, issuer};

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
    /// The authorizer is not there, or does not build.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// The authorizer cannot be run.
    #[error("{} cannot be run: {error}", path.display())]
    Run {
        /// Its executable.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Has the credential on standard input explained. Ends as the authorizer does: with 0 for one that
/// is accepted.
pub(crate) async fn explain(options: &Explain) -> Result<ExitCode, ExplainError> {
    if !options.credential.is_empty() {
        return Err(ExplainError::Argument);
    }
    let function = authorizer(options)?;
    let path = executable(options, &function.binary).await?;
    let mut command = Command::new(&path);
    command.arg("explain");
    if let Some(source) = options.source {
        command.arg("--source").arg(source.to_string());
    }
    if let Some(table) = &options.table {
        // A deployed table is reached as the AWS tools reach it, by this environment.
        command.envs(&function.environment).env("KEY_TABLE", table);
    } else {
        let endpoint = aws::address(options.dynamodb_port);
        command
            .env_clear()
            .envs(aws::environment(&endpoint))
            .envs(&function.environment);
    }
    command.envs(options.settings.iter().cloned());
    let status = command.stdin(Stdio::inherit()).status().await;
    let status = status.map_err(|error| ExplainError::Run { path, error })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The function behind the template's authorizer, with the settings that the template gives it.
fn authorizer(options: &Explain) -> Result<Function, ExplainError> {
    let mut parameters: BTreeMap<String, String> = options.parameters.iter().cloned().collect();
    for (name, value) in [
        ("OAuthIssuer", aws::address(options.issuer_port)),
        ("OAuthAudience", issuer::AUDIENCE.to_owned()),
    ] {
        parameters.entry(name.to_owned()).or_insert(value);
    }
    let mut application = template::load(&options.template, &parameters)?;
    let authorizer = application.api.authorizers.values().next();
    authorizer
        .and_then(|authorizer| application.functions.remove(&authorizer.function))
        .ok_or(ExplainError::NoAuthorizer)
}

async fn executable(options: &Explain, binary: &str) -> Result<PathBuf, ExplainError> {
    let names = BTreeSet::from([binary.to_owned()]);
    let mut found = if let Some(directory) = &options.functions {
        binaries::find(&names, directory)?
    } else {
        let workspace = options.template.parent();
        let workspace = workspace.filter(|path| !path.as_os_str().is_empty());
        binaries::build(&names, workspace.unwrap_or(Path::new("."))).await?
    };
    found.remove(binary).ok_or(ExplainError::NoAuthorizer)
}
