//! Settings from the environment: read once at start, checked then, and named when wrong.
//!
//! An empty value counts as unset, because a template parameter that was left out arrives as an
//! empty string.

use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;

/// The exit code for wrong settings: `EX_USAGE` of BSD's sysexits(3).
const USAGE: u8 = 64;

/// A setting that a function cannot start with. One line, naming the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The variable is not set, or is empty.
    #[error("{name} is not set: {purpose}")]
    Missing {
        /// The environment variable.
        name: &'static str,
        /// What it is for, so that a reader knows what to put there.
        purpose: &'static str,
    },
    /// The variable is set to something that it cannot mean.
    #[error("{name} is malformed: {reason}")]
    Malformed {
        /// The environment variable.
        name: &'static str,
        /// What is wrong with it, without repeating a value that could be a secret.
        reason: String,
    },
}

impl SettingError {
    /// `name` is malformed because of `reason`, which may quote a part of the value and then holds
    /// anything: it is kept to one line.
    pub fn malformed(name: &'static str, reason: impl Display) -> Self {
        Self::Malformed {
            name,
            reason: reason.to_string().replace(char::is_control, " "),
        }
    }
}

/// The value of `name`, or `None` when it is unset or empty.
///
/// # Errors
/// When the value is not UTF-8.
pub fn optional(name: &'static str) -> Result<Option<String>, SettingError> {
    match std::env::var(name) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(SettingError::malformed(name, "it is not UTF-8"))
        }
    }
}

/// The value of `name`, which must be there; `purpose` completes the error's sentence.
///
/// # Errors
/// When the variable is unset, empty or not UTF-8.
pub fn required(name: &'static str, purpose: &'static str) -> Result<String, SettingError> {
    optional(name)?.ok_or(SettingError::Missing { name, purpose })
}

/// The value of `name` parsed, or `None` when it is unset or empty.
///
/// # Errors
/// When the value does not parse, with the parser's own words.
pub fn parsed<T>(name: &'static str) -> Result<Option<T>, SettingError>
where
    T: FromStr,
    T::Err: Display,
{
    optional(name)?
        .map(|value| {
            value
                .trim()
                .parse()
                .map_err(|error: T::Err| SettingError::malformed(name, error))
        })
        .transpose()
}

/// The parts of a comma-separated list, trimmed, without empty ones.
pub fn comma_separated(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Ends a function that cannot start: one line on standard error, exit code 64.
#[must_use]
pub fn refuse_to_start(function: &str, error: &SettingError) -> ExitCode {
    eprintln!("{function}: {error}");
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_on_one_line_whatever_it_quotes() {
        let error = SettingError::malformed("NAME", "unknown field `a\nb`");
        assert_eq!(error.to_string(), "NAME is malformed: unknown field `a b`");
    }

    #[test]
    fn a_list_drops_blanks_and_surrounding_space() {
        let parts: Vec<_> = comma_separated(" a, b ,,c,").collect();
        assert_eq!(parts, ["a", "b", "c"]);
    }

    #[test]
    fn an_unset_variable_is_named_with_its_purpose() {
        let error = required("KEYGATE_TEST_UNSET", "the table of items").unwrap_err();
        assert_eq!(
            error.to_string(),
            "KEYGATE_TEST_UNSET is not set: the table of items"
        );
    }
}
