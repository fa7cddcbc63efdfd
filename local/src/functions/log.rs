//! The log of one process: what it writes, and what Lambda says of it besides. All of it is shown, and the
//! end of what belongs to the invocation under way is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;

use crate::console::Lines;

/// How much of an invocation's log `Invoke` gives ("Invoke", Lambda API reference, `LogType`).
const MAX_TAIL: usize = 4 * 1024;

/// Which of Lambda's own lines are shown among what functions log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum PlatformLines {
    /// What went wrong: a timeout, an end of the process, a failed start.
    Failures,
    /// `REPORT` of each invocation besides.
    Report,
    /// All that CloudWatch Logs has: `INIT_START`, `START` and `END` too.
    All,
}

/// The log of one process.
#[derive(Debug)]
pub(super) struct Log {
    function: String,
    console: Lines,
    shown: PlatformLines,
    /// The end of the log of the invocation under way.
    tail: Mutex<Vec<u8>>,
}

impl Log {
    pub(super) fn new(function: &str, console: &Lines, shown: PlatformLines) -> Self {
        Self {
            function: function.to_owned(),
            console: console.clone(),
            shown,
            tail: Mutex::default(),
        }
    }

    /// Shows a line that the function has written, in which nothing is invisible.
    pub(super) fn function_line(&self, line: &str) {
        self.keep(line);
        self.show(line);
    }

    /// Shows a line of Lambda's own, where lines of its kind are shown.
    pub(super) fn platform_line(&self, kind: PlatformLines, line: &str) {
        self.keep(line);
        if kind <= self.shown {
            self.show(line);
        }
    }

    /// Another invocation begins.
    pub(super) fn start_tail(&self) {
        self.tail().clear();
    }

    /// The end of the log since the invocation began.
    pub(super) fn tail_so_far(&self) -> Vec<u8> {
        let tail = self.tail();
        let from = tail.len().saturating_sub(MAX_TAIL);
        tail.get(from..).unwrap_or_default().to_vec()
    }

    fn show(&self, line: &str) {
        self.console.say(&format!("[{}] {line}", self.function));
    }

    fn keep(&self, line: &str) {
        let mut tail = self.tail();
        tail.extend_from_slice(line.as_bytes());
        tail.push(b'\n');
        // Not at each line, which would move the whole each time.
        if tail.len() > 2 * MAX_TAIL {
            let surplus = tail.len() - MAX_TAIL;
            tail.drain(..surplus);
        }
    }

    fn tail(&self) -> MutexGuard<'_, Vec<u8>> {
        // No code panics while it holds the lock.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_4_kilobytes_of_one_invocation() {
        let log = Log::new("Fn", &Lines::closed(), PlatformLines::Failures);
        log.function_line("of another invocation");
        log.start_tail();
        for number in 0..2000 {
            log.platform_line(PlatformLines::All, &format!("{number:07}"));
        }
        let tail = String::from_utf8(log.tail_so_far()).unwrap();
        assert_eq!(tail.len(), MAX_TAIL);
        assert!(tail.starts_with("0001488\n") && tail.ends_with("0001999\n"));
        log.start_tail();
        log.platform_line(PlatformLines::All, "one");
        assert_eq!(log.tail_so_far(), b"one\n");
    }
}
