//! OAuth scopes: what a credential opens.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// One scope: 1 to 128 characters of RFC 6749 section 3.3 (`scope-token`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

/// A scope that is empty, too long or has a character outside RFC 6749 section 3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is 1 to 128 printable ASCII characters without space, quote or backslash")]
pub struct MalformedScope;

impl Scope {
    /// The scope's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = MalformedScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if (1..=128).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedScope)
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A set of scopes, in alphabetical order. Displays as RFC 6749 writes it: space separated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Whether `scope` is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held.as_str() == scope)
    }

    /// Whether every scope of this set is in `other` too.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether there is no scope at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromStr for Scopes {
    type Err = MalformedScope;

    /// Reads a space-separated list (RFC 6749 section 3.3); several spaces count as one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(' ')
            .filter(|part| !part.is_empty())
            .map(Scope::from_str)
            .collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_shown_as_rfc_6749_writes_it() {
        let scopes: Scopes = "keys:admin  books:read".parse().unwrap();
        assert_eq!(scopes.to_string(), "books:read keys:admin");
        assert!(scopes.contains("books:read"));
        assert!(!scopes.contains("books"));
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["a\tb", "\"a\"", "a\\b", "é", "a\u{7f}"] {
            assert_eq!(text.parse::<Scopes>(), Err(MalformedScope), "{text:?}");
        }
        assert_eq!("".parse::<Scope>(), Err(MalformedScope));
        assert_eq!("a".repeat(129).parse::<Scope>(), Err(MalformedScope));
    }
}
