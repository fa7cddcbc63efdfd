//! One line of a log: a JSON object with its time and its level first, by which Lambda filters.
//!
//! Lambda reads `timestamp` (RFC 3339) and `level` of each JSON line, and takes a line without them, or
//! that is no JSON, for `INFO` ("Log-level filtering", Lambda guide): above that level it is lost.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write;

use serde::{Serialize, Serializer as _};

use crate::timestamp::Timestamp;

/// A line that is being written.
#[derive(Debug)]
pub struct Line {
    json: Vec<u8>,
    /// Members behind those, in which nothing is invisible: they need no second look.
    visible: Vec<u8>,
}

impl Line {
    /// Begins a line at a level as Lambda names it: `INFO`.
    #[must_use]
    pub fn at(level: &str) -> Self {
        let mut json = Vec::with_capacity(1024);
        // Writing to memory cannot fail.
        let _ = write!(
            json,
            "{{\"timestamp\":\"{}\",\"level\":\"{level}\"",
            Timestamp::now()
        );
        Self {
            json,
            visible: Vec::new(),
        }
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.push(name, &value);
        self
    }

    /// Adds members that are JSON already, `"a":1,"b":2`, and in which nothing is invisible. They stand at
    /// the end of the line.
    #[must_use]
    pub fn with_members(mut self, members: impl Display) -> Self {
        self.push_members(&members);
        self
    }

    /// Writes the line, with nothing invisible in it. A log that cannot be written to stops nobody.
    pub fn write_to(self, mut output: impl Write) {
        let _ = output.write_all(&self.ended());
    }

    pub(crate) fn push(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.push_name(name);
        // What is written here has a form in JSON, and to memory it is written whole.
        let _ = serde_json::to_writer(&mut self.json, value);
    }

    pub(crate) fn push_text(&mut self, name: &str, value: impl Display) {
        self.push_name(name);
        let _ = serde_json::Serializer::new(&mut self.json).collect_str(&value);
    }

    pub(crate) fn push_number(&mut self, name: &str, value: impl Display) {
        self.push_name(name);
        let _ = write!(self.json, "{value}");
    }

    pub(crate) fn push_members(&mut self, members: &dyn Display) {
        let _ = write!(self.visible, ",{members}");
    }

    fn push_name(&mut self, name: &str) {
        self.json.push(b',');
        let _ = serde_json::to_writer(&mut self.json, name);
        self.json.push(b':');
    }

    fn ended(self) -> Vec<u8> {
        // It is UTF-8, as all that was put in is.
        let text = String::from_utf8(self.json).unwrap_or_default();
        let mut line = match keygate_visible::json(&text) {
            Cow::Owned(shown) => shown.into_bytes(),
            Cow::Borrowed(_) => text.into_bytes(),
        };
        line.extend_from_slice(&self.visible);
        line.extend_from_slice(b"}\n");
        line
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn written(line: Line) -> String {
        let mut output = Vec::new();
        line.write_to(&mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_line_hides_nothing_from_its_reader_and_says_the_same_to_a_program() {
        let text = written(Line::at("INFO").with("principal", "bob\u{202e}nimda\n\""));
        assert!(text.ends_with(",\"principal\":\"bob\\u202enimda\\n\\\"\"}\n"));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["principal"], "bob\u{202e}nimda\n\"");
    }

    #[test]
    fn members_that_are_json_stand_in_the_line_itself() {
        let text = written(Line::at("INFO").with_members(r#""a":{"b":1},"c":2"#));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["a"]["b"], &line["c"]), (&1.into(), &2.into()));
    }
}
