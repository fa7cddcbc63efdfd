//! Text for people, in which nothing is invisible.
//!
//! A name that a client chose may hold characters that nobody sees: controls, which a terminal obeys,
//! bidirectional ones, which show a text in another order than it has ("Trojan Source",
//! CVE-2021-42574), and those of no width, by which two names look like one. What people read is
//! written by one of these functions: [`line`], [`lines`], or [`json`] where programs read it too.
//!
//! ```
//! assert_eq!(keygate_visible::line("bob\u{202e}nimda"), r"bob\u{202e}nimda");
//! assert_eq!(keygate_visible::json("\"bob\u{202e}nimda\""), r#""bob\u202enimda""#);
//! ```

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether nobody sees the character, or sees others moved by it: controls (`Cc`), separators of
/// lines and paragraphs (`Zl`, `Zp`), and what Unicode has displays leave out
/// (`Default_Ignorable_Code_Point`, which takes in `Bidi_Control`, joiners, variation selectors and
/// tags) with the three marks of interlinear annotation beside it.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A text on one line: `\u{202e}` stands for what is invisible, line breaks included. A backslash
/// that would begin such a sequence in the text itself is `\u{5c}`, so that nobody can write one.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same for a text of several lines, whose line breaks and tabs stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

/// A JSON document that means the same to a program, and hides nothing from a person: what is
/// invisible in its strings is escaped as JSON has it.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    // A document has tabs and line breaks between its tokens alone: strings have them escaped.
    let is_space = |character| matches!(character, '\n' | '\r' | '\t');
    let stays = |character| is_space(character) || !is_invisible(character);
    let is_plain = |byte: u8| is_visible_ascii(byte) || is_space(byte.into());
    if document.bytes().all(is_plain) || document.chars().all(stays) {
        return Cow::Borrowed(document);
    }
    let mut text = String::with_capacity(document.len() + 16);
    for character in document.chars() {
        if stays(character) {
            text.push(character);
        } else {
            push_json(character, &mut text);
        }
    }
    Cow::Owned(text)
}

/// A text of so many characters at most, behind which `...` stands for the rest.
#[must_use]
pub fn shortened(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

/// Adds a character as an escape sequence of a JSON string: `\u202e`, in two halves where it takes
/// them.
pub fn push_json(character: char, text: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// Visible ASCII or a blank, as most of most texts is.
fn is_visible_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    const SEQUENCE: &str = "\\u{";
    let is_hidden = |character| is_invisible(character) && !stays(character);
    let has_sequence = text.contains(SEQUENCE);
    if !has_sequence && (text.bytes().all(is_visible_ascii) || !text.contains(is_hidden)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for (at, character) in text.char_indices() {
        let begins_sequence = || {
            text.get(at..)
                .is_some_and(|rest| rest.starts_with(SEQUENCE))
        };
        if is_hidden(character) || (character == '\\' && begins_sequence()) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn what_unicode_has_displays_leave_out_or_obey_is_invisible_and_nothing_else() {
        let unicode = r"^[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u{fff9}-\u{fffb}]$";
        let unicode = Regex::new(&format!("(?s){unicode}")).unwrap();
        for character in '\0'..=char::MAX {
            let expected = unicode.is_match(character.encode_utf8(&mut [0; 4]));
            assert_eq!(is_invisible(character), expected, "{character:?}");
        }
    }

    #[test]
    fn a_text_is_shortened_by_characters_and_one_that_fits_is_left() {
        for (text, expected) in [
            ("", ""),
            ("\u{e9}\u{e9}", "\u{e9}\u{e9}"),
            ("\u{e9}ab", "\u{e9}a..."),
        ] {
            assert_eq!(shortened(text, 2), expected);
        }
    }

    #[test]
    fn an_invisible_character_is_shown_by_its_number() {
        for (text, shown) in [
            ("a\u{202e}b", r"a\u{202e}b"),
            ("a\u{1b}[2Jb\n", r"a\u{1b}[2Jb\u{a}"),
            ("\u{feff}\u{85}\u{e0041}", r"\u{feff}\u{85}\u{e0041}"),
            ("système, 名前, DOMAIN\\user", "système, 名前, DOMAIN\\user"),
            ("", ""),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(lines("a\n\tb\u{200b}\r\n"), "a\n\tb\\u{200b}\\u{d}\n");
    }

    #[test]
    fn nobody_writes_the_sequence_of_another_character() {
        assert_eq!(line(r"a\u{202e}"), r"a\u{5c}u{202e}");
        assert_eq!(line(r"C:\users"), r"C:\users");
    }

    #[test]
    fn a_document_of_several_lines_keeps_them() {
        assert_eq!(json("{\r\n\t\"a\": 1\n}"), "{\r\n\t\"a\": 1\n}");
        assert_eq!(json("\"\u{7f}\u{e0041}\""), r#""\u007f\udb40\udc41""#);
    }

    /// Texts of which many a character is invisible.
    fn texts() -> impl Strategy<Value = String> {
        "(\\PC|\\p{C}|[\\\\u{}ae\u{200b}-\u{206f}]){0,24}"
    }

    proptest! {
        #[test]
        fn nothing_that_was_shown_is_invisible_and_no_two_texts_look_alike(
            one in texts(), other in texts()
        ) {
            prop_assert!(!line(&one).contains(is_invisible));
            prop_assert_eq!(line(&one) == line(&other), one == other);
        }

        #[test]
        fn a_program_reads_the_same_document(text in texts()) {
            let document = serde_json::to_string(&text).unwrap();
            let shown = json(&document);
            prop_assert!(!shown.contains(is_invisible));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
