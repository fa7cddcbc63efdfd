//! The tokens of a bucket, with what is left of them: what a page shows without taking one.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use governor::middleware::StateInformationMiddleware;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use keygate_model::Throttle;

use crate::trip::TokensLeft;

/// A bucket that is filled at a rate.
#[derive(Debug)]
pub(super) struct Tokens {
    bucket: DefaultDirectRateLimiter<StateInformationMiddleware>,
    throttle: Throttle,
    /// What was left when one was last asked for.
    last: Mutex<Option<(Instant, u32)>>,
}

impl Tokens {
    /// A full bucket.
    pub(super) fn new(quota: Quota, throttle: Throttle) -> Self {
        let bucket = RateLimiter::direct(quota);
        Self {
            bucket: bucket.with_middleware(),
            throttle,
            last: Mutex::default(),
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&self) -> bool {
        // Held meanwhile, so that what is noted last is what was taken last.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.bucket.check();
        let left = state.as_ref().map_or(
            0,
            governor::middleware::StateSnapshot::remaining_burst_capacity,
        );
        *last = Some((Instant::now(), left));
        state.is_ok()
    }

    /// What is left now: what was left, and what the rate has added since.
    pub(super) fn left(&self) -> TokensLeft {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Throttle { rate, burst } = self.throttle;
        let left = last.map_or(f64::from(burst), |(at, left)| {
            f64::from(left) + at.elapsed().as_secs_f64() * rate
        });
        TokensLeft {
            left: left.min(f64::from(burst)).floor(),
            burst,
            rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_plan::bucket;

    #[test]
    fn what_is_left_is_the_burst_without_what_was_taken() {
        let throttle = Throttle {
            rate: 0.001,
            burst: 3,
        };
        let tokens = Tokens::new(bucket(throttle).unwrap(), throttle);
        let left = |tokens: &Tokens| tokens.left().left;
        assert!((left(&tokens) - 3.0).abs() < f64::EPSILON);
        for (is_taken, then) in [(true, 2.0), (true, 1.0), (true, 0.0), (false, 0.0)] {
            assert_eq!(tokens.take(), is_taken);
            assert!((left(&tokens) - then).abs() < f64::EPSILON, "{then}");
        }
    }

    #[test]
    fn a_bucket_is_never_fuller_than_its_burst() {
        let throttle = Throttle {
            rate: 1e6,
            burst: 2,
        };
        let tokens = Tokens::new(bucket(throttle).unwrap(), throttle);
        assert!(tokens.take());
        while tokens.left().left < 2.0 {
            std::thread::yield_now();
        }
        assert!((tokens.left().left - 2.0).abs() < f64::EPSILON);
    }
}
