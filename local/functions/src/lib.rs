//! Functions as real processes: a pool for each, one invocation at a time in a process, more
//! processes under load. A function is known here only by the Lambda Runtime API.

mod embedded;
mod invoke_error;
mod log;
mod outlet;
mod output;
mod pool;
mod pools;
mod process;
mod program;
mod report;
mod runtime_api;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub use self::embedded::with_metrics_summed_up;
pub use self::invoke_error::{InvokeError, MAX_EVENT_BYTES};
pub use self::log::PlatformLines;
pub use self::outlet::{Outlet, Said};
use self::pool::Pool;
use self::pools::Pools;
pub use self::process::Invoked;
pub use self::program::{Launch, Program, can_run, inherited};
pub use self::runtime_api::Invocation;

/// How many events nobody waits for may wait for their invocation.
const MAX_QUEUED: usize = 1000;
/// How often it is looked for processes to end: not less often than this, and not more often than
/// [`REAP_NOT_WITHIN`].
const REAP_WITHIN: Duration = Duration::from_secs(10);
const REAP_NOT_WITHIN: Duration = Duration::from_millis(100);

/// How the processes of functions are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// A process without an invocation for so long is ended, unless it is a function's only one.
    pub idle: Duration,
    /// Which of Lambda's own lines are shown.
    pub shown: PlatformLines,
}

/// All functions of the application.
#[derive(Debug)]
pub struct Functions {
    pools: Arc<Pools>,
    queue: Arc<Semaphore>,
    reaper: JoinHandle<()>,
}

impl Functions {
    /// Pools for these programs, whose output goes to `log`; no process is started yet.
    pub fn new(
        programs: impl IntoIterator<Item = Program>,
        log: &Outlet,
        keeping: Keeping,
    ) -> Self {
        let pools = Arc::new(Pools::new(programs, log, keeping.shown));
        let kept = Arc::clone(&pools);
        let reaper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(keeping.idle.clamp(REAP_NOT_WITHIN, REAP_WITHIN)).await;
                kept.reap(keeping.idle).await;
            }
        });
        Self {
            pools,
            queue: Arc::new(Semaphore::new(MAX_QUEUED)),
            reaper,
        }
    }

    /// Starts one process of each function that requests call, and waits until it asks for an invocation, so
    /// that a function that cannot start is told at once.
    ///
    /// # Errors
    /// The first function that does not start.
    pub async fn warm(&self) -> Result<(), InvokeError> {
        self.pools.warm().await
    }

    /// Starts a process of each of these programs that requests call, beside those that they are to take the
    /// place of.
    ///
    /// # Errors
    /// The first function that does not start: then none is left running.
    pub async fn prepare(&self, programs: Vec<Program>) -> Result<Prepared, InvokeError> {
        self.pools.prepare(programs).await.map(Prepared)
    }

    /// Has what was prepared take the place of the same functions. Invocations in flight, and those that
    /// wait, are answered by the former.
    pub fn put(&self, prepared: Prepared) {
        self.pools.put(prepared.0);
    }

    /// Parts with the functions that are none of these, once nobody holds the value that it gives.
    #[must_use]
    pub fn part(&self, is_kept: impl Fn(&str) -> bool) -> Parting {
        let mut leaving = self.pools.all();
        leaving.retain(|pool| !is_kept(&pool.program.function.id));
        Parting {
            pools: Arc::clone(&self.pools),
            leaving,
        }
    }

    /// The program of the function that has this name, or this logical id.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Arc<Program>> {
        let mut all = self.pools.all().into_iter();
        let named = all.find(|pool| pool.program.function.name == name);
        let pool = named.or_else(|| self.pools.get(name))?;
        Some(Arc::clone(&pool.program))
    }

    /// Invokes a function.
    ///
    /// # Errors
    /// When the function answers an error, or gives no answer.
    pub async fn invoke(
        &self,
        function_id: &str,
        request_id: &str,
        event: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let invocation = Invocation {
            request_id: request_id.to_owned(),
            event,
            client_context: None,
        };
        self.call(function_id, invocation).await.answer
    }

    /// Invokes a function, and keeps what it logs meanwhile.
    pub async fn call(&self, function_id: &str, invocation: Invocation) -> Invoked {
        let Some(pool) = self.pools.get(function_id) else {
            return InvokeError::Unknown(function_id.to_owned()).into();
        };
        if invocation.event.len() > MAX_EVENT_BYTES {
            return InvokeError::EventTooLarge(invocation.event.len()).into();
        }
        let admission = match pool.admit() {
            Ok(admission) => admission,
            Err(error) => return error.into(),
        };
        // In a task of its own: as on Lambda, an invocation goes on when its client has gone.
        tokio::spawn(async move { pool.invoke(invocation, admission).await })
            .await
            .unwrap_or_else(|_| InvokeError::Stopping.into())
    }

    /// Invokes a function as soon as its limit has room, and without anybody who waits for its answer.
    ///
    /// # Errors
    /// When too many such events are waiting already.
    pub fn queue(&self, function_id: &str, invocation: Invocation) -> Result<(), InvokeError> {
        let pool = self.pools.get(function_id);
        let pool = pool.ok_or_else(|| InvokeError::Unknown(function_id.to_owned()))?;
        let pools = Arc::clone(&self.pools);
        let place = Arc::clone(&self.queue).try_acquire_owned();
        let place = place.map_err(|_| InvokeError::QueueFull)?;
        tokio::spawn(async move {
            let _place = place;
            let (function, request_id) = (
                pool.program.function.id.clone(),
                invocation.request_id.clone(),
            );
            let outcome = match pool.admit_in_time().await {
                Ok(admission) => {
                    // It may have waited for long, and another have taken the function's place.
                    let pool = pools.get(&function).unwrap_or(pool);
                    pool.invoke(invocation, admission).await.answer
                }
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(function, request_id, %error, "an event is lost");
            }
        });
        Ok(())
    }

    /// Waits a moment for invocations in flight, then ends every process.
    pub async fn shut_down(&self) {
        self.reaper.abort();
        let all = self.pools.with_retired();
        let pools = all.iter().map(|pool| pool.shut_down());
        futures_util::future::join_all(pools).await;
    }
}

/// Functions that have started, and are not called yet.
#[derive(Debug)]
pub struct Prepared(Vec<Arc<Pool>>);

/// Functions that a template has no more, and that go with this value: who began a request with them holds
/// it until the request is answered.
#[derive(Debug)]
pub struct Parting {
    pools: Arc<Pools>,
    leaving: Vec<Arc<Pool>>,
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.pools.take_away(&self.leaving);
    }
}

/// A reaper holds every pool, and would outlive them.
impl Drop for Functions {
    fn drop(&mut self) {
        self.reaper.abort();
    }
}
