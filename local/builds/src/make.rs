//! Functions that `make` builds (`BuildMethod: makefile`): the target `build-ID` of the Makefile in a
//! function's code fills the folder that `ARTIFACTS_DIR` names, which becomes the package.

use std::io;
use std::path::Path;
use std::process::Stdio;

use keygate_process_group as process_group;
use tempfile::TempDir;
use tokio::process::Command;

use crate::build_log::BuildLog;

/// Why make did not build a function.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// There is no place for what is built.
    #[error("there is no folder for what make builds: {0}")]
    Artifacts(io::Error),
    /// make cannot be run.
    #[error("make cannot be run ({0}): install it, or give built functions with --functions DIR")]
    Make(io::Error),
    /// The build failed; make has said why.
    #[error("{function} does not build: see the messages of `make build-{function}` above")]
    Build {
        /// The function's logical id.
        function: String,
    },
}

/// A folder for what is built, which lives as long as the value.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn artifacts() -> Result<TempDir, MakeError> {
    TempDir::with_prefix("keygate-artifacts-").map_err(MakeError::Artifacts)
}

/// Builds a function from its code into a folder of its own below `artifacts`. What make says goes to
/// `log`.
///
/// # Errors
/// When make cannot be run, or fails.
pub(crate) async fn build(
    function: &str,
    code: &Path,
    artifacts: &Path,
    log: &BuildLog,
) -> Result<(), MakeError> {
    let package = artifacts.join(function);
    std::fs::create_dir(&package).map_err(MakeError::Artifacts)?;
    let mut make = Command::new("make");
    make.arg(format!("build-{function}"))
        .current_dir(code)
        .env("ARTIFACTS_DIR", &package)
        .envs(log.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ran = process_group::run(&mut make, |out| log.follow(out), |err| log.follow(err)).await;
    let (status, ()) = ran.map_err(MakeError::Make)?;
    let function = function.to_owned();
    let built = status.success().then_some(());
    built.ok_or(MakeError::Build { function })
}
