//! The functions' executables: built by cargo from this workspace, or given with `--functions`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

/// Why an executable is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BinaryError {
    /// cargo cannot be run.
    #[error(
        "cargo cannot be run ({0}): install Rust, or give built functions with --functions DIR"
    )]
    Cargo(std::io::Error),
    /// The build failed; cargo has said why.
    #[error("the functions do not build: see cargo's messages above")]
    Build,
    /// A binary that the template names is not there.
    #[error("the template names the binary {binary}, which is not {place}")]
    Missing {
        /// The binary's name.
        binary: String,
        /// Where it was looked for.
        place: String,
    },
}

/// The executables of these binaries below `directory`: `NAME`, or `NAME/bootstrap` as
/// `cargo lambda build` leaves them.
pub(crate) fn find(
    binaries: &BTreeSet<String>,
    directory: &Path,
) -> Result<BTreeMap<String, PathBuf>, BinaryError> {
    binaries
        .iter()
        .map(|binary| {
            let plain = directory.join(binary);
            let packaged = plain.join("bootstrap");
            let found = [packaged, plain].into_iter().find(|path| path.is_file());
            let found = found.and_then(|path| path.canonicalize().ok());
            found
                .map(|path| (binary.clone(), path))
                .ok_or_else(|| BinaryError::Missing {
                    binary: binary.clone(),
                    place: format!("in {}", directory.display()),
                })
        })
        .collect()
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
/// built in. cargo's progress goes to standard error.
pub(crate) async fn build(
    binaries: &BTreeSet<String>,
    workspace: &Path,
) -> Result<BTreeMap<String, PathBuf>, BinaryError> {
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
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().await.map_err(BinaryError::Cargo)?;
    if !output.status.success() {
        return Err(BinaryError::Build);
    }
    let mut built: BTreeMap<String, PathBuf> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter_map(|message| Some((message.target?.name, message.executable?)))
        .collect();
    built.retain(|name, _| binaries.contains(name));
    match binaries.iter().find(|binary| !built.contains_key(*binary)) {
        None => Ok(built),
        Some(binary) => Err(BinaryError::Missing {
            binary: binary.clone(),
            place: "one that cargo built in this workspace".to_owned(),
        }),
    }
}
