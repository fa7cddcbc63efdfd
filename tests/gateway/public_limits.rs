//! What anybody may call without a credential has limits of its own, of everybody together.

use keygate_tests::target::Target;
use reqwest::Method;

keygate_tests::tests! { for Target:
    what_anybody_may_call_takes_no_more_than_its_limit_and_each_method_has_its_own needs "own-gateway";
    what_asks_for_a_credential_is_none_of_it needs "own-gateway";
}

/// Two requests at once, and one more a second.
const LIMITS: [&str; 4] = [
    "--parameter",
    "PublicRateLimit=1",
    "--parameter",
    "PublicBurstLimit=2",
];

fn what_anybody_may_call_takes_no_more_than_its_limit_and_each_method_has_its_own(target: &Target) {
    let (_gateway, own) = target.own(&LIMITS);
    for (method, path, status) in [
        (Method::GET, "/problems", 200),
        (Method::GET, "/nothing", 404),
        (Method::POST, "/nothing", 404),
        (Method::GET, "/", 404),
        (Method::OPTIONS, "/books", 204),
    ] {
        // More than are refilled while they are sent.
        let mut statuses = Vec::new();
        let refused = (0..100).find_map(|_| {
            let call = own.call(method.clone(), path);
            let call = call.header("origin", crate::cors::ALLOWED);
            let call = call.header("access-control-request-method", "GET");
            let reply = call.send();
            statuses.push(reply.status);
            (reply.status == 429).then_some(reply)
        });
        let refused = refused.unwrap_or_else(|| panic!("{method} {path}: {statuses:?}"));
        refused.problem(429, "too-many-requests");
        crate::cors::is_readable_by(&refused, crate::cors::ALLOWED);
        let served = &statuses[..statuses.len() - 1];
        assert!(served.len() >= 2, "{method} {path}: {statuses:?}");
        assert!(served.iter().all(|one| *one == status), "{statuses:?}");
    }
}

fn what_asks_for_a_credential_is_none_of_it(target: &Target) {
    let (_gateway, own) = target.own(&LIMITS);
    let token = own.token();
    for _ in 0..20 {
        own.get("/keys").bearer(&token).send().expect(200);
    }
}
