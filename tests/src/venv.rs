//! Python packages, in the virtual environments that `deploy/venv` sees to.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Why there are no virtual environments here, if there are none.
#[must_use]
pub fn lacking() -> Option<&'static str> {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]);
    let is_there = python.output().is_ok_and(|output| output.status.success());
    (!is_there).then_some("there is no python3 with venv on the path")
}

/// Where the programs are of an environment of `deploy/venv`, installed where it is not yet.
///
/// # Panics
/// When it cannot be installed.
#[must_use]
pub fn programs(environment: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-euc", &format!(". deploy/venv; venv_{environment}")])
        .current_dir(root);
    let output = bash.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{environment} is not installed: {said}"
    );
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}
