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

#[cfg(test)]
mod tests {
    use keygate_tests::event::Event;
    use serde_json::json;

    use super::*;
    use crate::rig::request;

    fn rotate() -> Event {
        Event::new("POST", "/keys/0123456789ab/rotate")
    }

    #[test]
    fn without_a_word_the_former_secret_works_for_an_hour() {
        assert_eq!(grace_seconds(&request(&rotate())).unwrap(), 3_600);
        let event = rotate().json(&json!({}));
        assert_eq!(grace_seconds(&request(&event)).unwrap(), 3_600);
    }

    #[test]
    fn a_grace_period_is_from_none_to_a_week() {
        for grace in [0, 604_800] {
            let event = rotate().json(&json!({"grace_seconds": grace}));
            assert_eq!(grace_seconds(&request(&event)).unwrap(), grace);
        }
        for grace in [json!(604_801), json!(-1), json!("60"), json!(1.5)] {
            let event = rotate().json(&json!({"grace_seconds": grace}));
            let problem = grace_seconds(&request(&event)).unwrap_err();
            let problem = problem.to_json("", "");
            assert_eq!(problem["errors"][0]["field"], "grace_seconds", "{grace}");
        }
    }
}
