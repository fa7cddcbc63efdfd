//! The stage that a request came by, and what has become of its cached answers.

use keygate_issuing::{Flush, Stage};
use keygate_proxy::ProxyRequest;

/// A cache that was not flushed is no failure: API Gateway is not to be called, or the invocation
/// came around the API, or the emulator that serves it knows no flush.
pub(crate) fn warn_of(flush: Flush, stage: Option<&Stage>) {
    let stage = stage.map(|Stage { api_id, name }| format!("{api_id}/{name}"));
    match flush {
        Flush::Done => {}
        Flush::NoSuchStage => tracing::warn!(stage, "there is no such stage to flush"),
        Flush::NotAsked => tracing::warn!(
            stage,
            "without USAGE_PLANS cached answers are not flushed, and last their time"
        ),
    }
}

/// The stage whose authorizer has cached answers; the gateway always says it.
pub(crate) fn stage(request: &ProxyRequest) -> Option<Stage> {
    let (api_id, name) = request.api_stage()?;
    Some(Stage {
        api_id: api_id.to_owned(),
        name: name.to_owned(),
    })
}
