//! Which of two representations a request wants, by its `Accept` header (RFC 9110 section 12.5.1).

/// The representations that a problem's page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Representation {
    /// For a person with a browser.
    Html,
    /// For a program.
    Json,
}

/// The preferred representation, JSON among equals (curl says `*/*`, a browser names `text/html`);
/// `None` when neither is acceptable. An empty `accept` accepts anything.
pub(crate) fn preferred(accept: &str) -> Option<Representation> {
    if accept.trim().is_empty() {
        return Some(Representation::Json);
    }
    let json = quality(accept, "application", "json");
    let html = quality(accept, "text", "html");
    match (json, html) {
        (0, 0) => None,
        (json, html) if html > json => Some(Representation::Html),
        _ => Some(Representation::Json),
    }
}

/// The quality that the most specific range of `accept` gives a type, in thousandths.
fn quality(accept: &str, kind: &str, subtype: &str) -> u16 {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let (range_kind, range_subtype) = parts.next()?.split_once('/')?;
        let specificity = match (range_kind, range_subtype) {
            ("*", "*") => 0,
            (own, "*") if own.eq_ignore_ascii_case(kind) => 1,
            (own, sub) if own.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype) => 2,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Some((specificity, weight.map_or(1000, thousandths)))
    });
    ranges.max().map_or(0, |(_, quality)| quality)
}

/// A weight (RFC 9110 section 12.4.2) in thousandths; what is none counts as 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u16>()) {
        ("0", Ok(fraction)) => fraction,
        ("1", Ok(0)) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_html_and_a_program_gets_json() {
        for (accept, expected) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Representation::Html),
            ),
            ("*/*", Some(Representation::Json)),
            ("application/json", Some(Representation::Json)),
            (
                "text/*;q=0.5, application/json;q=0.4",
                Some(Representation::Html),
            ),
            ("text/html;q=0, */*;q=0.1", Some(Representation::Json)),
            ("TEXT/HTML", Some(Representation::Html)),
            ("image/png", None),
            ("text/html;q=0", None),
            ("text/html;q=2", None),
            ("nonsense", None),
        ] {
            assert_eq!(preferred(accept), expected, "{accept}");
        }
        assert_eq!(preferred(""), Some(Representation::Json));
    }
}
