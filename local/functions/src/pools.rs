//! A pool for each function, which another may take the place of while invocations are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
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

    /// Starts one process of each function.
    pub(super) async fn warm(&self) -> Result<(), InvokeError> {
        warm(&self.all()).await
    }

    /// Puts pools for these programs in the place of those of the same functions, once each has a process.
    pub(super) async fn replace(&self, programs: Vec<Program>) -> Result<(), InvokeError> {
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
        for pool in pools {
            let id = pool.program.function.id.clone();
            if let Some(former) = self.written().insert(id, pool) {
                former.retire();
            }
        }
        Ok(())
    }

    /// Takes away the functions that are none of these.
    pub(super) fn retain(&self, is_kept: impl Fn(&str) -> bool) {
        self.written().retain(|id, pool| {
            let is_kept = is_kept(id);
            if !is_kept {
                pool.retire();
            }
            is_kept
        });
    }

    /// Ends the processes that have had no invocation for so long, but for one of each function.
    pub(super) async fn reap(&self, after: Duration) {
        for pool in self.all() {
            pool.reap(after).await;
        }
    }

    // Neither lock is held for more than a look or a change of one entry, which leaves nothing half done.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn warm(pools: &[Arc<Pool>]) -> Result<(), InvokeError> {
    let starts = pools.iter().map(|pool| pool.warm());
    futures_util::future::try_join_all(starts).await.map(drop)
}
