//! Lines that wait for their reader, no more of them than fit.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many bytes of lines wait for their reader.
const MAX_WAITING: usize = 1024 * 1024;
/// What a line takes besides its text.
const LINE_COST: usize = 64;

/// What an output has still to write, and its writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) waiting: VecDeque<Entry>,
    pub(super) bytes: usize,
    /// Whether the writer is at lines that are no longer waiting.
    pub(super) is_writing: bool,
    /// Whether the output has no other end any more.
    pub(super) is_closed: bool,
}

/// Text that waits, or the place of text that did not fit.
#[derive(Debug)]
pub(super) enum Entry {
    Line(String),
    /// Text that its own line ends, or goes back to its start.
    Part(String),
    /// So many lines are missing here.
    Dropped(u64),
}

impl Queue {
    pub(super) fn locked(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is waiting, once something is.
    pub(super) fn take(&self) -> VecDeque<Entry> {
        let is_idle = |state: &mut State| state.waiting.is_empty();
        let state = self.changed.wait_while(self.locked(), is_idle);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.is_writing = true;
        state.bytes = 0;
        std::mem::take(&mut state.waiting)
    }

    /// What was taken is written, or could not be.
    pub(super) fn written(&self, outcome: io::Result<()>) {
        let mut state = self.locked();
        state.is_writing = false;
        // Anything else may pass.
        if outcome.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            state.is_closed = true;
            state.waiting.clear();
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    pub(super) fn add(&mut self, entry: Entry) {
        let cost = LINE_COST + entry.len();
        if self.bytes + cost <= MAX_WAITING {
            self.bytes += cost;
            self.waiting.push_back(entry);
        } else if let Some(Entry::Dropped(lines)) = self.waiting.back_mut() {
            *lines += 1;
        } else {
            self.waiting.push_back(Entry::Dropped(1));
        }
    }
}

impl Entry {
    fn len(&self) -> usize {
        match self {
            Self::Line(text) | Self::Part(text) => text.len(),
            Self::Dropped(_) => 0,
        }
    }
}
