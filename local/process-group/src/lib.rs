//! A process with those that it starts: a process group, which ends as one.

use std::io;
use std::process::{ExitStatus, Output};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::signal::unix::{self, SignalKind};

pub mod file_limit;

/// A process, and the group of which it is the first. What is left of the group when the process has
/// ended, or when the value is dropped, is killed.
#[derive(Debug)]
pub struct ProcessGroup {
    first: Child,
    /// The group's id, which is the first process's, until the group is killed. It is killed before the
    /// first process is waited for: from then on the id may be another's.
    id: Option<Pid>,
    /// Tells that a child of this program, whichever, has ended.
    ends: unix::Signal,
}

impl ProcessGroup {
    /// Starts a process in a group of its own. Ctrl-C, which reaches the whole foreground group, does not
    /// reach it.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let ends = unix::signal(SignalKind::child())?;
        let first = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = first.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw);
        id.into_iter().for_each(file_limit::restore);
        Ok(Self { first, id, ends })
    }

    /// The process's id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.first.id()
    }

    /// What the process writes, for the one who asks first.
    pub fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.first.stdout.take(), self.first.stderr.take())
    }

    /// How the process ended, if it did.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        if let Some(id) = self.id {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            // It is a child that nobody else waits for, so there is no error.
            waitid(WaitId::Pid(id), look).ok().flatten()?;
            self.kill_all();
        }
        self.first.try_wait().ok().flatten()
    }

    /// Waits until the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.has_ended() {
                return status;
            }
            self.ends.recv().await;
        }
    }

    /// Ends the group, and waits for the end of its first process.
    pub async fn kill(mut self) {
        self.kill_all();
        // An error means that it has ended already.
        let _ = self.first.kill().await;
    }

    fn kill_all(&mut self) {
        if let Some(id) = self.id.take() {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// Runs a command to its end, and gives what it has written to its pipes. Where this is dropped before,
/// the command and whatever it has started are killed.
pub async fn output(command: &mut Command) -> io::Result<Output> {
    let mut group = ProcessGroup::start(command)?;
    let (stdout, stderr) = group.outputs();
    let (status, stdout, stderr) = tokio::join!(group.ended(), all(stdout), all(stderr));
    Ok(Output {
        status,
        stdout: stdout?,
        stderr: stderr?,
    })
}

/// Runs a command to its end, while its pipes are read as they fill.
pub async fn run<O: Future, E: Future<Output = ()>>(
    command: &mut Command,
    stdout: impl FnOnce(Option<ChildStdout>) -> O,
    stderr: impl FnOnce(Option<ChildStderr>) -> E,
) -> io::Result<(ExitStatus, O::Output)> {
    let mut group = ProcessGroup::start(command)?;
    let (out, err) = group.outputs();
    let (status, said, ()) = tokio::join!(group.ended(), stdout(out), stderr(err));
    Ok((status, said))
}

/// All that comes through a pipe.
pub async fn all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
