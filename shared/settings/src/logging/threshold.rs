//! The least severe line that reaches a function's log, which two decide: the function, and Lambda.

use std::str::FromStr;

use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::{SettingError, Settings};

/// The level of a line that is no more severe than another.
const ORDINARY: &str = "INFO";

/// What is least severe of what reaches the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// What is written.
    pub(super) events: LevelFilter,
    /// What Lambda lets pass, and at least [`ORDINARY`].
    passes: Option<&'static str>,
}

impl Threshold {
    /// Reads `LOG_LEVEL`, and what Lambda says of its own filter, the function's
    /// `ApplicationLogLevel`, in `AWS_LAMBDA_LOG_LEVEL`: the quieter of the two counts.
    ///
    /// # Errors
    /// When `LOG_LEVEL` is none of `error`, `warn`, `info`, `debug`, `trace` and `off`.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let own = match settings.optional("LOG_LEVEL")? {
            None => LevelFilter::INFO,
            Some(level) => LevelFilter::from_str(level.trim()).map_err(|_| {
                SettingError::malformed(
                    "LOG_LEVEL",
                    "use one of error, warn, info, debug, trace, off",
                )
            })?,
        };
        // It is Lambda's to set, so that a name we do not know is no mistake of the deployment's.
        let lambda = settings.optional("AWS_LAMBDA_LOG_LEVEL")?;
        let (lambda, passes) = lambda.and_then(of_lambda).unwrap_or((own, ORDINARY));
        Ok(Self {
            events: own.min(lambda),
            passes: (own != LevelFilter::OFF).then_some(passes),
        })
    }

    /// The level of a line that is neither warning nor error and has to be in the log whatever is said of
    /// lines: `INFO`, or what Lambda lets pass. `None` where nothing is logged at all.
    #[must_use]
    pub fn level(&self) -> Option<&'static str> {
        self.passes
    }

    /// Whether events of a level are written.
    #[must_use]
    pub fn lets_pass(&self, level: tracing::Level) -> bool {
        level <= self.events
    }
}

/// What Lambda's level has written, and the level at which an ordinary line passes. Its names are ours, and
/// `FATAL` beyond them.
fn of_lambda(level: &str) -> Option<(LevelFilter, &'static str)> {
    if level == "FATAL" {
        return Some((LevelFilter::OFF, "FATAL"));
    }
    let events = LevelFilter::from_str(level).ok()?;
    let least = events.into_level()?.min(Level::INFO);
    Some((events, least.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(settings: &[(&str, &str)]) -> (LevelFilter, Option<&'static str>) {
        let settings: Settings = settings.iter().copied().collect();
        let threshold = Threshold::read(&settings).unwrap();
        (threshold.events, threshold.level())
    }

    #[test]
    fn the_quieter_of_the_functions_level_and_lambdas_counts() {
        for (own, lambda, events, level) in [
            ("", "", LevelFilter::INFO, Some("INFO")),
            ("warn", "", LevelFilter::WARN, Some("INFO")),
            ("warn", "DEBUG", LevelFilter::WARN, Some("INFO")),
            ("error", "WARN", LevelFilter::ERROR, Some("WARN")),
            ("DEBUG", "ERROR", LevelFilter::ERROR, Some("ERROR")),
            ("trace", "FATAL", LevelFilter::OFF, Some("FATAL")),
            ("info", "unheard of", LevelFilter::INFO, Some("INFO")),
            ("off", "", LevelFilter::OFF, None),
            ("off", "INFO", LevelFilter::OFF, None),
        ] {
            let settings = [("LOG_LEVEL", own), ("AWS_LAMBDA_LOG_LEVEL", lambda)];
            assert_eq!(threshold(&settings), (events, level), "{own} {lambda}");
        }
    }
}
