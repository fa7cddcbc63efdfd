//! What a process of a function is started from.

use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keygate_model::Function;

/// Variables of this machine that a function sees: what a process cannot do without.
const INHERITED: [&str; 3] = ["PATH", "HOME", "TMPDIR"];

/// What it takes to start one function.
#[derive(Debug, Clone)]
pub struct Program {
    /// The function as the template has it.
    pub function: Function,
    /// What is started.
    pub launch: Launch,
    /// The template's environment, and what this machine adds, such as the DynamoDB endpoint.
    pub environment: BTreeMap<String, String>,
    /// Whether requests to the API call it. What only `Invoke` calls is started when it is first called.
    pub is_of_requests: bool,
    /// What has to be there for as long as processes may be started, such as a build's folder.
    pub kept: Option<Arc<dyn Any + Send + Sync>>,
}

/// What is started, and where.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The executable.
    pub path: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
    /// The function's package, where it has one: the working directory.
    pub package: Option<PathBuf>,
}

/// The variables of this machine that functions see.
pub fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = INHERITED.iter();
    names.filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Whether a file is there that can be run.
#[must_use]
pub fn can_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    let file = path.metadata().ok();
    file.is_some_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
