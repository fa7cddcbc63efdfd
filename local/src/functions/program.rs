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
    /// What this machine adds to the template's environment, such as the DynamoDB endpoint.
    pub(crate) environment: BTreeMap<String, String>,
}
