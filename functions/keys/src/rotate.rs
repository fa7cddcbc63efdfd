//! What a client asks for when it rotates a key.

use keygate_issuing::{DEFAULT_GRACE, MAX_GRACE};
use keygate_problem::Problem;
use keygate_proxy::ProxyRequest;

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
