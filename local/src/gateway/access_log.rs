//! The access log: one line a request on standard output, in the template's format.

use std::io::Write as _;

use tokio::sync::mpsc;

use super::exchange::Exchange;
use super::stage::Stage;
use super::variables::{Absent, Template};

/// Where lines go. Writing is another task's work, so that no request waits for the terminal.
#[derive(Debug)]
pub(super) struct AccessLog {
    format: Template,
    lines: mpsc::UnboundedSender<String>,
}

impl AccessLog {
    pub(super) fn start(format: Template) -> Self {
        let (lines, receiver) = mpsc::unbounded_channel();
        tokio::task::spawn_blocking(move || write(receiver));
        Self { format, lines }
    }

    pub(super) fn log(&self, exchange: &Exchange, stage: &Stage) {
        let line = self.format.render(exchange, stage, Absent::Dash);
        // The writer is gone only when nobody reads the output any more.
        let _ = self.lines.send(line);
    }
}

fn write(mut lines: mpsc::UnboundedReceiver<String>) {
    let mut output = std::io::BufWriter::new(std::io::stdout());
    while let Some(line) = lines.blocking_recv() {
        let mut next = Some(line);
        while let Some(line) = next {
            if writeln!(output, "{line}").is_err() {
                return;
            }
            next = lines.try_recv().ok();
        }
        if output.flush().is_err() {
            return;
        }
    }
}
