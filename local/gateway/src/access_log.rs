//! The access log: one line a request, in the template's format.

use keygate_console::Lines;

use super::exchange::Exchange;
use super::stage::Stage;
use super::variables::{Absent, Template};

/// Where lines go. No request waits for whoever reads them.
#[derive(Debug)]
pub(super) struct AccessLog {
    format: Template,
    lines: Lines,
}

impl AccessLog {
    pub(super) fn new(format: Template, lines: Lines) -> Self {
        Self { format, lines }
    }

    pub(super) fn log(&self, exchange: &Exchange, stage: &Stage) {
        let line = self.format.render(exchange, stage, Absent::Dash);
        self.lines.say(&line);
    }
}
