//! A resolved mapping read field by field: what nobody asked for is reported at the end, so no
//! property of a template is ever ignored in silence.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::problems::Problems;
use super::yaml::{Entry, Node, Value};

/// The fields of one mapping. Every method that answers `None` where something is required, or
/// is there but wrong, has reported it.
#[derive(Debug)]
#[must_use = "end() reports the properties that nobody read"]
pub(super) struct Fields<'p> {
    place: String,
    line: usize,
    entries: Vec<Entry>,
    problems: &'p Problems,
}

impl<'p> Fields<'p> {
    /// The fields of a node; `None`, reported, when it is no mapping.
    pub(super) fn of(node: Node, place: &str, problems: &'p Problems) -> Option<Self> {
        let entries = match node.value {
            Value::Map(entries) => entries,
            Value::Null => Vec::new(),
            Value::Unknown => return None,
            Value::Text(_) | Value::List(_) | Value::Call { .. } => {
                problems.report(node.line, place, "must be a mapping");
                return None;
            }
        };
        Some(Self {
            place: place.to_owned(),
            line: node.line,
            entries,
            problems,
        })
    }

    /// Where these fields stand, such as `Api.Auth`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The line these fields start on.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Reports a problem with the mapping itself.
    pub(super) fn report(&self, message: impl Into<String>) {
        self.problems.report(self.line, &self.place, message);
    }

    /// Reports a problem with one field.
    pub(super) fn report_at(&self, line: usize, name: &str, message: impl Into<String>) {
        self.problems
            .report(line, &format!("{}.{name}", self.place), message);
    }

