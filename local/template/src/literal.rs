//! Literals among API Gateway's mapping expressions: a text in single quotes.

use http::HeaderValue;

/// The header value of `'text'`; `None` for every other expression.
pub(super) fn header_value(expression: &str) -> Option<HeaderValue> {
    let text = expression
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))?;
    if text.contains('\'') {
        return None;
    }
    HeaderValue::from_str(text).ok()
}
