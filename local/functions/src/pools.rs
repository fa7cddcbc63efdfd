//! A pool for each function, which another may take the place of while invocations are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use super::invoke_error::InvokeError;
use super::log::PlatformLines;
use super::pool::Pool;
use super::program::Program;
use crate::outlet::Outlet;

/// The pools by the logical ids of their functions.
#[derive(Debug)]
pub(super) struct Pools {
    current: RwLock<BTreeMap<String, Arc<Pool>>>,
    /// Those whose place another has taken, for as long as invocations are under way in them.
    retired: Mutex<Vec<Weak<Pool>>>,
    /// Where what their processes write is shown.
    log: Outlet,
    shown: PlatformLines,
}

impl Pools {
    /// Pools for these programs, without a process yet.
    pub(super) fn new(
        programs: impl IntoIterator<Item = Program>,
        log: &Outlet,
        shown: PlatformLines,
    ) -> Self {
        let pools = programs.into_iter().map(|program| {
            let id = program.function.id.clone();
            (id, Arc::new(Pool::new(program, log, shown)))
        });
        Self {
            current: RwLock::new(pools.collect()),
            retired: Mutex::default(),
            log: log.clone(),
            shown,
        }
    }

    /// That of the function of this logical id.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Pool>> {
        self.read().get(id).map(Arc::clone)
    }

    pub(super) fn all(&self) -> Vec<Arc<Pool>> {
        self.read().values().map(Arc::clone).collect()
    }

    /// Those of now, and those in which an invocation may be under way still.
    pub(super) fn with_retired(&self) -> Vec<Arc<Pool>> {
        let mut all = self.all();
        all.extend(self.retired().iter().filter_map(Weak::upgrade));
        all
    }

    /// Starts one process of each function that requests call.
    pub(super) async fn warm(&self) -> Result<(), InvokeError> {
        warm(&self.all()).await
    }

    /// Pools for these programs, with a process where requests call them, which are to take the place of those
    /// of the same functions.
    pub(super) async fn prepare(
        &self,
        programs: Vec<Program>,
    ) -> Result<Vec<Arc<Pool>>, InvokeError> {
        let pools = programs.into_iter().map(|program| {
            let former = self.get(&program.function.id);
            let pool = Pool::new(program, &self.log, self.shown);
            Arc::new(match former {
                Some(former) => pool.counting_with(&former),
                None => pool,
            })
        });
        let pools: Vec<_> = pools.collect();
        warm(&pools).await?;
        Ok(pools)
    }

    /// Puts these pools in the place of those of the same functions.
    pub(super) fn put(&self, pools: Vec<Arc<Pool>>) {
        for pool in pools {
            let id = pool.program.function.id.clone();
            let former = self.written().insert(id, pool);
            if let Some(former) = former {
                self.retire(&former);
            }
        }
    }

    /// Takes these pools away, but for those that others have taken the place of meanwhile.
    pub(super) fn take_away(&self, pools: &[Arc<Pool>]) {
        for pool in pools {
            let id = &pool.program.function.id;
            let mut current = self.written();
            if current.get(id).is_some_and(|now| Arc::ptr_eq(now, pool)) {
                current.remove(id);
                drop(current);
                self.retire(pool);
            }
        }
    }

    fn retire(&self, pool: &Arc<Pool>) {
        pool.retire();
        let mut retired = self.retired();
        retired.retain(|pool| pool.strong_count() > 0);
        retired.push(Arc::downgrade(pool));
    }

    /// Ends the processes that have had no invocation for so long, but for one of each function.
    pub(super) async fn reap(&self, after: Duration) {
        for pool in self.all() {
            pool.reap(after).await;
        }
    }

    // No lock is held for more than a look or a change of one entry, which leaves nothing half done.
    fn retired(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Pool>>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn warm(pools: &[Arc<Pool>]) -> Result<(), InvokeError> {
    let of_requests = pools.iter().filter(|pool| pool.program.is_of_requests);
    let starts = of_requests.map(|pool| pool.warm());
    futures_util::future::try_join_all(starts).await.map(drop)
}
