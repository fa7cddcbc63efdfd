//! Functions as real processes: a pool for each, one invocation at a time in a process, more
//! processes under load. A function is known here only by the Lambda Runtime API.

mod invoke_error;
mod process;
mod program;
mod runtime_api;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use self::invoke_error::InvokeError;
use self::process::Process;
pub(crate) use self::program::{Launch, Program, can_run, inherited};
use crate::function_log::FunctionLog;

/// How many processes of one function run at once; further invocations wait their turn.
const MAX_PROCESSES: u32 = 16;
/// How long a process may take until it asks for its first invocation, whatever the function's timeout:
/// the limit of Lambda's Init phase ("Understanding the Lambda execution environment lifecycle", AWS
/// Lambda guide).
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long invocations in flight may take once the gateway stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// All functions of the application.
#[derive(Debug)]
pub(crate) struct Functions {
    pools: RwLock<BTreeMap<String, Arc<Pool>>>,
    log: FunctionLog,
}

#[derive(Debug)]
struct Pool {
    program: Arc<Program>,
    /// Where what its processes write is shown.
    log: FunctionLog,
    idle: Mutex<Idle>,
    places: Semaphore,
}

/// The processes that wait for an invocation.
#[derive(Debug, Default)]
struct Idle {
    processes: Vec<Process>,
    /// Whether another pool has taken this one's place, so that no process is to wait any more.
    is_retired: bool,
}

impl Functions {
    /// Pools for these programs, whose output goes to `log`; no process is started yet.
    pub(crate) fn new(programs: impl IntoIterator<Item = Program>, log: &FunctionLog) -> Self {
        let pools = programs.into_iter().map(|program| Pool::new(program, log));
        let pools = pools.map(|pool| (pool.program.function.id.clone(), pool));
        Self {
            pools: RwLock::new(pools.collect()),
            log: log.clone(),
        }
    }

    /// Starts one process of each function and waits until it asks for an invocation, so that a
    /// function that cannot start is told at once.
    ///
    /// # Errors
    /// The first function that does not start.
    pub(crate) async fn warm(&self) -> Result<(), InvokeError> {
        warm(&self.all()).await
    }

    /// Puts these programs in the place of those of the same functions, once each has a process that asks
    /// for an invocation. Invocations in flight, and those that wait, are answered by the former.
    ///
    /// # Errors
    /// The first function that does not start: then none is replaced.
    pub(crate) async fn replace(&self, programs: Vec<Program>) -> Result<(), InvokeError> {
        let pools = programs.into_iter();
        let pools: Vec<Arc<Pool>> = pools.map(|program| Pool::new(program, &self.log)).collect();
        warm(&pools).await?;
        for pool in pools {
            let id = pool.program.function.id.clone();
            if let Some(former) = self.written().insert(id, pool) {
                former.retire();
            }
        }
        Ok(())
    }

    /// Takes away the functions that are none of these.
    pub(crate) fn retain(&self, is_kept: impl Fn(&str) -> bool) {
        self.written().retain(|id, pool| {
            let is_kept = is_kept(id);
            if !is_kept {
                pool.retire();
            }
            is_kept
        });
    }

    /// Invokes a function.
    ///
    /// # Errors
    /// When the function answers an error, or gives no answer.
    pub(crate) async fn invoke(
        &self,
        function_id: &str,
        request_id: &str,
        event: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let pool = self
            .read()
            .get(function_id)
            .cloned()
            .ok_or_else(|| InvokeError::Unknown(function_id.to_owned()))?;
        // In a task of its own: as on Lambda, an invocation goes on when its client has gone.
        let request_id = request_id.to_owned();
        tokio::spawn(async move { pool.invoke(&request_id, event).await })
            .await
            .unwrap_or(Err(InvokeError::Crashed))
    }

    /// Waits a moment for invocations in flight, then ends every process.
    pub(crate) async fn shut_down(&self) {
        let all = self.all();
        let pools = all.iter().map(|pool| async {
            // Whoever is still at work then is killed when its invocation's task is dropped.
            let _ = timeout(DRAIN_TIMEOUT, pool.places.acquire_many(MAX_PROCESSES)).await;
            pool.places.close();
            let idle = std::mem::take(&mut pool.idle().processes);
            for process in idle {
                process.kill().await;
            }
        });
        futures_util::future::join_all(pools).await;
    }

    fn all(&self) -> Vec<Arc<Pool>> {
        self.read().values().cloned().collect()
    }

    // Neither lock is held for more than a look or a change of one entry, which leaves nothing half done.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.pools.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a process in each pool.
async fn warm(pools: &[Arc<Pool>]) -> Result<(), InvokeError> {
    let starts = pools.iter().map(|pool| async move {
        pool.give_back(pool.start().await?);
        Ok(())
    });
    futures_util::future::try_join_all(starts).await.map(drop)
}

impl Pool {
    fn new(program: Program, log: &FunctionLog) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::default(),
            places: Semaphore::new(MAX_PROCESSES as usize),
            program: Arc::new(program),
            log: log.clone(),
        })
    }

    /// Ends the processes that wait; those at work end after their invocations.
    fn retire(&self) {
        let mut idle = self.idle();
        idle.is_retired = true;
        // A process ends with its value.
        idle.processes.clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        // The lock is held for a push or a pop only, which leaves nothing half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, process: Process) {
        let mut idle = self.idle();
        if !idle.is_retired && !self.places.is_closed() {
            idle.processes.push(process);
        }
    }

    /// Another process, which asks for an invocation.
    async fn start(&self) -> Result<Process, InvokeError> {
        let mut process = Process::start(&self.program, &self.log)?;
        process.ready(Instant::now() + INIT_TIMEOUT).await?;
        Ok(process)
    }

    async fn invoke(&self, request_id: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let after = self.program.function.timeout;
        let waiting = timeout_at(Instant::now() + after, self.places.acquire()).await;
        let Ok(Ok(_place)) = waiting else {
            return Err(InvokeError::TimedOut { after });
        };
        let process = loop {
            let Some(mut process) = self.idle().processes.pop() else {
                break self.start().await?;
            };
            match process.has_ended() {
                None => break process,
                Some(status) => {
                    let function = &self.program.function.id;
                    tracing::warn!(function, %status, "ended while idle; starting another");
                }
            }
        };
        let (process, answer) = process.invoke(request_id, event).await;
        if let Some(process) = process {
            self.give_back(process);
        }
        answer
    }
}
