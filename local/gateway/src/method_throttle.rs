//! The stage's throttles of its methods, which count all callers together ("Throttle requests to your
//! REST APIs", API Gateway guide: method settings apply to each method by itself).

use std::collections::{BTreeMap, HashMap};

use governor::{DefaultDirectRateLimiter, RateLimiter};
use http::Method;
use keygate_model::{Route, Throttle};

use super::usage_plan::{ImpossibleThrottle, bucket};

/// A bucket for each method that has a throttle, by path and method as in [`Route::key`].
#[derive(Debug)]
pub(super) struct MethodThrottles(HashMap<String, DefaultDirectRateLimiter>);

impl MethodThrottles {
    /// Full buckets for the routes that have a throttle, and for methods of `ANY` that have their own.
    pub(super) fn new(
        routes: &[Route],
        of_any: &BTreeMap<String, Throttle>,
    ) -> Result<Self, ImpossibleThrottle> {
        let of_routes = routes
            .iter()
            .filter_map(|route| Some((route.key(), route.throttle?)));
        let of_any = of_any.iter();
        let of_any = of_any.map(|(key, throttle)| (key.clone(), *throttle));
        let all = of_routes.chain(of_any).map(|(key, throttle)| {
            let bucket = bucket(throttle).ok_or_else(|| ImpossibleThrottle::of_method(&key))?;
            Ok((key, RateLimiter::direct(bucket)))
        });
        all.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a method takes one more request now, which counts where it does.
    pub(super) fn admits(&self, route: &Route, method: &Method) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let own = self.0.get(&format!("{}/{method}", route.path));
        let bucket = own.or_else(|| self.0.get(&route.key()));
        bucket.is_none_or(|bucket| bucket.check().is_ok())
    }
}

#[cfg(test)]
mod tests {
    use keygate_model::{Integration, Throttle, Validation};

    use super::*;

    fn route(method: &str, path: &str, burst: Option<u32>) -> Route {
        Route {
            method: method.parse().unwrap(),
            path: path.parse().unwrap(),
            integration: Integration::Function("Fn".into()),
            authorizer: None,
            api_key_required: false,
            throttle: burst.map(|burst| Throttle { rate: 0.001, burst }),
            validation: Validation::default(),
            line: 0,
        }
    }

    #[test]
    fn each_method_has_a_bucket_of_its_own() {
        let routes = [
            route("GET", "/a", Some(1)),
            route("GET", "/b", Some(2)),
            route("GET", "/c", None),
        ];
        let throttles = MethodThrottles::new(&routes, &BTreeMap::new()).unwrap();
        let admitted = routes.each_ref().map(|route| {
            let admitted = (0..4).filter(|_| throttles.admits(route, &Method::GET));
            admitted.count()
        });
        assert_eq!(admitted, [1, 2, 4]);
    }

    #[test]
    fn a_method_of_any_has_a_bucket_of_its_own_where_a_setting_says_so() {
        let any = route("ANY", "/", Some(2));
        let own = Throttle {
            rate: 0.001,
            burst: 1,
        };
        let of_any = [("//GET".to_owned(), own)].into();
        let throttles = MethodThrottles::new(std::slice::from_ref(&any), &of_any).unwrap();
        let admitted = [Method::GET, Method::PUT, Method::POST].map(|method| {
            let admitted = (0..4).filter(|_| throttles.admits(&any, &method));
            admitted.count()
        });
        assert_eq!(admitted, [1, 2, 0], "the others share one");
    }
}
