//! What a template has that is not there on this machine, or means nothing here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A resource, or an event of a function, that is not there on this machine and does not matter to the
/// API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// Its line of the template.
    pub line: usize,
    /// Where it stands, such as `Queue` or `Fn.Events.Nightly`.
    pub place: String,
    /// Its type.
    pub kind: String,
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, place, kind } = self;
        write!(formatter, "{place} ({kind}, line {line})")
    }
}

/// Types of resources that mean nothing on this machine, and properties that mean nothing of other types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOver(BTreeMap<String, BTreeSet<String>>);

impl PassedOver {
    /// Adds a type, or a property of one.
    pub fn add(&mut self, kind: &str, property: Option<&str>) {
        let properties = self.0.entry(kind.to_owned()).or_default();
        properties.extend(property.map(str::to_owned));
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (kind, properties)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{kind}")?;
            for (index, property) in properties.iter().enumerate() {
                let separator = if index == 0 { " (" } else { ", " };
                write!(formatter, "{separator}{property}")?;
            }
            if !properties.is_empty() {
                formatter.write_str(")")?;
            }
        }
        Ok(())
    }
}
