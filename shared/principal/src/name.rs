//! Names of principals and clients.

/// How many bytes a name has at most: a DynamoDB key holds 2,048.
pub const MAX_BYTES: usize = 1024;

/// Whether a name may stand in a policy answer, a log line and the access log. API Gateway writes
/// context values into the JSON of the access log as they are, so that a quote or a line break
/// would let a caller forge an entry.
#[must_use]
pub fn is_usable_name(name: &str) -> bool {
    let unsafe_in_json =
        |character: char| character.is_control() || matches!(character, '"' | '\\');
    !name.is_empty() && name.len() <= MAX_BYTES && !name.contains(unsafe_in_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_break_a_log_line_is_refused() {
        for name in [
            "",
            "a\"b",
            "a\\b",
            "a\nb",
            "a\u{0}",
            &"a".repeat(MAX_BYTES + 1),
        ] {
            assert!(!is_usable_name(name), "{name:?}");
        }
        for name in ["auth0|5f7c", "système", "a b", "user@example.com"] {
            assert!(is_usable_name(name), "{name:?}");
        }
    }
}
