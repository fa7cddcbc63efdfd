//! The stage's throttles of its methods, which count all callers together ("Throttle requests to your
//! REST APIs", API Gateway guide: method settings apply to each method by itself).

use std::collections::HashMap;

use governor::{DefaultDirectRateLimiter, RateLimiter};
use http::Method;
use keygate_model::{Route, Throttle};

use super::usage_plan::{ImpossibleThrottle, bucket};

/// A bucket for each method that has a throttle, by [`Route::key`], and for each of an `ANY` route's that
/// has its own, by the path and that method.
#[derive(Debug)]
pub(super) struct MethodThrottles(HashMap<String, DefaultDirectRateLimiter>);

impl MethodThrottles {
    /// Full buckets for the routes that have a throttle.
    pub(super) fn new(routes: &[Route]) -> Result<Self, ImpossibleThrottle> {
        let throttled = routes.iter().flat_map(throttles);
        let limiters = throttled.map(|(key, throttle)| match bucket(throttle) {
            Some(bucket) => Ok((key, RateLimiter::direct(bucket))),
            None => Err(ImpossibleThrottle::of_method(&key)),
        });
        limiters.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a route takes one more request of this method now, which counts where it does.
    pub(super) fn admits(&self, route: &Route, method: &Method) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let own = self.0.get(&format!("{}/{method}", route.path));
        let bucket = own.or_else(|| self.0.get(&route.key()));
        bucket.is_none_or(|bucket| bucket.check().is_ok())
    }
}

/// What a route's methods are throttled by, each by its key.
fn throttles(route: &Route) -> impl Iterator<Item = (String, Throttle)> {
    let of_route = route.throttle.map(|throttle| (route.key(), throttle));
    let of_methods = route.throttles.iter();
    let of_methods =
        of_methods.map(|(method, throttle)| (format!("{}/{method}", route.path), *throttle));
    of_route.into_iter().chain(of_methods)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use keygate_model::{Integration, Validation};

    use super::*;

    #[test]
    fn each_method_has_a_bucket_of_its_own() {
        let [a, b, c] = [("/a", Some(1)), ("/b", Some(2)), ("/c", None)]
            .map(|(path, burst)| route("GET", path, burst));
        let throttles = MethodThrottles::new(&[a.clone(), b.clone(), c.clone()]).unwrap();
        let admitted = [a, b, c].map(|route| admitted(&throttles, &route, &Method::GET));
        assert_eq!(admitted, [1, 2, 4]);
    }

    #[test]
    fn a_method_of_an_any_route_has_the_bucket_that_settings_give_it() {
        let mut any = route("ANY", "/a", Some(3));
        any.throttles.insert("PUT".to_owned(), throttle(1));
        let throttles = MethodThrottles::new(std::slice::from_ref(&any)).unwrap();
        assert_eq!(admitted(&throttles, &any, &Method::PUT), 1);
        assert_eq!(admitted(&throttles, &any, &Method::GET), 3);
    }

    fn throttle(burst: u32) -> Throttle {
        Throttle { rate: 0.001, burst }
    }

    /// How many of four requests at once a route takes.
    fn admitted(throttles: &MethodThrottles, route: &Route, method: &Method) -> usize {
        (0..4).filter(|_| throttles.admits(route, method)).count()
    }

    fn route(method: &str, path: &str, burst: Option<u32>) -> Route {
        Route {
            method: method.parse().unwrap(),
            path: path.parse().unwrap(),
            integration: Integration::Function("Fn".into()),
            authorizer: None,
            api_key_required: false,
            throttle: burst.map(throttle),
            throttles: BTreeMap::new(),
            validation: Validation::default(),
            line: 0,
        }
    }
}
