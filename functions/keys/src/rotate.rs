//! Rotation: a new secret for a key that exists, while the former one fades out.

use keygate::problem::Problem;
use keygate::proxy::ProxyRequest;

/// How long the former secret still works when the request does not say: an hour, in seconds.
const DEFAULT_GRACE: u64 = 60 * 60;
/// How long it may work at most: a week.
const MAX_GRACE: u64 = 7 * 24 * 60 * 60;

/// The seconds that the former secret still works, from the body's `grace_seconds`. A request
/// without a body takes the default.
///
/// # Errors
/// Whatever is wrong with the body.
pub(crate) fn grace_seconds(request: &ProxyRequest) -> Result<u64, Problem> {
    if request.body().is_empty() {
        return Ok(DEFAULT_GRACE);
    }
    let mut fields = request.fields()?;
    let grace = fields.integer("grace_seconds", 0, MAX_GRACE);
    fields.finish()?;
    Ok(grace.unwrap_or(DEFAULT_GRACE))
}
