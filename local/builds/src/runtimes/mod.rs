//! AWS's own runtime interface clients: the programs by which a handler in Python or JavaScript asks
//! the Lambda Runtime API for events, here as in Lambda.
//!
//! They are the packages `awslambdaric` for Python and `aws-lambda-ric` for Node.js, and are looked for
//! where a function's other dependencies are: in `.venv` or `node_modules` of its code, or of a folder
//! above it up to the template's, and then on the path.

pub(crate) mod node;
pub(crate) mod python;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use keygate_functions as functions;
use keygate_model::{Function, Runtime};
use keygate_process_group as process_group;
use tokio::process::Command;
use tokio::time::timeout;

/// How long an interpreter may take to say its version, which takes it a moment: as long as Lambda gives a
/// function to start.
const MAX_PROBE: Duration = Duration::from_secs(10);

/// Why a function's runtime is not there.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// There is no interpreter.
    #[error(
        "{function}: its Runtime is {runtime}, and there is no {programs} that runs here: install it"
    )]
    NoInterpreter {
        /// The function's logical id.
        function: String,
        /// Its runtime.
        runtime: Runtime,
        /// What was looked for.
        programs: String,
    },
    /// An interpreter is there, and is silent.
    #[error(
        "{function}: its Runtime is {runtime}, and {} does not say its version within {MAX_PROBE:?}",
        interpreter.display()
    )]
    Silent {
        /// The function's logical id.
        function: String,
        /// Its runtime.
        runtime: Runtime,
        /// What was asked.
        interpreter: PathBuf,
    },
    /// There is no client.
    #[error(
        "{function}: its Runtime is {runtime}, and AWS's runtime interface client for it {lack}: run `{command}`"
    )]
    NoClient {
        /// The function's logical id.
        function: String,
        /// Its runtime.
        runtime: Runtime,
        /// What is wrong with it.
        lack: &'static str,
        /// What mends it.
        command: String,
    },
}

/// A function whose runtime is looked for.
pub(crate) struct Wanted<'f> {
    pub(crate) function: &'f Function,
    /// Where its code is.
    pub(crate) code: &'f Path,
    /// What is run: the code itself, or what was made of it.
    pub(crate) package: &'f Path,
    /// The template's folder.
    pub(crate) home: &'f Path,
    /// The variables by which it finds the content of its layers.
    pub(crate) search_paths: &'f BTreeMap<String, String>,
}

impl Wanted<'_> {
    /// The folders that may hold the function's own environment, the nearest first.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        let above = self.code.ancestors();
        let above = above.take_while(|folder| folder.starts_with(self.home));
        let is_outside = !self.code.starts_with(self.home);
        let code = is_outside.then_some(self.code);
        let made = (self.package != self.code).then_some(self.package);
        made.into_iter().chain(code).chain(above)
    }

    fn handler(&self) -> String {
        self.function.handler.clone().unwrap_or_default()
    }

    fn no_interpreter(&self, programs: &str) -> RuntimeError {
        RuntimeError::NoInterpreter {
            function: self.function.id.clone(),
            runtime: self.function.runtime.clone(),
            programs: programs.to_owned(),
        }
    }

    fn no_client(&self, lack: &'static str, command: String) -> RuntimeError {
        RuntimeError::NoClient {
            function: self.function.id.clone(),
            runtime: self.function.runtime.clone(),
            lack,
            command,
        }
    }

    /// Has an interpreter say something, as the function would find it; `None` when it cannot be run.
    async fn ask(
        &self,
        interpreter: &Path,
        arguments: &[&str],
    ) -> Result<Option<Output>, RuntimeError> {
        let mut command = Command::new(interpreter);
        command
            .args(arguments)
            .current_dir(self.package)
            .env_clear()
            .envs(functions::inherited())
            .envs(self.search_paths)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = timeout(MAX_PROBE, process_group::output(&mut command)).await;
        output.map(Result::ok).map_err(|_| RuntimeError::Silent {
            function: self.function.id.clone(),
            runtime: self.function.runtime.clone(),
            interpreter: interpreter.to_owned(),
        })
    }

    /// Another version than the template's may answer otherwise than Lambda will.
    fn compare(&self, version: &str, found: &str) {
        if version != found {
            let function = &self.function.id;
            let runtime = self.function.runtime.to_string();
            tracing::warn!(function, runtime, found, "runs on another version here");
        }
    }
}

/// A program on the path.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| Some(folder.join(program)).filter(|file| functions::can_run(file)))
}

/// A path as a shell takes it.
struct Quoted<'p>(&'p OsStr);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string_lossy();
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@".contains(letter);
        if text.chars().all(is_plain) {
            formatter.write_str(&text)
        } else {
            write!(formatter, "'{}'", text.replace('\'', r"'\''"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(code: &str, package: &str) -> Vec<String> {
        let runtime = Runtime::Python("3.14".to_owned());
        let function = Function::plain("Fn", runtime);
        let wanted = Wanted {
            function: &function,
            code: Path::new(code),
            package: Path::new(package),
            home: Path::new("/team/app"),
            search_paths: &BTreeMap::new(),
        };
        let folders = wanted.folders().map(|folder| folder.display().to_string());
        folders.collect()
    }

    #[test]
    fn an_environment_is_looked_for_from_the_code_up_to_the_template_and_no_further() {
        let code = "/team/app/src/greeting";
        let above = ["/team/app/src/greeting", "/team/app/src", "/team/app"];
        assert_eq!(folders(code, code), above);
        assert_eq!(folders("/team/app", "/team/app"), ["/team/app"]);
        // What make has built may bring its own.
        assert_eq!(folders(code, "/made")[0], "/made");
        assert_eq!(folders(code, "/made")[1..], above);
        // Code from elsewhere stands by itself.
        assert_eq!(folders("/other/src", "/other/src"), ["/other/src"]);
    }

    #[test]
    fn a_path_to_paste_is_quoted_where_a_shell_would_take_it_apart() {
        for (path, quoted) in [
            ("/a/.venv/bin/pip", "/a/.venv/bin/pip"),
            ("/my code/pip", "'/my code/pip'"),
            ("/it's", r"'/it'\''s'"),
        ] {
            assert_eq!(Quoted(OsStr::new(path)).to_string(), quoted);
        }
    }
}
