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
pub(crate) struct Outlets<'s> {
    chosen: Option<&'s Path>,
    form: LogForm,
    console: &'s Console,
    /// What `--access-log` names, once it is open.
    file: Option<Lines>,
    /// The access log, where there is one.
    pub(crate) access_log: Option<Lines>,
}

impl<'s> Outlets<'s> {
    /// What the command line asks for. Standard output that is no terminal is the access log's, unless
    /// that goes elsewhere.
    ///
    /// # Errors
    /// When an access log is asked for that there cannot be.
    pub(crate) fn choose(
        chosen: Option<&'s Path>,
        form: LogForm,
        has_format: bool,
        console: &'s Console,
    ) -> Result<Self, OutletError> {
        let mut outlets = Self {
            chosen,
            form,
            console,
            file: None,
            access_log: None,
        };
        outlets.choose_anew(has_format)?;
        Ok(outlets)
    }

    /// The same for a template that has, or has no, format of an access log now.
    ///
    /// # Errors
    /// As [`Self::choose`].
    pub(crate) fn choose_anew(&mut self, has_format: bool) -> Result<(), OutletError> {
        let stdout = &self.console.stdout;
        self.access_log = match self.chosen {
            Some(_) if !has_format => return Err(OutletError::NoFormat),
            Some(path) if path == Path::new("-") => Some(stdout.clone()),
            Some(path) => {
                if self.file.is_none() {
                    self.file = Some(Lines::to(open(path)?, &path.to_string_lossy()));
                }
                self.file.clone()
            }
            None if stdout.is_terminal() || !has_format => None,
            None => Some(stdout.clone()),
        };
        Ok(())
    }

    /// The line for a person, where standard output is not the access log's; for a program in the log.
    pub(crate) fn requests(&self) -> Watcher {
        let is_taken = match self.chosen {
            Some(path) => path == Path::new("-"),
            None => self.access_log.is_some(),
        };
        match self.form {
            LogForm::Json => RequestLog::in_json(&self.console.stderr).watcher(),
            LogForm::Text if is_taken => Watcher::none(),
            LogForm::Text => RequestLog::to(&self.console.stdout).watcher(),
        }
    }
}

fn open(path: &Path) -> Result<File, OutletError> {
    let file = File::options().append(true).create(true).open(path);
    file.map_err(|error| OutletError::File {
        path: path.to_owned(),
        error,
    })
}
