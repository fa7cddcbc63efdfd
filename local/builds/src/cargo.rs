//! Functions that cargo builds: binaries of the workspace in the template's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use keygate_process_group as process_group;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::build_log::BuildLog;

/// How long a build may go on without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// Why cargo did not build.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// cargo cannot be run.
    #[error(
        "cargo cannot be run ({0}): install Rust, or give built functions with --functions DIR"
    )]
    Cargo(std::io::Error),
    /// The build failed; cargo has said why.
    #[error(
        "the functions do not build: `cargo build --bin {binaries}` in {} ended with {status}; what it said is above",
        workspace.display()
    )]
    Build {
        /// What was to be built.
        binaries: String,
        /// Where.
        workspace: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// A binary that the template names is none of the workspace's.
    #[error(
        "the template names the binary {0}, which is not one that cargo built in this workspace"
    )]
    Missing(String),
}

/// One line of cargo's `--message-format=json`.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds these binaries of the workspace at `workspace`, in the profile that this program was
/// built in. What cargo says goes to `log`.
///
/// # Errors
/// When cargo cannot be run, fails, or builds no such binary.
pub(crate) async fn build(
    binaries: &BTreeSet<String>,
    workspace: &Path,
    log: &BuildLog,
) -> Result<BTreeMap<String, PathBuf>, CargoError> {
    let names: Vec<&str> = binaries.iter().map(String::as_str).collect();
    let mut command = command(binaries, workspace);
    if log.is_quiet() {
        command.arg("--quiet");
    } else {
        log.tell(&format!(
            "building with cargo: {} (the first time, with all that they depend on)",
            names.join(", ")
        ));
    }
    command.envs(log.environment());
    let stdout = process_group::all;
    let mut running = pin!(process_group::run(&mut command, stdout, |err| log.follow(err)));
    let ran = if let Ok(ran) = timeout(SILENCE, &mut running).await {
        ran
    } else {
        if log.is_quiet() {
            let names = names.join(", ");
            log.tell(&format!(
                "building with cargo: {names} (or waiting for another cargo)"
            ));
        }
        running.await
    };
    let (status, messages) = ran.map_err(CargoError::Cargo)?;
    let messages = messages.map_err(CargoError::Cargo)?;
    if !status.success() {
        return Err(CargoError::Build {
            binaries: names.join(" --bin "),
            workspace: workspace.to_owned(),
            status,
        });
    }
    let mut built: BTreeMap<String, PathBuf> = String::from_utf8_lossy(&messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| Some((message.target?.name, message.executable?)))
        .collect();
    built.retain(|name, _| binaries.contains(name));
    match binaries.iter().find(|binary| !built.contains_key(*binary)) {
        None => Ok(built),
        Some(binary) => Err(CargoError::Missing(binary.clone())),
    }
}

fn command(binaries: &BTreeSet<String>, workspace: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace)
        .args([
            "build",
            "--workspace",
            "--message-format=json-render-diagnostics",
        ])
        .args(binaries.iter().flat_map(|binary| ["--bin", binary]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command
}
