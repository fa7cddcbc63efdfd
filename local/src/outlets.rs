//! Which of the access log and the line for a person goes where.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use keygate_console::{Console, Lines};
use keygate_gateway::Watcher;

use crate::cli::LogForm;
use crate::request_log::RequestLog;

/// Why there is no access log where one is asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutletError {
    /// The template's stage has no access log.
    #[error(
        "--access-log: the template says no format: give its API an AccessLogSetting with a Format"
    )]
    NoFormat,
    /// The file cannot be written.
    #[error("--access-log: {} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Where requests are told of.
#[derive(Debug)]
pub(crate) struct Outlets {
    /// The access log, where there is one.
    pub(crate) access_log: Option<Lines>,
    /// The line for a person, where standard output is not the access log's; for a program in the log.
    pub(crate) requests: Watcher,
}

impl Outlets {
    /// What the command line asks for. Standard output that is no terminal is the access log's, unless
    /// that goes elsewhere.
    ///
    /// # Errors
    /// When an access log is asked for that there cannot be.
    pub(crate) fn choose(
        chosen: Option<&Path>,
        form: LogForm,
        has_format: bool,
        console: &Console,
    ) -> Result<Self, OutletError> {
        let stdout = &console.stdout;
        let access_log = match chosen {
            Some(_) if !has_format => return Err(OutletError::NoFormat),
            Some(path) if path == Path::new("-") => Some(stdout.clone()),
            Some(path) => Some(Lines::to(open(path)?)),
            None if stdout.is_terminal() || !has_format => None,
            None => Some(stdout.clone()),
        };
        let is_taken = match chosen {
            Some(path) => path == Path::new("-"),
            None => access_log.is_some(),
        };
        let requests = match form {
            LogForm::Json => RequestLog::in_json(&console.stderr).watcher(),
            LogForm::Text if is_taken => Watcher::none(),
            LogForm::Text => RequestLog::to(stdout).watcher(),
        };
        Ok(Self {
            access_log,
            requests,
        })
    }
}

fn open(path: &Path) -> Result<File, OutletError> {
    let file = File::options().append(true).create(true).open(path);
    file.map_err(|error| OutletError::File {
        path: path.to_owned(),
        error,
    })
}
