//! What a person pastes for `explain`: a credential, the value of a header, or whole header lines, as
//! `curl -v` shows them.

use crate::event::Presented;

/// What a request with these lines presents. Without the name of a header it is what
/// `Authorization` holds, and a credential by itself is one behind `Bearer`.
pub(crate) fn presented(pasted: &str) -> Presented {
    let mut presented = Presented::default();
    for (name, value) in pasted.lines().filter_map(header) {
        if name.eq_ignore_ascii_case("Authorization") {
            presented.authorization.push(value.to_owned());
        } else if name.eq_ignore_ascii_case("X-Api-Key") {
            presented.api_key.push(value.to_owned());
        }
    }
    if presented.authorization.is_empty() && presented.api_key.is_empty() {
        let value = pasted.trim();
        let value = if value.is_empty() || value.contains(' ') {
            value.to_owned()
        } else {
            format!("Bearer {value}")
        };
        presented.authorization.push(value);
    }
    presented
}

/// The name and the value of a header line.
fn header(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("> ").unwrap_or(line);
    let (name, value) = line.split_once(':')?;
    Some((name.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_line_a_header_s_value_and_a_credential_by_itself_are_read() {
        for (pasted, authorization, api_key) in [
            ("a.b.c\n", &["Bearer a.b.c"][..], &[][..]),
            (" ApiKey kg_x ", &["ApiKey kg_x"], &[]),
            ("Authorization: Bearer a.b.c\n", &["Bearer a.b.c"], &[]),
            ("authorization:Bearer a.b.c\r\n", &["Bearer a.b.c"], &[]),
            ("> Authorization: Bearer a.b.c", &["Bearer a.b.c"], &[]),
            // Nothing is added to what a header holds: such a request is refused.
            ("Authorization: a.b.c", &["a.b.c"], &[]),
            ("X-Api-Key: kg_x", &[], &["kg_x"]),
            (
                "> GET /books HTTP/1.1\n> Host: localhost:3000\n> x-api-key: kg_x\n> authorization: Bearer a.b.c\n",
                &["Bearer a.b.c"],
                &["kg_x"],
            ),
            ("Cookie: a.b.c", &["Cookie: a.b.c"], &[]),
            ("\n", &[""], &[]),
        ] {
            let presented = presented(pasted);
            assert_eq!(presented.authorization, authorization, "{pasted}");
            assert_eq!(presented.api_key, api_key, "{pasted}");
        }
    }
}
