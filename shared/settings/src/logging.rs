//! Structured logs: one JSON object a line on standard output, as CloudWatch Logs Insights
//! reads them. No field may hold a credential, and what is invisible in one is escaped.

use std::io::{self, Write};
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;

use crate::{SettingError, Settings};

/// Starts logging at `LOG_LEVEL` (`error`, `warn`, `info`, `debug`, `trace` or `off`; `info` when
/// unset) for the function whose package is `function`: `env!("CARGO_PKG_NAME")`. Later calls in one
/// process do nothing.
///
/// Other crates than that package's and Keygate's own log at `info` and above whatever the level: below it the
/// Lambda runtime writes whole events and the HTTP and AWS libraries whole requests, credentials
/// included.
///
/// # Errors
/// When `LOG_LEVEL` is none of these.
pub fn init(settings: &Settings, function: &str) -> Result<(), SettingError> {
    let function = crate_name(function);
    start(settings, move |metadata| is_safe(metadata, &function))
}

/// The same for a function whose errors are answers that it logs itself: the Lambda runtime's own
/// line for an error that a handler returns is left out. It still reports a panic.
///
/// # Errors
/// When `LOG_LEVEL` is none of those above.
pub fn init_without_handler_errors(
    settings: &Settings,
    function: &str,
) -> Result<(), SettingError> {
    let function = crate_name(function);
    start(settings, move |metadata| {
        is_safe(metadata, &function) && !is_handler_error(metadata)
    })
}

/// The level that `LOG_LEVEL` says.
///
/// # Errors
/// When it is none of those of [`init`].
pub fn level(settings: &Settings) -> Result<LevelFilter, SettingError> {
    let name = "LOG_LEVEL";
    let Some(level) = settings.optional(name)? else {
        return Ok(LevelFilter::INFO);
    };
    LevelFilter::from_str(level.trim()).map_err(|_| {
        SettingError::malformed(name, "use one of error, warn, info, debug, trace, off")
    })
}

/// A package's name as its crate and its log lines have it.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

fn is_safe(metadata: &Metadata<'_>, function: &str) -> bool {
    let target = metadata.target();
    let (name, _) = target.split_once("::").unwrap_or((target, ""));
    *metadata.level() <= Level::INFO || name == function || name.starts_with("keygate_")
}

fn is_handler_error(metadata: &Metadata<'_>) -> bool {
    // A panic's line comes from the same place and has a field for the panic.
    metadata.target() == "lambda_runtime::layers::panic"
        && metadata.fields().field("error").is_none()
}

/// Writes JSON, of which it is given whole lines, with nothing invisible in it.
struct JsonLines<W>(W);

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(lines);
        self.0.write_all(keygate_visible::json(&text).as_bytes())?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn start(
    settings: &Settings,
    writes: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
) -> Result<(), SettingError> {
    let level = level(settings)?;
    // CloudWatch stamps each line itself, so the line need not carry the time as well.
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .without_time()
        .with_target(false)
        .with_max_level(level)
        .with_writer(|| JsonLines(io::stdout()))
        .finish()
        .with(filter_fn(writes));
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_hides_nothing_from_its_reader_and_says_the_same_to_a_program() {
        let mut written = Vec::new();
        let line = "{\"principal\":\"bob\u{202e}nimda\"}\n";
        JsonLines(&mut written).write_all(line.as_bytes()).unwrap();
        assert_eq!(written, b"{\"principal\":\"bob\\u202enimda\"}\n");
    }
}
