//! The log of one process: what it writes, and what Lambda says of it besides. All of it is shown, and the
//! end of what belongs to the invocation under way is kept. Whoever asks what became of a request is told
//! what was shown meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;

use crate::embedded::with_metrics_summed_up;
use crate::outlet::{Outlet, Said};

/// How much of an invocation's log `Invoke` gives ("Invoke", Lambda API reference, `LogType`).
const MAX_TAIL: usize = 4 * 1024;

/// Which of Lambda's own lines are shown among what functions log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum PlatformLines {
    /// What went wrong: a timeout, an end of the process, a failed start.
    Failures,
    /// `REPORT` of each invocation besides.
    Report,
    /// All that CloudWatch Logs has: `INIT_START`, `START` and `END` too, and functions' metrics whole.
    All,
}

/// The log of one process.
#[derive(Debug)]
pub(super) struct Log {
    function: String,
    outlet: Outlet,
    shown: PlatformLines,
    current: Mutex<Current>,
}

/// The invocation under way, or else the last one.
#[derive(Debug, Default)]
struct Current {
    request_id: Option<String>,
    /// The end of its log.
    tail: Vec<u8>,
}

impl Log {
    pub(super) fn new(function: &str, log: &Outlet, shown: PlatformLines) -> Self {
        Self {
            function: function.to_owned(),
            outlet: log.clone(),
            shown,
            current: Mutex::default(),
        }
    }

    /// Shows a line that the function has written, in which nothing is invisible. Where Lambda's own lines
    /// are all shown, it is as CloudWatch Logs has it.
    pub(super) fn function_line(&self, line: &str) {
        self.keep(line);
        match self.shown {
            PlatformLines::All => self.show(line),
            _ => self.show(&with_metrics_summed_up(line)),
        }
    }

    /// Shows a line of Lambda's own, where lines of its kind are shown.
    pub(super) fn platform_line(&self, kind: PlatformLines, line: &str) {
        self.keep(line);
        if kind <= self.shown {
            self.show(line);
        }
    }

    /// Another invocation begins.
    pub(super) fn begin(&self, request_id: &str) {
        let mut current = self.current();
        current.request_id = Some(request_id.to_owned());
        current.tail.clear();
    }

    /// The end of the log since the invocation began.
    pub(super) fn tail_so_far(&self) -> Vec<u8> {
        let tail = &self.current().tail;
        let from = tail.len().saturating_sub(MAX_TAIL);
        tail.get(from..).unwrap_or_default().to_vec()
    }

    fn show(&self, line: &str) {
        let request = self.current().request_id.clone();
        self.outlet.say(&Said {
            function: &self.function,
            request: request.as_deref(),
            line,
        });
    }

    fn keep(&self, line: &str) {
        let tail = &mut self.current().tail;
        tail.extend_from_slice(line.as_bytes());
        tail.push(b'\n');
        // Not at each line, which would move the whole each time.
        if tail.len() > 2 * MAX_TAIL {
            let surplus = tail.len() - MAX_TAIL;
            tail.drain(..surplus);
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        // No code panics while it holds the lock.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_4_kilobytes_of_one_invocation() {
        let log = Log::new("Fn", &Outlet::unread(), PlatformLines::Failures);
        log.function_line("of another invocation");
        log.begin("a");
        for number in 0..2000 {
            log.platform_line(PlatformLines::All, &format!("{number:07}"));
        }
        let tail = String::from_utf8(log.tail_so_far()).unwrap();
        assert_eq!(tail.len(), MAX_TAIL);
        assert!(tail.starts_with("0001488\n") && tail.ends_with("0001999\n"));
        log.begin("a");
        log.platform_line(PlatformLines::All, "one");
        assert_eq!(log.tail_so_far(), b"one\n");
    }
}
