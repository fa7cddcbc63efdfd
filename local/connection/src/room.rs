//! How many connections there may be: as many as the process may have files, but for those that it needs
//! itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;

/// The files that are left for all else, such as functions' pipes: at most half of all.
const KEPT_FREE: u64 = 512;
/// Those that were asked to end may be one for so many that there is room for.
const SHARE_OF_ASKED: usize = 8;
/// The fewest connections that there may be.
const MIN_ROOM: usize = 16;

/// The connections that are open, over all listeners that have a clone of it.
#[derive(Debug, Clone)]
pub struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// By the order in which they came.
    connections: BTreeMap<u64, Arc<Notify>>,
    /// Those that were asked to end, and are at a request still.
    asked: BTreeMap<u64, Arc<Notify>>,
    last: u64,
}

/// A connection's place, while it lives.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    number: u64,
    end: Arc<Notify>,
}

impl Room {
    /// Room for as many connections as the process may have files, but for some.
    #[must_use]
    pub fn of_process() -> Self {
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let room = files - KEPT_FREE.min(files / 2);
        Self::new(usize::try_from(room).unwrap_or(usize::MAX))
    }

    /// Room for so many.
    fn new(limit: usize) -> Self {
        Self(Arc::new(Shared {
            limit: limit.max(MIN_ROOM),
            open: Mutex::default(),
        }))
    }

    /// Takes a new connection in. Where there are too many, the oldest is asked to end: the longest idle,
    /// most likely, and one at work ends after its answer. Where too many of those stay, the oldest of them
    /// is asked once more, and ends at once.
    pub(crate) fn take(&self) -> Place {
        let end = Arc::new(Notify::new());
        let mut open = self.open();
        open.last += 1;
        let number = open.last;
        open.connections.insert(number, Arc::clone(&end));
        if open.connections.len() > self.0.limit
            && let Some((number, oldest)) = open.connections.pop_first()
        {
            oldest.notify_one();
            open.asked.insert(number, oldest);
        }
        if open.asked.len() > self.0.limit.div_ceil(SHARE_OF_ASKED)
            && let Some((_, oldest)) = open.asked.pop_first()
        {
            oldest.notify_one();
        }
        drop(open);
        Place {
            room: self.clone(),
            number,
            end,
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // No code panics while it holds the lock.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the connection is asked to end: the first time after its request, the second time now.
    pub(crate) async fn wanted(&self) {
        self.end.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.room.open();
        open.connections.remove(&self.number);
        open.asked.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_are_asked_to_end_where_there_are_too_many() {
        let room = Room::new(MIN_ROOM);
        let mut places: Vec<Place> = (0..MIN_ROOM + 2).map(|_| room.take()).collect();
        for (index, place) in places.iter().enumerate() {
            let is_asked = timeout(Duration::from_secs(1), place.wanted())
                .await
                .is_ok();
            assert_eq!(is_asked, index < 2, "{index}");
        }
        // As long as they stay, the oldest are asked once more for as many as come.
        let more: Vec<Place> = (0..MIN_ROOM / SHARE_OF_ASKED)
            .map(|_| room.take())
            .collect();
        for place in &places[..2 + more.len()] {
            let asked = timeout(Duration::from_secs(1), place.wanted());
            asked.await.unwrap();
        }
        drop(more);
        // Whose connections have ended make room.
        places.truncate(3);
        places.push(room.take());
        let is_asked = timeout(Duration::from_secs(1), places[2].wanted()).await;
        assert!(is_asked.is_err());
    }
}
