//! The processes of one function: one invocation at a time in a process, more processes under load, fewer
//! when it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::invoke_error::InvokeError;
use super::log::{Log, PlatformLines};
use super::process::{Invoked, Process};
use super::program::Program;
use super::runtime_api::Invocation;
use crate::outlet::Outlet;

/// How many processes of one function run at once; further invocations wait their turn.
const MAX_PROCESSES: u32 = 16;
/// How long invocations in flight may take once the gateway stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A function and its processes.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) program: Arc<Program>,
    /// Where what its processes write is shown.
    log: Outlet,
    shown: PlatformLines,
    idle: Mutex<Idle>,
    places: Semaphore,
    /// The invocations that `ReservedConcurrentExecutions` leaves room for, where the template has it.
    reserved: Option<Arc<Semaphore>>,
}

/// The processes without an invocation.
#[derive(Debug, Default)]
struct Idle {
    /// Each with when its last invocation ended; the last one first to be taken.
    processes: Vec<(Instant, Process)>,
    /// Whether another pool has taken this one's place, so that no process is to wait any more.
    is_retired: bool,
}

/// Leave to be invoked, while it lives.
pub(super) struct Admission {
    _reserved: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// A function without a process yet.
    pub(super) fn new(program: Program, log: &Outlet, shown: PlatformLines) -> Self {
        let reserved = program.function.reserved_concurrency;
        let count = |number: u32| usize::try_from(number).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            idle: Mutex::default(),
            places: Semaphore::new(count(MAX_PROCESSES)),
            reserved: reserved.map(|reserved| Arc::new(Semaphore::new(count(reserved)))),
            program: Arc::new(program),
            log: log.clone(),
            shown,
        }
    }

    /// The same with the invocations of `former`, whose place it is to take, under its own limit: what is
    /// under way there counts here, where the limit has stayed what it was.
    pub(super) fn counting_with(mut self, former: &Self) -> Self {
        let limit = |pool: &Self| pool.program.function.reserved_concurrency;
        if limit(&self) == limit(former) {
            self.reserved.clone_from(&former.reserved);
        }
        self
    }

    /// Ends the processes that wait; those at work end after their invocations.
    pub(super) fn retire(&self) {
        let mut idle = self.idle();
        idle.is_retired = true;
        // A process ends with its value.
        idle.processes.clear();
    }

    /// Starts a process, so that a function that cannot start is told at once.
    pub(super) async fn warm(&self) -> Result<(), InvokeError> {
        match self.start().await {
            Ok(process) => {
                self.give_back(process);
                Ok(())
            }
            Err(Invoked { answer, .. }) => answer.map(drop),
        }
    }

    /// Leave for one more invocation.
    ///
    /// # Errors
    /// When as many are under way as the function may have.
    pub(super) fn admit(&self) -> Result<Admission, InvokeError> {
        let Some(reserved) = &self.reserved else {
            return Ok(Admission { _reserved: None });
        };
        let permit = Arc::clone(reserved).try_acquire_owned();
        let limit = self.program.function.reserved_concurrency;
        permit
            .map(|permit| Admission {
                _reserved: Some(permit),
            })
            .map_err(|_| InvokeError::Throttled(limit.unwrap_or_default()))
    }

    /// Leave for one more invocation, as soon as there is.
    ///
    /// # Errors
    /// When the function may never be invoked.
    pub(super) async fn admit_in_time(&self) -> Result<Admission, InvokeError> {
        match (&self.reserved, self.program.function.reserved_concurrency) {
            (Some(_), Some(0)) => Err(InvokeError::Throttled(0)),
            (Some(reserved), _) => {
                let permit = Arc::clone(reserved).acquire_owned().await;
                let permit = permit.map_err(|_| InvokeError::Stopping)?;
                Ok(Admission {
                    _reserved: Some(permit),
                })
            }
            (None, _) => Ok(Admission { _reserved: None }),
        }
    }

    /// Invokes the function, once it is its turn.
    pub(super) async fn invoke(&self, invocation: Invocation, _admission: Admission) -> Invoked {
        let Ok(_place) = self.places.acquire().await else {
            return InvokeError::Stopping.into();
        };
        let process = match self.idle_process() {
            Some(process) => process,
            None => match self.start().await {
                Ok(process) => process,
                Err(invoked) => return invoked,
            },
        };
        let (process, invoked) = process.invoke(invocation).await;
        if let Some(process) = process {
            self.give_back(process);
        }
        invoked
    }

    /// A process that waits for an invocation, if there is one.
    fn idle_process(&self) -> Option<Process> {
        loop {
            let (_, mut process) = self.idle().processes.pop()?;
            let Some(status) = process.has_ended() else {
                return Some(process);
            };
            let function = &self.program.function.id;
            tracing::warn!(function, %status, "ended while idle; starting another");
        }
    }

    /// Another process, which asks for an invocation.
    async fn start(&self) -> Result<Process, Invoked> {
        let log = Log::new(&self.program.function.id, &self.log, self.shown);
        Process::start(&self.program, log)?.ready().await
    }

    fn give_back(&self, process: Process) {
        let mut idle = self.idle();
        if !idle.is_retired && !self.places.is_closed() {
            idle.processes.push((Instant::now(), process));
        }
    }

    /// Ends the processes that have had no invocation for so long, but for one.
    pub(super) async fn reap(&self, after: Duration) {
        while let Some(process) = self.idle_for(after) {
            process.kill().await;
        }
    }

    fn idle_for(&self, time: Duration) -> Option<Process> {
        let processes = &mut self.idle().processes;
        let (since, _) = processes.first()?;
        (processes.len() > 1 && since.elapsed() >= time).then(|| processes.remove(0).1)
    }

    /// Waits a moment for invocations in flight, then ends every process.
    pub(super) async fn shut_down(&self) {
        // Whoever is still at work then is killed when its invocation's task is dropped.
        let _ = timeout(DRAIN_TIMEOUT, self.places.acquire_many(MAX_PROCESSES)).await;
        self.places.close();
        let idle = std::mem::take(&mut self.idle().processes);
        for (_, process) in idle {
            process.kill().await;
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // The lock is held for a push or a pop only, which leaves nothing half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
