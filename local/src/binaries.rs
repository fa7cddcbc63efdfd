//! The functions' executables: built by cargo from this workspace, or given with `--functions`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::model::{Application, Executable, Function};

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
    /// A function comes with its executable, and it is not there.
    #[error("{function}: there is no executable file {}: a function that is not built comes with its bootstrap", path.display())]
    NoBootstrap {
        /// The function's logical id.
        function: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A binary that the template names is not there.
    #[error("the template names the binary {binary}, which is not {place}")]
    Missing {
        /// The binary's name.
        binary: String,
        /// Where it was looked for.
        place: String,
    },
}

/// The executable of every function by logical id: what comes with its code, and what `functions`
/// holds or cargo builds. `home` is the template's folder.
pub(crate) async fn executables(
    application: &Application,
    home: &Path,
    functions: Option<&Path>,
) -> Result<BTreeMap<String, PathBuf>, BinaryError> {
    let all = application.functions.values();
    let binaries = all.filter_map(|function| match &function.executable {
        Executable::Cargo(binary) => Some(binary.clone()),
        Executable::Bootstrap => None,
    });
    let binaries: BTreeSet<String> = binaries.collect();
    let paths = match functions {
        _ if binaries.is_empty() => BTreeMap::new(),
        Some(directory) => find(&binaries, directory)?,
        None => build(&binaries, home).await?,
    };
    let executable = |function: &Function| match &function.executable {
        Executable::Bootstrap => bootstrap(function, home),
        Executable::Cargo(binary) => {
            let path = paths.get(binary).cloned();
            path.ok_or_else(|| BinaryError::Missing {
                binary: binary.clone(),
                place: "built".to_owned(),
            })
        }
    };
    let all = application.functions.values();
    all.map(|function| Ok((function.id.clone(), executable(function)?)))
        .collect()
}

fn bootstrap(function: &Function, home: &Path) -> Result<PathBuf, BinaryError> {
    use std::os::unix::fs::PermissionsExt as _;

    let path = home.join(&function.code).join("bootstrap");
    let file = path.metadata().ok();
    let is_executable =
        file.is_some_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    match path.canonicalize() {
        Ok(path) if is_executable => Ok(path),
        _ => Err(BinaryError::NoBootstrap {
            function: function.id.clone(),
            path,
        }),
    }
}

/// The executables of these binaries below `directory`: `NAME`, or `NAME/bootstrap` as
/// `cargo lambda build` leaves them.
fn find(
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
async fn build(
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
