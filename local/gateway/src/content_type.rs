//! The content type of a request, as request templates, models and binary media types are chosen by it.

use http::header::CONTENT_TYPE;

use super::exchange::Exchange;

/// What a request without a `Content-Type` is taken for.
pub(super) const JSON: &str = "application/json";

/// A request's media type in lower case.
pub(super) fn of(exchange: &Exchange) -> String {
    let content_type = exchange.header(CONTENT_TYPE.as_str()).unwrap_or(JSON);
    media_type(content_type).to_ascii_lowercase()
}

/// A media type without its parameters.
pub(super) fn media_type(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}
