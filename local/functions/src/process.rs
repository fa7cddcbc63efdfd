//! One process of a function.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use keygate_model::deployment::LATEST;
use keygate_process_group::ProcessGroup;
use tokio::process::{ChildStderr, ChildStdout, Command};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::invoke_error::{EXITED, InvokeError, TIMED_OUT, exited};
use super::log::{Log, PlatformLines};
use super::output::Output;
use super::program::{Program, inherited};
use super::report::{Milliseconds, Report, Status, most_memory_used};
use super::runtime_api::{Fault, Invocation, RuntimeApi};

/// How long a process may take until it asks for its first invocation, whatever the function's timeout:
/// the limit of Lambda's Init phase ("Understanding the Lambda execution environment lifecycle", AWS
/// Lambda guide).
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How old the figure of the memory used may be, behind an invocation that was shorter than [`SHORT`].
const MEMORY_INTERVAL: Duration = Duration::from_millis(100);
/// How little time leaves little memory to be used.
const SHORT: Duration = Duration::from_millis(5);

/// A running process with the Runtime API that it alone polls. What it has started ends with it.
#[derive(Debug)]
pub(super) struct Process {
    program: Arc<Program>,
    group: ProcessGroup,
    runtime_api: RuntimeApi,
    log: Arc<Log>,
    outputs: Vec<Arc<Output>>,
    started: Instant,
    /// How long it took to start, until its first invocation is over.
    init: Option<Duration>,
    /// The most memory that it had used, in MiB, and when that was asked.
    memory: Option<(Instant, Option<u64>)>,
}

/// What became of an invocation.
#[derive(Debug)]
pub struct Invoked {
    /// The function's answer.
    pub answer: Result<Bytes, InvokeError>,
    /// The end of what was logged meanwhile, as `Invoke` gives it.
    pub log: Vec<u8>,
}

/// Without a process there is no log.
impl From<InvokeError> for Invoked {
    fn from(error: InvokeError) -> Self {
        Self {
            answer: Err(error),
            log: Vec::new(),
        }
    }
}

impl Process {
    /// Starts a process; it may take a moment until it is [`Process::ready`].
    pub(super) fn start(program: &Arc<Program>, log: Log) -> Result<Self, InvokeError> {
        let does_not_start = |error: std::io::Error| program.does_not_start(&error);
        let runtime_api = RuntimeApi::listen(&program.function.name).map_err(does_not_start)?;
        let mut command = program.command(&runtime_api);
        let runtime = &program.function.runtime;
        log.platform_line(
            PlatformLines::All,
            &format!("INIT_START Runtime Version: {runtime}"),
        );
        let log = Arc::new(log);
        let started = Instant::now();
        // Ctrl-C does not reach the group: the gateway ends a function after the requests in flight.
        let mut group = ProcessGroup::start(&mut command).map_err(does_not_start)?;
        let (stdout, stderr) = group.outputs();
        let pipes = [
            stdout.map(ChildStdout::into_owned_fd),
            stderr.map(ChildStderr::into_owned_fd),
        ];
        let outputs = pipes.into_iter().flatten();
        let outputs = outputs.map(|pipe| Output::follow(pipe?, &log));
        Ok(Self {
            outputs: outputs.collect::<Result<_, _>>().map_err(does_not_start)?,
            program: Arc::clone(program),
            group,
            runtime_api,
            log,
            started,
            init: None,
            memory: None,
        })
    }

