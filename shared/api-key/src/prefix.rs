//! The letters that keys begin with.

use std::fmt;
use std::str::FromStr;

/// The letters of a key's prefix at most.
pub const MAX_PREFIX_LENGTH: usize = 16;

/// The letters before a key's id, by which a secret scanner knows whose key it has found: 1 to 16 of
/// ASCII. They are for new keys; a key is read under any prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// A text that is no prefix of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a prefix of keys is 1 to {MAX_PREFIX_LENGTH} letters of a to z and A to Z")]
pub struct MalformedPrefix;

impl Default for KeyPrefix {
    /// `kg`.
    fn default() -> Self {
        Self("kg".to_owned())
    }
}

impl FromStr for KeyPrefix {
    type Err = MalformedPrefix;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_prefix(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedPrefix)
        }
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub(crate) fn is_prefix(text: &str) -> bool {
    (1..=MAX_PREFIX_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_letters_alone() {
        for text in ["a", "kg", "AcmeKey", &"x".repeat(16)] {
            assert_eq!(text.parse::<KeyPrefix>().unwrap().to_string(), text);
        }
        for text in ["", "kg_", "k1", "é", " kg", "k-g", &"x".repeat(17)] {
            assert_eq!(text.parse::<KeyPrefix>(), Err(MalformedPrefix), "{text}");
        }
    }
}
