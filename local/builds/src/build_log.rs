//! What builders say while they build, shown as they say it. It comes through this program, because a
//! builder that is no part of the terminal's foreground may not write there itself (`stty tostop`).

use keygate_console::Lines;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The width of cargo's progress, which it cannot ask a pipe for.
const WIDTH: &str = "80";

/// A longer line is shown in parts.
const MAX_LINE: usize = 64 * 1024;

/// Where builders are heard.
#[derive(Debug, Clone)]
pub struct BuildLog {
    lines: Lines,
    /// Whether a line may be written over, as a bar that grows is.
    has_progress: bool,
    is_quiet: bool,
}

impl BuildLog {
    /// For a build before anything is served: on a terminal with its progress.
    #[must_use]
    pub fn alone(lines: &Lines) -> Self {
        Self {
            lines: lines.clone(),
            has_progress: lines.is_terminal(),
            is_quiet: false,
        }
    }

    /// For a build beside what is served, which says no more than it must.
    #[must_use]
    pub fn beside(lines: &Lines) -> Self {
        Self {
            lines: lines.clone(),
            has_progress: false,
            is_quiet: true,
        }
    }

    /// Whether a builder says what is wrong, and no more.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Says a line of this program's own.
    pub fn tell(&self, text: &str) {
        let text = format!("keygate: {text}");
        self.lines.say(&keygate_visible::lines(&text));
    }

    /// The variables that have cargo write as to a terminal, where there is one behind the pipe.
    pub(crate) fn environment(&self) -> Vec<(&'static str, &'static str)> {
        let mut variables = Vec::new();
        let is_unset = |name: &str| std::env::var_os(name).is_none();
        if self.lines.has_colour() && is_unset("CARGO_TERM_COLOR") {
            variables.push(("CARGO_TERM_COLOR", "always"));
        }
        if self.has_progress && is_unset("CARGO_TERM_PROGRESS_WHEN") {
            variables.push(("CARGO_TERM_PROGRESS_WHEN", "always"));
            variables.push(("CARGO_TERM_PROGRESS_WIDTH", WIDTH));
        }
        variables
    }

    /// Shows what a builder writes, to its end.
    pub(crate) async fn follow(&self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut waiting = Vec::new();
        while let Ok(1..) = pipe.read_buf(&mut waiting).await {
            let is_end = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && self.has_progress);
            if let Some(end) = waiting.iter().rposition(is_end) {
                let rest = waiting.split_off(end + 1);
                self.lines.say_part(&String::from_utf8_lossy(&waiting));
                waiting = rest;
            } else if waiting.len() > MAX_LINE {
                self.lines.say(&String::from_utf8_lossy(&waiting));
                waiting.clear();
            }
        }
        if !waiting.is_empty() {
            self.lines.say(&String::from_utf8_lossy(&waiting));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, pipe};

    use super::*;

    #[tokio::test]
    async fn what_a_builder_writes_is_shown_to_its_last_byte() {
        let (mut reader, writer) = pipe().unwrap();
        let lines = Lines::to(writer, "pipe");
        let log = BuildLog::alone(&lines);
        let said: &[u8] = b"   Compiling a\nerror: no\rsuch thing\nand no end";
        log.follow(Some(said)).await;
        let mut shown = vec![0; said.len() + 1];
        reader.read_exact(&mut shown).unwrap();
        assert_eq!(shown, [said, b"\n"].concat());
    }
}