    /// How the process ended while it was idle, if it did.
    pub(super) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.group.has_ended()
    }

    /// Waits until the process asks for its first invocation. One that does not is of no use.
    pub(super) async fn ready(mut self) -> Result<Self, Invoked> {
        let (status, error) = tokio::select! {
            biased;
            ready = self.runtime_api.ready() => match ready {
                Ok(()) => {
                    self.init = Some(self.started.elapsed());
                    return Ok(self);
                }
                Err(fault) => self.program.init_error(fault),
            },
            status = self.group.ended() => self.program.ended_at_its_start(status),
            () = sleep_until(self.started + INIT_TIMEOUT) => self.program.too_slow(),
        };
        let took = Milliseconds(self.started.elapsed());
        for output in &self.outputs {
            output.finish();
        }
        let report = format!("INIT_REPORT Init Duration: {took}\tPhase: init{status}");
        self.log.platform_line(PlatformLines::Failures, &report);
        let log = self.log.tail_so_far();
        self.kill().await;
        Err(Invoked {
            answer: Err(error),
            log,
        })
    }

    /// Has the process answer one invocation. The process comes back when it can take another.
    pub(super) async fn invoke(mut self, invocation: Invocation) -> (Option<Self>, Invoked) {
        let request_id = invocation.request_id.clone();
        let after = self.program.function.timeout;
        self.catch_up();
        self.log.begin(&request_id);
        let start = format!("START RequestId: {request_id} Version: {LATEST}");
        self.log.platform_line(PlatformLines::All, &start);
        let started = Instant::now();
        let answer = self.runtime_api.invoke(invocation, after);
        let answer = tokio::select! {
            // A process may end as soon as it has answered.
            biased;
            answer = timeout_at(started + after, answer) => match answer {
                Ok(Some(answer)) => answer,
                Ok(None) => Err(InvokeError::Crashed { how: exited(ExitStatus::default()) }),
                Err(_) => Err(InvokeError::TimedOut { after }),
            },
            status = self.group.ended() => Err(InvokeError::Crashed { how: exited(status) }),
        };
        let status = status(&answer);
        self.end(&request_id, started.elapsed(), &status, &answer);
        let invoked = Invoked {
            answer,
            log: self.log.tail_so_far(),
        };
        if matches!(status, Status::Success | Status::FunctionError) {
            return (Some(self), invoked);
        }
        self.kill().await;
        (None, invoked)
    }

    /// Says how an invocation went, after what the function has written during it.
    fn end(
        &mut self,
        request_id: &str,
        duration: Duration,
        status: &Status,
        answer: &Result<Bytes, InvokeError>,
    ) {
        let used_mib = self.memory_used(duration);
        self.catch_up();
        let is_failure = matches!(status, Status::Error(_) | Status::Timeout);
        if let (true, Err(error)) = (is_failure, answer) {
            for line in ending(error, request_id) {
                self.log.platform_line(PlatformLines::Failures, &line);
            }
        }
        let end = format!("END RequestId: {request_id}");
        self.log.platform_line(PlatformLines::All, &end);
        let report = Report {
            request_id,
            duration,
            init: self.init.take(),
            memory_mib: self.program.function.memory_mib,
            used_mib,
            status: status.clone(),
        };
        let kind = if is_failure {
            PlatformLines::Failures
        } else {
            PlatformLines::Report
        };
        self.log.platform_line(kind, &report.to_string());
    }

    /// The most memory that the process has used, by the end of an invocation that took so long. Of many
    /// short ones in a row not each asks the system, which takes longer than all else that is said of them.
    fn memory_used(&mut self, duration: Duration) -> Option<u64> {
        match self.memory {
            Some((asked, used)) if duration < SHORT && asked.elapsed() < MEMORY_INTERVAL => used,
            _ => {
                let used = self.group.id().and_then(most_memory_used);
                self.memory = Some((Instant::now(), used));
                used
            }
        }
    }

    /// Tells what the process has written so far.
    fn catch_up(&self) {
        for output in &self.outputs {
            output.catch_up();
        }
    }

    /// Ends the process and waits for its end.
    pub(super) async fn kill(self) {
        self.group.kill().await;
    }
}

/// What an answer means for the process.
fn status(answer: &Result<Bytes, InvokeError>) -> Status {
    match answer {
        Ok(_) => Status::Success,
        Err(InvokeError::Function { .. }) => Status::FunctionError,
        Err(InvokeError::TimedOut { .. }) => Status::Timeout,
        Err(_) => Status::Error(EXITED.to_owned()),
    }
}

/// What Lambda writes into the log where it ends a process, or the process itself.
fn ending(error: &InvokeError, request_id: &str) -> Vec<String> {
    if let InvokeError::TimedOut { .. } = error {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        return vec![format!("{now} {request_id} {error}")];
    }
    vec![
        format!("RequestId: {request_id} Error: {error}"),
        EXITED.to_owned(),
    ]
}

impl Program {
    /// What starts a process of the function, which polls this Runtime API.
    fn command(&self, runtime_api: &RuntimeApi) -> Command {
        let Self {
            function, launch, ..
        } = self;
        let mut command = Command::new(&launch.path);
        command.args(&launch.arguments);
        if let Some(package) = &launch.package {
            command.current_dir(package);
        }
        command
            .env_clear()
            .envs(inherited())
            .envs(self.runtime_environment())
            .envs(&self.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", LATEST)
            .env(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                function.memory_mib.to_string(),
            )
            .env(
                "AWS_LAMBDA_LOG_GROUP_NAME",
                format!("/aws/lambda/{}", function.name),
            )
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

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

    /// The system does not start it.
    fn does_not_start(&self, error: &std::io::Error) -> InvokeError {
        self.not_started(error.to_string(), "Runtime.InvalidEntrypoint", None)
    }

    /// Its runtime has told why it does not ask for an invocation.
    fn init_error(&self, fault: Fault) -> (Status, InvokeError) {
        let Fault {
            error_message,
            error_type,
            payload,
        } = fault;
        let reason = format!("{error_type}: {error_message}");
        let error = self.not_started(reason, &error_type, Some(payload));
        (Status::Error(error_type), error)
    }

    /// The process has ended before it has asked for an invocation.
    fn ended_at_its_start(&self, status: ExitStatus) -> (Status, InvokeError) {
        let error = self.not_started(exited(status), EXITED, None);
        (Status::Error(EXITED.to_owned()), error)
    }

    /// The process has not asked for an invocation in time.
    fn too_slow(&self) -> (Status, InvokeError) {
        let seconds = INIT_TIMEOUT.as_secs();
        let reason = format!("it does not ask for an invocation within {seconds} s");
        (Status::Timeout, self.not_started(reason, TIMED_OUT, None))
    }

    fn not_started(&self, reason: String, error_type: &str, payload: Option<Bytes>) -> InvokeError {
        InvokeError::DoesNotStart {
            function: self.function.id.clone(),
            reason,
            error_type: error_type.to_owned(),
            payload,
        }
    }
}
