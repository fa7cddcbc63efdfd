//! What a function is told by its environment: read once at start, checked then, and named when
//! wrong. [`logging`] is the first that it decides.
//!
//! An empty value counts as unset, because a template parameter that was left out arrives as an
//! empty string.

mod line;
pub mod logging;
mod timestamp;

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fmt::Display;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use line::Line;

/// The exit code for wrong settings: `EX_USAGE` of BSD's sysexits(3).
const USAGE: u8 = 64;

/// Where settings come from: the process's environment, or what a test gives.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    values: HashMap<OsString, OsString>,
    /// What was asked for, by this value or a clone of it.
    asked: Arc<Mutex<BTreeSet<&'static str>>>,
}

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

    /// The environment variable that is wrong.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        let (Self::Missing { name, .. } | Self::Malformed { name, .. }) = self;
        name
    }
}

impl Settings {
    /// The environment of this process, as it is now.
    #[must_use]
    pub fn from_env() -> Self {
        std::env::vars_os().collect()
    }

    /// The names that were asked for so far, whether they are set or not: what the program that reads
    /// these settings knows.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<&'static str> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    /// The value of `name`, or `None` when it is unset or blank.
    ///
    /// # Errors
    /// When the value is not UTF-8.
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, SettingError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(name);
        drop(asked);
        let Some(value) = self.values.get(name.as_ref() as &std::ffi::OsStr) else {
            return Ok(None);
        };
        let text = value.to_str();
        let text = text.ok_or_else(|| SettingError::malformed(name, "it is not UTF-8"))?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    /// The value of `name`, which must be there; `purpose` completes the error's sentence.
    ///
    /// # Errors
    /// When the variable is unset, blank or not UTF-8.
    pub fn required(
        &self,
        name: &'static str,
        purpose: &'static str,
    ) -> Result<&str, SettingError> {
        self.optional(name)?
            .ok_or(SettingError::Missing { name, purpose })
    }

    /// The value of `name` parsed, or `None` when it is unset or blank.
    ///
    /// # Errors
    /// When the value does not parse, with the parser's own words.
    pub fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, SettingError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let parse = |value: &str| value.trim().parse::<T>();
        self.optional(name)?
            .map(parse)
            .transpose()
            .map_err(|error| SettingError::malformed(name, error))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self {
            values: variables
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            asked: Arc::default(),
        }
    }
}

/// The parts of a comma-separated list, trimmed, without empty ones.
pub fn comma_separated(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Ends a function whose settings are wrong: one line of JSON on standard error, with the member `start`
/// as `refused`, the setting, and the reason in `message`; exit code 64.
#[must_use]
pub fn refuse_to_start(function: &str, error: &SettingError) -> ExitCode {
    let line = not_started().with("setting", error.setting());
    write(line, function, error);
    ExitCode::from(USAGE)
}

/// Ends a function that cannot start for another reason: the same line without a setting, exit code 1.
#[must_use]
pub fn fail_to_start(function: &str, why: &str) -> ExitCode {
    write(not_started(), function, &why);
    ExitCode::FAILURE
}

/// At the one level that no filter of Lambda's keeps back.
fn not_started() -> Line {
    Line::at("FATAL").with("start", "refused")
}

fn write(line: Line, function: &str, why: &dyn Display) {
    line.with("message", format!("{function}: {why}"))
        .write_to(std::io::stderr());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: &str) -> Settings {
        [("NAME", value)].into_iter().collect()
    }

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
        for unset in [Settings::default(), settings(""), settings(" ")] {
            let error = unset.required("NAME", "the table of books").unwrap_err();
            assert_eq!(error.to_string(), "NAME is not set: the table of books");
        }
    }

    #[test]
    fn what_was_asked_for_is_known_set_or_not_by_whichever_clone() {
        let settings = settings("7");
        let clone = settings.clone();
        let _ = (clone.parsed::<u64>("NAME"), clone.optional("OTHER"));
        let asked: Vec<_> = settings.asked().into_iter().collect();
        assert_eq!(asked, ["NAME", "OTHER"]);
    }

    #[test]
    fn a_value_is_parsed_without_the_space_around_it() {
        assert_eq!(settings(" 7 ").parsed::<u64>("NAME"), Ok(Some(7)));
        assert_eq!(settings("").parsed::<u64>("NAME"), Ok(None));
        let error = settings("seven").parsed::<u64>("NAME").unwrap_err();
        assert_eq!(
            error.to_string(),
            "NAME is malformed: invalid digit found in string"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf_8_is_named() {
        use std::os::unix::ffi::OsStringExt as _;

        let value = OsString::from_vec(vec![0xff]);
        let settings: Settings = [("NAME", value)].into_iter().collect();
        let error = settings.optional("NAME").unwrap_err();
        assert_eq!(error.to_string(), "NAME is malformed: it is not UTF-8");
    }
}
