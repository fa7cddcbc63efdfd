//! What a process of a function is started from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::model::Function;

/// What it takes to start one function.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The function as the template has it.
    pub(crate) function: Function,
    /// Its executable.
    pub(crate) path: PathBuf,
    /// Its package, where it has one: the working directory.
    pub(crate) package: Option<PathBuf>,
    /// The template's environment, and what this machine adds, such as the DynamoDB endpoint.
    pub(crate) environment: BTreeMap<String, String>,
}
