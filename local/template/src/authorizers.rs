//! What `Auth` and OpenAPI documents say of a Lambda authorizer alike, each in words of its own.

use std::time::Duration;

use keygate_model::{AuthorizerEvents, IdentitySource};
use regex::Regex;

use super::fields::Fields;
use super::parameters::whole;

/// What API Gateway keeps an answer for when the template does not say, in seconds.
const DEFAULT_TTL: u64 = 300;

/// How long an answer is kept, by the property of this name.
pub(super) fn result_ttl(fields: Option<&mut Fields<'_>>, property: &str) -> Duration {
    let said = fields.and_then(|fields| fields.number(property, &(0..=3600)));
    Duration::from_secs(said.unwrap_or(DEFAULT_TTL))
}

/// The expression that a credential must match, by the property of this name.
pub(super) fn expression(fields: &mut Fields<'_>, property: &str) -> Option<Regex> {
    let (text, line) = fields.text_at(property)?;
    if text.is_empty() {
        return None;
    }
    let read = whole(&text).inspect_err(|error| {
        let message = format!("is no expression that the local gateway can match: {error}");
        fields.report_at(line, property, message);
    });
    read.ok()
}

/// REQUEST events, which are cached by what identifies a caller; `missing` is what is said where nothing
/// does.
pub(super) fn requests(
    fields: &Fields<'_>,
    sources: Vec<IdentitySource>,
    result_ttl: Duration,
    missing: &str,
) -> AuthorizerEvents {
    if sources.is_empty() && !result_ttl.is_zero() {
        fields.report(missing);
    }
    AuthorizerEvents::Request { sources }
}

/// Whether a text may be a header's name.
pub(super) fn is_header_name(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}
