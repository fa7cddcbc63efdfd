//! What is shown of a text that may be of any size: a template with as many mistakes as lines, or an error
//! of a function's that is its whole input.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How many lines are shown, and how much of each, in bytes.
const MAX_LINES: usize = 100;
const MAX_LINE: usize = 1000;

/// The beginning of a text of several lines, and how much is left out.
#[must_use]
pub fn of_lines(text: &str) -> Cow<'_, str> {
    let count = text.lines().count();
    if count <= MAX_LINES && text.lines().all(|line| line.len() <= MAX_LINE) {
        return Cow::Borrowed(text);
    }
    let lines = text.lines().take(MAX_LINES).map(of_line);
    let mut shown = lines.collect::<Vec<_>>().join("\n");
    if count > MAX_LINES {
        // Writing to a String cannot fail.
        let _ = write!(shown, "\nand {} lines more", count - MAX_LINES);
    }
    Cow::Owned(shown)
}

/// The beginning of a line, and how much is left out.
#[must_use]
pub fn of_line(line: &str) -> Cow<'_, str> {
    if line.len() <= MAX_LINE {
        return Cow::Borrowed(line);
    }
    let end = line.floor_char_boundary(MAX_LINE);
    let (shown, rest) = line.split_at(end);
    Cow::Owned(format!("{shown}... ({} bytes more)", rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_size_is_shown_by_its_beginning() {
        let short = "one\ntwo\n";
        assert_eq!(of_lines(short), short);
        let shown = of_lines(&"line\n".repeat(150)).into_owned();
        assert_eq!(shown.lines().count(), 101);
        assert!(shown.ends_with("line\nand 50 lines more"));
        let long = "\u{e9}".repeat(1001);
        let shown = of_lines(&long).into_owned();
        let expected = format!("{}... (1002 bytes more)", "\u{e9}".repeat(500));
        assert_eq!(shown, expected);
    }
}
