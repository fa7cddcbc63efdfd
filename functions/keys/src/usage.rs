//! How often a key or a client was used.

use keygate_issuing::{Days, Usage, UsageError, today};
use keygate_problem::{BAD_REQUEST, NOT_FOUND, Problem};
use keygate_proxy::{self as proxy, ProxyRequest};
use lambda_http::{Body, Response};

use crate::refusal::of_failure;

/// The days that the query parameters `from` and `to` name.
///
/// # Errors
/// 400 when they are none of which there can be usage.
pub(crate) fn days(request: &ProxyRequest) -> Result<Days, Problem> {
    let days = Days::read(request.query("from"), request.query("to"), today());
    days.map_err(|error| {
        let detail = format!("The query parameter {error}.");
        Problem::new(&BAD_REQUEST, detail)
    })
}

/// Answers with what was counted, or why nothing is.
pub(crate) fn answer(usage: Result<Usage, UsageError>) -> Result<Response<Body>, Problem> {
    let usage = usage.map_err(|error| match error {
        UsageError::Failed(failure) => of_failure(failure),
        UsageError::NotMetered => Problem::new(
            &NOT_FOUND,
            "No usage is known: no usage key on a usage plan counts these requests by themselves.",
        ),
        UsageError::PlanNotConfigured(_) => Problem::new(
            &NOT_FOUND,
            "No usage is known: the usage plan is none of those that are configured.",
        ),
        UsageError::Ended => Problem::new(
            &NOT_FOUND,
            "No usage is known any more: it went with the usage key, which is deleted.",
        ),
    })?;
    proxy::json(200, &usage)
}

#[cfg(test)]
mod tests {
    use keygate_tests::event::Event;

    use super::*;
    use crate::rig::request;

    fn read(query: &str) -> Result<Days, Problem> {
        let event = Event::new("GET", &format!("/keys/0123456789ab/usage?{query}"));
        days(&request(&event))
    }

    #[test]
    fn without_a_word_it_is_the_last_thirty_days() {
        assert_eq!(read("").unwrap(), Days::usual(today()));
    }

    #[test]
    fn what_is_wrong_with_the_days_is_said_of_the_parameter() {
        for (query, detail) in [
            (
                "from=yesterday",
                "The query parameter from must be a date such as 2026-01-31.",
            ),
            (
                "from=2026-01-02&to=2026-01-01",
                "The query parameter from must not be after to: 2026-01-02 is after 2026-01-01.",
            ),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!(problem.kind.slug, "bad-request");
            assert_eq!(problem.detail, detail);
        }
    }
}
