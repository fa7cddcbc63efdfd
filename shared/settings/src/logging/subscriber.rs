//! What becomes of an event: one line. Spans are not written, and so not kept.

use std::error::Error;
use std::fmt;
use std::io;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use crate::line::Line;

/// The field whose text is members of the line, in JSON already: `keygate-metrics` writes it.
const METRICS: &str = "metrics";

/// Writes the events of a level and above, one line each, to standard output.
pub(super) struct JsonLog<W, O> {
    pub(super) least: LevelFilter,
    /// Which events are written, of those that are severe enough.
    pub(super) writes: W,
    /// Whose events may bring members of their own.
    pub(super) is_ours: O,
}

impl<W, O> Subscriber for JsonLog<W, O>
where
    W: Fn(&Metadata<'_>) -> bool + 'static,
    O: Fn(&Metadata<'_>) -> bool + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.least && (self.writes)(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.least)
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut fields = Fields {
            line: Line::at(metadata.level().as_str()),
            takes_members: (self.is_ours)(metadata),
        };
        event.record(&mut fields);
        fields.line.write_to(io::stdout());
    }

    // No span is enabled, so none of these is called.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Fields {
    line: Line,
    takes_members: bool,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.line.push(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.line.push(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.line.push(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.line.push_number(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.line.push_number(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.line.push_number(field.name(), value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.line.push_number(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.line.push_text(field.name(), value);
    }

    /// Also what was given by its `Display`, and the message.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.takes_members && field.name() == METRICS {
            self.line.push_members(&format_args!("{value:?}"));
        } else {
            self.line.push_text(field.name(), format_args!("{value:?}"));
        }
    }
}
