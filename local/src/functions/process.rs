//! One process of a function.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Display;
use std::process::Stdio;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::IgnoredAny;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use super::invoke_error::InvokeError;
use super::program::{Program, inherited};
use super::runtime_api::RuntimeApi;
use crate::function_log::{FunctionLog, ProcessLog};
use crate::process_group::ProcessGroup;

/// A longer line is shown in parts: CloudWatch Logs' own limit of an event, in bytes.
const MAX_LINE: u64 = 256 * 1024;

/// A running process with the Runtime API that it alone polls. What it has started ends with it.
#[derive(Debug)]
pub(super) struct Process {
    program: Arc<Program>,
    group: ProcessGroup,
    runtime_api: RuntimeApi,
    log: Arc<ProcessLog>,
}

impl Process {
    /// Starts a process; it may take a moment until it is [`Process::ready`].
    pub(super) fn start(program: &Arc<Program>, log: &FunctionLog) -> Result<Self, InvokeError> {
        let function = &program.function;
        let does_not_start = |error: std::io::Error| program.does_not_start(error);
        let runtime_api = RuntimeApi::listen(&function.id).map_err(does_not_start)?;
        let launch = &program.launch;
        let mut command = Command::new(&launch.path);
        command.args(&launch.arguments);
        if let Some(package) = &launch.package {
            command.current_dir(package);
        }
        command
            .env_clear()
            .envs(inherited())
            .envs(program.runtime_environment())
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.id)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                function.memory_mib.to_string(),
            )
            .env(
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", function.id),
            )
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C does not reach the group: the gateway ends a function after the requests in flight.
        let mut group = ProcessGroup::start(&mut command).map_err(does_not_start)?;
        let log = Arc::new(ProcessLog::new(&function.id, log));
        let (stdout, stderr) = group.outputs();
        if let Some(stdout) = stdout {
            tokio::spawn(show(stdout, Arc::clone(&log)));
        }
        if let Some(stderr) = stderr {
            tokio::spawn(show(stderr, Arc::clone(&log)));
        }
        Ok(Self {
            program: Arc::clone(program),
            group,
            runtime_api,
            log,
        })
    }

    /// How the process ended while it was idle, if it did.
    pub(super) fn has_ended(&mut self) -> Option<std::process::ExitStatus> {
        self.group.has_ended()
    }

    /// Waits until the process asks for its first invocation.
    pub(super) async fn ready(&mut self, deadline: Instant) -> Result<(), InvokeError> {
        tokio::select! {
            () = self.runtime_api.polled() => Ok(()),
            status = self.group.ended() => Err(self.program.does_not_start(status)),
            () = tokio::time::sleep_until(deadline) => {
                Err(self.program.does_not_start("it does not ask for an invocation"))
            }
        }
    }

    /// Has the process answer one invocation. The process comes back when it can take another.
    pub(super) async fn invoke(
        mut self,
        request_id: &str,
        event: Bytes,
    ) -> (Option<Self>, Result<Bytes, InvokeError>) {
        self.log.at_work_on(request_id);
        let after = self.program.function.timeout;
        let answer = self.runtime_api.invoke(request_id, event, after);
        let ended = tokio::select! {
            answer = timeout_at(Instant::now() + after, answer) => match answer {
                Ok(Some(answer)) => return (Some(self), answer),
                Ok(None) => InvokeError::Crashed,
                Err(_) => InvokeError::TimedOut { after },
            },
            _ = self.group.ended() => InvokeError::Crashed,
        };
        tracing::warn!(function = self.program.function.id, request_id, %ended, "the process is gone");
        self.kill().await;
        (None, Err(ended))
    }

    /// Ends the process and waits for its end.
    pub(super) async fn kill(self) {
        self.group.kill().await;
    }
}

impl Program {
    /// What Lambda tells a function about its package and runtime (Lambda developer guide, "Defined
    /// runtime environment variables").
    fn runtime_environment(&self) -> impl Iterator<Item = (&'static str, OsString)> {
        let runtime = &self.function.runtime;
        let is_managed = runtime.is_managed();
        let named = is_managed.then(|| format!("AWS_Lambda_{runtime}").into());
        let handler = self.function.handler.as_ref().map(OsString::from);
        let package = self.launch.package.clone().map(OsString::from);
        let variables = [
            ("AWS_EXECUTION_ENV", named),
            ("LAMBDA_TASK_ROOT", package),
            ("TZ", Some(":UTC".into())),
            ("_HANDLER", handler),
        ];
        let given = variables.into_iter();
        given.filter_map(|(name, value)| Some((name, value?)))
    }

    fn does_not_start(&self, reason: impl Display) -> InvokeError {
        InvokeError::DoesNotStart {
            function: self.function.id.clone(),
            reason: reason.to_string(),
        }
    }
}

/// Shows what a function writes, line by line, and reads on whatever it is: a function whose output
/// nobody takes stands still.
async fn show(output: impl AsyncRead + Unpin, log: Arc<ProcessLog>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let mut part = (&mut output).take(MAX_LINE);
        let Ok(1..) = part.read_until(b'\n', &mut line).await else {
            return;
        };
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        log.say(&shown(text.strip_suffix('\r').unwrap_or(text)));
    }
}

/// A line without anything invisible, which means the same where it is JSON.
fn shown(line: &str) -> Cow<'_, str> {
    let is_json = || line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
    match keygate_visible::lines(line) {
        Cow::Owned(_) if is_json() => keygate_visible::json(line),
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invisible_in_a_functions_line_is_shown_and_json_stays_json() {
        for (line, expected) in [
            ("a\tb\u{1b}[31mc\u{202e}", "a\tb\\u{1b}[31mc\\u{202e}"),
            ("{\"a\":\"b\u{202e}\"}", r#"{"a":"b\u202e"}"#),
            ("{\"a\":\u{202e}", r#"{"a":\u{202e}"#),
            (r#"{"a":"\u202e"}"#, r#"{"a":"\u202e"}"#),
        ] {
            assert_eq!(shown(line), expected);
        }
    }
}
