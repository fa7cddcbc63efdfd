//! The beginning of a text, without credentials. What is kept of requests is bounded, whatever functions say.

use std::fmt::Write as _;

use super::Secrets;

/// How much of a text is read. A longer one is read up to its last word within: a part of a credential has
/// not its form.
const MAX_READ: usize = 64 * 1024;
/// How much is kept of a text that is one of many in a request.
pub(crate) const MAX_SHORT: usize = 4 * 1024;

impl Secrets {
    /// The beginning of a text, without credentials, and how much is left out.
    pub(crate) fn strike_short(&self, text: &str) -> String {
        let read = if text.len() > MAX_READ {
            let within = &text[..text.floor_char_boundary(MAX_READ)];
            within
                .rfind(char::is_whitespace)
                .map_or("", |end| &text[..end])
        } else {
            text
        };
        let struck = self.strike_text(read);
        let end = struck.floor_char_boundary(MAX_SHORT);
        let more = struck.len() - end + text.len() - read.len();
        let mut kept = struck[..end].to_owned();
        if more > 0 {
            // Writing to a String cannot fail.
            let _ = write!(kept, " [{more} bytes more]");
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "opaque-credential";

    fn short(text: &str) -> String {
        Secrets::new(std::iter::once(SECRET)).strike_short(text)
    }

    #[test]
    fn a_short_text_stays_as_it_is_but_for_its_credentials() {
        assert_eq!(short("it is wrong"), "it is wrong");
        assert_eq!(short(&format!("bad {SECRET}!")), "bad [struck out]!");
    }

    #[test]
    fn of_a_long_text_the_beginning_is_kept_and_how_much_it_was() {
        let said = short(&format!("bad {}", "\u{e4} ".repeat(1 << 20)));
        assert!(said.len() < MAX_SHORT + 40, "{}", said.len());
        assert!(said.starts_with("bad \u{e4}"), "{said}");
        assert!(said.ends_with(" bytes more]"), "{said}");
        assert_eq!(short(&"x".repeat(100_000)), " [100000 bytes more]");
    }

    #[test]
    fn no_part_of_a_credential_is_left_wherever_the_text_is_cut() {
        for before in (MAX_SHORT - 30..MAX_SHORT + 5).chain(MAX_READ - 30..MAX_READ + 5) {
            // What is struck out brings the end of what is read near.
            let long = SECRET.repeat(before / SECRET.len());
            for before in [format!("{} ", "x".repeat(before)), format!("{long} ")] {
                let said = short(&format!("{before}{SECRET} {}", "y".repeat(1_000)));
                assert!(!said.contains("opa"), "{said}");
            }
        }
    }
}
