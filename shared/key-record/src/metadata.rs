//! What a team notes about a key: free names and texts, which handlers are given too.

use std::collections::{BTreeMap, BTreeSet};

use keygate_principal::metadata::context_key;
use keygate_visible::is_invisible;
use serde::Serialize;

/// How many entries a key's metadata has at most.
const MAX_ENTRIES: usize = 10;
/// How many characters a name has at most.
const MAX_NAME: usize = 64;
/// How many characters a value has at most.
const MAX_VALUE: usize = 256;
/// How many bytes all of it may take in the authorizer's context, names included: as much as claims.
const MAX_ALL: usize = 4096;

/// A key's metadata, within its bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, String>);

/// Names and texts that are no metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedMetadata {
    /// There are too many.
    #[error("must have at most {MAX_ENTRIES} entries")]
    Entries,
    /// A name is none.
    #[error("must have names of 1 to {MAX_NAME} letters, digits, - and _")]
    Name,
    /// Handlers could not tell two names apart.
    #[error("must not have {0} twice: - and _ are the same to handlers")]
    SameName(String),
    /// A text is too long, or holds what nobody sees.
    #[error("must have at most {MAX_VALUE} characters in {0}, and none that is invisible")]
    Value(String),
    /// All of it together is too long.
    #[error("must take at most {MAX_ALL} bytes altogether")]
    All,
}

impl Metadata {
    /// Checks names and texts.
    ///
    /// # Errors
    /// When they are not within the bounds.
    pub fn new(entries: BTreeMap<String, String>) -> Result<Self, MalformedMetadata> {
        if entries.len() > MAX_ENTRIES {
            return Err(MalformedMetadata::Entries);
        }
        if !entries.keys().all(|name| is_name(name)) {
            return Err(MalformedMetadata::Name);
        }
        let mut told = BTreeSet::new();
        let mut bytes = 0;
        for (name, value) in &entries {
            if !is_value(value) {
                return Err(MalformedMetadata::Value(name.clone()));
            }
            let key = context_key(name);
            bytes += key.len() + value.len();
            if !told.insert(key) {
                return Err(MalformedMetadata::SameName(name.clone()));
            }
        }
        if bytes > MAX_ALL {
            return Err(MalformedMetadata::All);
        }
        Ok(Self(entries))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn is_value(value: &str) -> bool {
    value.chars().count() <= MAX_VALUE && !value.contains(is_invisible)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Result<Metadata, MalformedMetadata> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Metadata::new(entries.iter().map(owned).collect())
    }

    #[test]
    fn names_and_texts_have_their_bounds() {
        let (longest, text) = ("n".repeat(64), "é".repeat(256));
        assert!(of(&[(&longest, &text), ("cost-centre_1", ""), ("A", "a b")]).is_ok());
        for name in ["", "a b", "a.b", "é", &"n".repeat(65)] {
            assert_eq!(of(&[(name, "x")]), Err(MalformedMetadata::Name), "{name}");
        }
        for value in [&"é".repeat(257), "a\n", "a\u{202e}b", "\u{200b}"] {
            let malformed = MalformedMetadata::Value("a".to_owned());
            assert_eq!(of(&[("a", value)]), Err(malformed), "{value}");
        }
    }

    #[test]
    fn names_that_handlers_could_not_tell_apart_are_refused() {
        let same = MalformedMetadata::SameName("a_b".to_owned());
        assert_eq!(of(&[("a-b", "1"), ("a_b", "2")]), Err(same));
        assert!(of(&[("a-b", "1"), ("A_b", "2")]).is_ok());
    }

    #[test]
    fn there_are_ten_entries_which_fit_into_the_context() {
        let names: Vec<String> = (0..11).map(|number| format!("name{number:02}")).collect();
        let all = |count: usize, value: &str| {
            let entries: Vec<_> = names.iter().map(|name| (name.as_str(), value)).collect();
            of(&entries[..count])
        };
        assert!(all(10, "x").is_ok());
        assert_eq!(all(11, "x"), Err(MalformedMetadata::Entries));
        // Each takes 15 bytes for its name, and 4 for a character of these.
        assert!(all(4, &"\u{1f511}".repeat(252)).is_ok());
        assert_eq!(
            all(4, &"\u{1f511}".repeat(253)),
            Err(MalformedMetadata::All)
        );
    }
}
