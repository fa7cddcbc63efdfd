//! The stage's throttles of its methods, which count all callers together ("Throttle requests to your
//! REST APIs", API Gateway guide: method settings apply to each method by itself).

use std::collections::HashMap;

use governor::{DefaultDirectRateLimiter, RateLimiter};
use keygate_model::Route;

use super::usage_plan::{ImpossibleThrottle, bucket};

/// A bucket for each method that has a throttle, by [`Route::key`].
#[derive(Debug)]
pub(super) struct MethodThrottles(HashMap<String, DefaultDirectRateLimiter>);

impl MethodThrottles {
    /// Full buckets for the routes that have a throttle.
    pub(super) fn new(routes: &[Route]) -> Result<Self, ImpossibleThrottle> {
        let throttled = routes.iter().filter_map(|route| {
            let throttle = route.throttle?;
            let key = route.key();
            let limiter = match bucket(throttle) {
                Some(bucket) => RateLimiter::direct(bucket),
                None => return Some(Err(ImpossibleThrottle::of_method(&key))),
            };
            Some(Ok((key, limiter)))
        });
        throttled.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a method takes one more request now, which counts where it does.
    pub(super) fn admits(&self, route: &Route) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let bucket = self.0.get(&route.key());
        bucket.is_none_or(|bucket| bucket.check().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use keygate_model::{Integration, Throttle, Validation};

    use super::*;

    #[test]
    fn each_method_has_a_bucket_of_its_own() {
        let route = |path: &str, burst: Option<u32>| Route {
            method: "GET".parse().unwrap(),
            path: path.parse().unwrap(),
            integration: Integration::Function("Fn".into()),
            authorizer: None,
            api_key_required: false,
            throttle: burst.map(|burst| Throttle { rate: 0.001, burst }),
            validation: Validation::default(),
            line: 0,
        };
        let routes = [
            route("/a", Some(1)),
            route("/b", Some(2)),
            route("/c", None),
        ];
        let throttles = MethodThrottles::new(&routes).unwrap();
        let admitted = routes
            .each_ref()
            .map(|route| (0..4).filter(|_| throttles.admits(route)).count());
        assert_eq!(admitted, [1, 2, 4]);
    }
}
