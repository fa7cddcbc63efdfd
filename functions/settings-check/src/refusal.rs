//! Why settings are refused, in words for the stack's events.

use std::fmt;

use authorizer::MissingKeySet;
use keygate_settings::SettingError;

/// The longest reason in bytes. With the names around it, and its quotation marks escaped, it fits the
/// 4,096 bytes that an answer may have (CloudFormation user guide, "Custom resource response objects").
const MAX_BYTES: usize = 1_200;

/// Why settings are refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request has no such type.
    Type,
    /// The properties are none.
    Properties(serde_json::Error),
    /// Functions of these names are not known.
    Unknown(Vec<String>),
    /// Functions would refuse to start.
    Settings(Vec<Wrong>),
    /// Issuers' keys cannot be had.
    Issuers(Vec<MissingKeySet>),
    /// The check took too long.
    TimedOut,
    /// The check broke off, which is a fault of its own.
    BrokeOff,
}

/// A setting that functions refuse to start with.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// By name.
    pub(crate) functions: Vec<String>,
    pub(crate) error: SettingError,
}

/// Adds what a function refuses to what others do: one line for those with the same words.
pub(crate) fn add(wrong: &mut Vec<Wrong>, function: &str, error: SettingError) {
    let same = wrong.iter_mut().find(|other| other.error == error);
    match same {
        Some(same) => same.functions.push(function.to_owned()),
        None => wrong.push(Wrong {
            functions: vec![function.to_owned()],
            error,
        }),
    }
}

impl Refusal {
    /// The reason on one line, in which nothing is invisible, short enough for an answer.
    pub(crate) fn reason(&self) -> String {
        let words = self.to_string();
        let line = keygate_visible::line(&words);
        if line.len() <= MAX_BYTES {
            return line.into_owned();
        }
        let mut end = MAX_BYTES;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}...", line.get(..end).unwrap_or_default())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => formatter.write_str("RequestType is none of Create, Update and Delete."),
            Self::Properties(error) => {
                write!(formatter, "The properties of the custom resource are malformed: {error}.")
            }
            Self::Unknown(functions) => write!(
                formatter,
                "No function of Keygate is called {}: name a handler of your own under Handlers.",
                functions.join(" or ")
            ),
            Self::Settings(wrong) => {
                formatter.write_str("Refused, and nothing that serves was changed. ")?;
                for Wrong { functions, error } in wrong {
                    write!(formatter, "{}: {error}. ", functions.join(", "))?;
                }
                formatter.write_str("Set it right and deploy again.")
            }
            Self::Issuers(missing) => {
                formatter.write_str("Refused, and nothing that serves was changed. Tokens would be answered 503. ")?;
                for one in missing {
                    write!(formatter, "{one}. ")?;
                }
                formatter.write_str(
                    "Correct the issuer's address, or deploy when it answers. CheckIssuers=false deploys without asking.",
                )
            }
            Self::TimedOut => formatter.write_str("The settings could not be checked in time. Deploy again."),
            Self::BrokeOff => formatter.write_str(
                "The check of the settings broke off, which is a fault of its own: its log group has a line.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_refuse_the_same_are_named_together() {
        let mut wrong = Vec::new();
        let error = |reason: &str| SettingError::malformed("OAUTH_ISSUERS", reason);
        add(&mut wrong, "authorizer", error("a"));
        add(&mut wrong, "error-mapper", error("b"));
        add(&mut wrong, "keys", error("b"));
        assert_eq!(
            Refusal::Settings(wrong).reason(),
            "Refused, and nothing that serves was changed. authorizer: OAUTH_ISSUERS is malformed: a. \
             error-mapper, keys: OAUTH_ISSUERS is malformed: b. Set it right and deploy again."
        );
    }

    #[test]
    fn a_reason_is_one_visible_line_of_bounded_length() {
        for text in ["\u{202e}\n".repeat(2_000), "ü\"\\".repeat(2_000)] {
            let missing = MissingKeySet {
                issuer: text,
                reason: String::new(),
            };
            let reason = Refusal::Issuers(vec![missing]).reason();
            assert!(reason.len() <= MAX_BYTES + 3, "{}", reason.len());
            assert!(reason.ends_with("..."), "{reason}");
            assert!(!reason.contains(keygate_visible::is_invisible), "{reason}");
        }
    }
}
