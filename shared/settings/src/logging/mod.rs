//! Structured logs: one JSON object a line on standard output, as CloudWatch Logs Insights
//! reads them. No field may hold a credential, and what is invisible in one is escaped.

mod subscriber;
mod threshold;

use std::io;

use tracing::{Level, Metadata};

pub use crate::line::Line;
pub use threshold::Threshold;

use crate::{SettingError, Settings};
use subscriber::JsonLog;

/// Starts logging at `LOG_LEVEL` (`error`, `warn`, `info`, `debug`, `trace` or `off`; `info` when
/// unset), or at Lambda's own level where that is quieter, for the function whose package is `function`:
/// `env!("CARGO_PKG_NAME")`. A panic is a line too, whose member `ended` a metric filter finds. Later calls in one process do nothing.
///
/// Other crates than that package's and Keygate's own log at `info` and above whatever the level: below it the
/// Lambda runtime writes whole events and the HTTP and AWS libraries whole requests, credentials
/// included.
///
/// # Errors
/// When `LOG_LEVEL` is none of these.
pub fn init(settings: &Settings, function: &str) -> Result<(), SettingError> {
    let function = crate_name(function);
    let written = function.clone();
    start(settings, function, move |metadata| {
        is_safe(metadata, &written)
    })
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
    let written = function.clone();
    start(settings, function, move |metadata| {
        is_safe(metadata, &written) && !is_handler_error(metadata)
    })
}

/// A package's name as its crate and its log lines have it.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}

fn is_safe(metadata: &Metadata<'_>, function: &str) -> bool {
    *metadata.level() <= Level::INFO || is_ours(metadata, function)
}

fn is_ours(metadata: &Metadata<'_>, function: &str) -> bool {
    let target = metadata.target();
    let (name, _) = target.split_once("::").unwrap_or((target, ""));
    name == function || name.starts_with("keygate_")
}

fn is_handler_error(metadata: &Metadata<'_>) -> bool {
    // A panic's line comes from the same place and has a field for the panic.
    metadata.target() == "lambda_runtime::layers::panic"
        && metadata.fields().field("error").is_none()
}

fn start(
    settings: &Settings,
    function: String,
    writes: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
) -> Result<(), SettingError> {
    let log = JsonLog {
        least: Threshold::read(settings)?.events,
        is_ours: move |metadata: &Metadata<'_>| is_ours(metadata, &function),
        writes,
    };
    // A second start in one process (tests) keeps the first.
    if tracing::subscriber::set_global_default(log).is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            // The standard library's own lines are no JSON.
            Line::at("ERROR")
                .with("ended", "panic")
                .with("message", panic.to_string())
                .write_to(io::stderr());
        }));
    }
    Ok(())
}