    /// Whether a field is there and holds something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.name == name && !matches!(entry.node.value, Value::Null))
    }

    /// A field as it is, which is not taken.
    pub(super) fn peek(&self, name: &str) -> Option<&Node> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.name == name)?;
        Some(&entry.node)
    }

    /// Takes a field as it is; one without a value counts as absent.
    pub(super) fn node(&mut self, name: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        let node = self.entries.remove(at).node;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// Takes a text with its line.
    pub(super) fn text_at(&mut self, name: &str) -> Option<(String, usize)> {
        let node = self.node(name)?;
        match node.value {
            Value::Text(text) => Some((text, node.line)),
            Value::Unknown => None,
            _ => {
                self.report_at(node.line, name, "must be text");
                None
            }
        }
    }

    /// Takes a text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.text_at(name).map(|(text, _)| text)
    }

    /// Takes a text that must be there and hold something.
    pub(super) fn required_text(&mut self, name: &str) -> Option<String> {
        if !self.has(name) {
            self.report_at(self.line, name, "is required");
            return None;
        }
        match self.text_at(name)? {
            (text, line) if text.is_empty() => {
                self.report_at(line, name, "must not be empty");
                None
            }
            (text, _) => Some(text),
        }
    }

    /// Takes a boolean.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let (text, line) = self.text_at(name)?;
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.report_at(line, name, format!("must be true or false, not `{text}`"));
                None
            }
        }
    }

    /// Takes a number within bounds, both included.
    pub(super) fn number<T>(&mut self, name: &str, bounds: &RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let (text, line) = self.text_at(name)?;
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let (from, to) = (bounds.start(), bounds.end());
            self.report_at(
                line,
                name,
                format!("must be a number from {from} to {to}, not `{text}`"),
            );
        }
        number
    }

    /// Takes a text that must be one of a few when it is there; anything else is reported as not
    /// supported.
    pub(super) fn only(&mut self, name: &str, supported: &[&str]) -> Option<String> {
        let (text, line) = self.text_at(name)?;
        if supported.contains(&text.as_str()) {
            return Some(text);
        }
        let list = supported.join(", ");
        self.report_at(
            line,
            name,
            format!("`{text}` is not supported by the local gateway, which supports {list}"),
        );
        None
    }

    /// The fields of what was taken from a field, or stands for it.
    pub(super) fn nested(&self, name: &str, node: Node) -> Option<Fields<'p>> {
        Fields::of(node, &format!("{}.{name}", self.place), self.problems)
    }

    /// Takes a mapping.
    pub(super) fn fields(&mut self, name: &str) -> Option<Fields<'p>> {
        let node = self.node(name)?;
        self.nested(name, node)
    }

    /// Takes a list of mappings.
    pub(super) fn list(&mut self, name: &str) -> Vec<Fields<'p>> {
        let Some(node) = self.node(name) else {
            return Vec::new();
        };
        match node.value {
            Value::List(items) => (0..)
                .zip(items)
                .filter_map(|(index, item)| {
                    Fields::of(
                        item,
                        &format!("{}.{name}[{index}]", self.place),
                        self.problems,
                    )
                })
                .collect(),
            Value::Unknown => Vec::new(),
            _ => {
                self.report_at(node.line, name, "must be a list");
                Vec::new()
            }
        }
    }

    /// Takes a list of texts.
    pub(super) fn scalars(&mut self, name: &str) -> Vec<String> {
        let Some(node) = self.node(name) else {
            return Vec::new();
        };
        let Value::List(items) = node.value else {
            if !matches!(node.value, Value::Unknown) {
                self.report_at(node.line, name, "must be a list");
            }
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.value {
                Value::Text(text) => texts.push(text),
                Value::Unknown => {}
                _ => self.report_at(item.line, name, "must be a list of texts"),
            }
        }
        texts
    }

    /// Takes a mapping of texts.
    pub(super) fn texts(&mut self, name: &str) -> Vec<(String, String)> {
        let texts = self.texts_at(name).into_iter();
        texts.map(|(name, text, _)| (name, text)).collect()
    }

    /// Takes a mapping of texts, each with its line.
    pub(super) fn texts_at(&mut self, name: &str) -> Vec<(String, String, usize)> {
        let Some(mut fields) = self.fields(name) else {
            return Vec::new();
        };
        let names: Vec<String> = fields.names();
        names
            .into_iter()
            .filter_map(|name| fields.text_at(&name).map(|(text, line)| (name, text, line)))
            .collect()
    }

    /// Takes every field as a mapping of its own: the names are the template's, not a schema's.
    pub(super) fn named(mut self) -> Vec<(String, Fields<'p>)> {
        let names = self.names();
        names
            .into_iter()
            .filter_map(|name| self.fields(&name).map(|fields| (name, fields)))
            .collect()
    }

    /// The names of the fields that are left.
    pub(super) fn names(&self) -> Vec<String> {
        self.entries
            .iter()
            .map(|entry| entry.name.clone())
            .collect()
    }

    /// Drops fields that are valid but change no answer on this machine, and has them named.
    pub(super) fn pass_over(&mut self, names: &[&str]) {
        let is_named = |entry: &Entry| names.contains(&entry.name.as_str());
        for entry in self.entries.iter().filter(|entry| is_named(entry)) {
            self.problems.pass_over(&self.place, &entry.name);
        }
        self.no_meaning(names);
    }

    /// Drops fields that are valid and say nothing to anybody but people, or are read in another place.
    pub(super) fn no_meaning(&mut self, names: &[&str]) {
        self.entries
            .retain(|entry| !names.contains(&entry.name.as_str()));
    }

    /// Drops fields that change nothing as long as they are `false`.
    pub(super) fn only_off(&mut self, names: &[&str]) {
        self.entries.retain(|entry| {
            !names.contains(&entry.name.as_str()) || entry.node.as_text() != Some("false")
        });
    }

    /// Reports each of these fields that is there.
    pub(super) fn refused(&self, names: &[&str]) {
        for entry in &self.entries {
            if names.contains(&entry.name.as_str()) {
                self.refuse(entry);
            }
        }
    }

    /// Reports each field that is left.
    pub(super) fn end(self) {
        for entry in &self.entries {
            self.refuse(entry);
        }
    }

    fn refuse(&self, entry: &Entry) {
        let message = "the local gateway does not support this property";
        self.report_at(entry.line, &entry.name, message);
    }
}
