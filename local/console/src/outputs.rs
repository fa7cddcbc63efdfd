//! Both outputs of a process.

use std::io;
use std::time::Instant;

use super::{Lines, SETTLE};

/// Both outputs of a program that serves.
#[derive(Debug, Clone)]
pub struct Console {
    /// For what a program has to say.
    pub stdout: Lines,
    /// For its log.
    pub stderr: Lines,
}

impl Console {
    /// The outputs of this process; what it logs is for a program where `is_json` says so.
    #[must_use]
    pub fn open(is_json: bool) -> Self {
        let stderr = Lines::to_output(io::stderr(), "standard error");
        Self {
            stdout: Lines::to_output(io::stdout(), "standard output"),
            stderr: Lines { is_json, ..stderr },
        }
    }

    /// Waits a moment until what was said is written.
    pub fn settle(&self) {
        let deadline = Instant::now() + SETTLE;
        self.stdout.settle_until(deadline);
        self.stderr.settle_until(deadline);
    }

    /// Has a panic said like any other line: the standard library's own way to say it waits.
    pub fn take_panics(&self) {
        let console = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let text = format!("keygate: {panic}");
            console.stderr.say(&keygate_visible::lines(&text));
            console.settle();
        }));
    }
}
