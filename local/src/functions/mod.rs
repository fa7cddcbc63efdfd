//! Functions as real processes: a pool for each, one invocation at a time in a process, more
//! processes under load. A function is known here only by the Lambda Runtime API.

mod invoke_error;
mod process;
mod program;
mod runtime_api;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
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
    pools: BTreeMap<String, Arc<Pool>>,
}

#[derive(Debug)]
struct Pool {
    program: Arc<Program>,
    /// Where what its processes write is shown.
    log: FunctionLog,
    idle: Mutex<Vec<Process>>,
    places: Semaphore,
}

impl Functions {
    /// Pools for these programs, whose output goes to `log`; no process is started yet.
    pub(crate) fn new(programs: impl IntoIterator<Item = Program>, log: &FunctionLog) -> Self {
        let pools = programs.into_iter().map(|program| {
            let pool = Pool {
                idle: Mutex::new(Vec::new()),
                places: Semaphore::new(MAX_PROCESSES as usize),
                program: Arc::new(program),
                log: log.clone(),
            };
            (pool.program.function.id.clone(), Arc::new(pool))
        });
        Self {
            pools: pools.collect(),
        }
    }

    /// Starts one process of each function and waits until it asks for an invocation, so that a
    /// function that cannot start is told at once.
    ///
    /// # Errors
    /// The first function that does not start.
    pub(crate) async fn warm(&self) -> Result<(), InvokeError> {
        let starts = self.pools.values().map(|pool| async move {
            pool.give_back(pool.start().await?);
            Ok(())
        });
        futures_util::future::try_join_all(starts).await.map(drop)
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
            .pools
            .get(function_id)
            .ok_or_else(|| InvokeError::Unknown(function_id.to_owned()))?;
        // In a task of its own: as on Lambda, an invocation goes on when its client has gone.
        let (pool, request_id) = (Arc::clone(pool), request_id.to_owned());
        tokio::spawn(async move { pool.invoke(&request_id, event).await })
            .await
            .unwrap_or(Err(InvokeError::Crashed))
    }

    /// Waits a moment for invocations in flight, then ends every process.
    pub(crate) async fn shut_down(&self) {
        let pools = self.pools.values().map(|pool| async {
            // Whoever is still at work then is killed when its invocation's task is dropped.
            let _ = timeout(DRAIN_TIMEOUT, pool.places.acquire_many(MAX_PROCESSES)).await;
            pool.places.close();
            let idle = std::mem::take(&mut *pool.idle());
            for process in idle {
                process.kill().await;
            }
        });
        futures_util::future::join_all(pools).await;
    }
}

impl Pool {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        // The lock is held for a push or a pop only, which leaves nothing half done.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, process: Process) {
        let mut idle = self.idle();
        if !self.places.is_closed() {
            idle.push(process);
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
            let Some(mut process) = self.idle().pop() else {
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
