//! Structured logs: one JSON object a line on standard output, as CloudWatch Logs Insights
//! reads them. No field may hold a credential.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;

use crate::settings::{self, SettingError};

/// Starts logging at `LOG_LEVEL` (`error`, `warn`, `info`, `debug`, `trace` or `off`; `info` when
/// unset). Later calls in one process do nothing.
///
/// # Errors
/// When `LOG_LEVEL` is none of these.
pub fn init() -> Result<(), SettingError> {
    let level = match settings::optional("LOG_LEVEL")? {
        None => LevelFilter::INFO,
        Some(level) => LevelFilter::from_str(level.trim()).map_err(|_| {
            SettingError::malformed(
                "LOG_LEVEL",
                "use one of error, warn, info, debug, trace, off",
            )
        })?,
    };
    // CloudWatch stamps each line itself, so the line need not carry the time as well.
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .without_time()
        .with_target(false)
        .with_max_level(level)
        .finish();
    // A second start in one process (tests) keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
