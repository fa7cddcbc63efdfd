//! Names of principals and clients.

use std::borrow::Cow;

/// How many bytes a name has at most: a DynamoDB key holds 2,048.
pub const MAX_BYTES: usize = 1024;

/// Whether a name may be a principal. A backslash may stand in it, as in `DOMAIN\user`; what would
/// end a text or a line wherever it is written may not.
#[must_use]
pub fn is_usable_name(name: &str) -> bool {
    let ends_a_text = |character: char| character.is_control() || character == '"';
    !name.is_empty() && name.len() <= MAX_BYTES && !name.contains(ends_a_text)
}

/// Whether a name may stand in the access log as it is. API Gateway puts context values between the
/// quotation marks of that log's format, and does not say whether it escapes them: a quote, a
/// backslash or a line break could let a caller forge an entry.
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    is_usable_name(name) && !name.contains('\\')
}

/// A usable name as the access log has it: [plain](is_plain_name), its backslashes and percent signs
/// percent-encoded, so that no two names look the same.
#[must_use]
pub fn in_access_log(name: &str) -> Cow<'_, str> {
    if name.contains(['\\', '%']) {
        Cow::Owned(name.replace('%', "%25").replace('\\', "%5C"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_break_a_log_line_is_refused() {
        for name in [
            "",
            "a\"b",
            "a\nb",
            "a\u{0}",
            "a\u{7f}",
            "a\u{85}",
            &"a".repeat(MAX_BYTES + 1),
        ] {
            assert!(!is_usable_name(name), "{name:?}");
            assert!(!is_plain_name(name), "{name:?}");
        }
        for name in ["auth0|5f7c", "système", "a b", "user@example.com"] {
            assert!(is_usable_name(name), "{name:?}");
            assert!(is_plain_name(name), "{name:?}");
            assert_eq!(in_access_log(name), name);
        }
    }

    #[test]
    fn a_backslash_is_part_of_a_name_and_encoded_in_the_access_log() {
        let logged = [r"DOMAIN\user", "DOMAIN%5Cuser", r"a\%5C\", "100%"].map(|name| {
            assert!(is_usable_name(name), "{name:?}");
            in_access_log(name)
        });
        assert_eq!(
            logged,
            ["DOMAIN%5Cuser", "DOMAIN%255Cuser", "a%5C%255C%5C", "100%25"]
        );
        assert!(logged.iter().all(|name| is_plain_name(name)));
        assert!(!is_plain_name(r"DOMAIN\user"));
    }
}
