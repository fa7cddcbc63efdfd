//! Usage plans: rate, burst and quota for each usage key ("Usage plans and API keys for REST
//! APIs", API Gateway guide). What changes them while requests are served is in [`usage_keys`].
//!
//! [`usage_keys`]: super::usage_keys

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::Quota as Bucket;
use jiff::Timestamp;
use jiff::civil::Date;
use keygate_model::{Quota, Throttle, UsageKey, UsagePlan};

use super::tokens::Tokens;
use super::usage_counts::{UsageCounts, day};
use crate::trip::{PlanLeft, QuotaLeft};

/// What is left to one usage key.
#[derive(Debug)]
pub(super) struct Meter {
    key_id: Arc<str>,
    enabled: bool,
    tokens: Option<Tokens>,
    /// Those of some methods, in place of `tokens`.
    method_tokens: HashMap<String, Tokens>,
    quota: Option<Quota>,
    counts: Arc<Mutex<UsageCounts>>,
}

/// Why a request is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No usage key, or one on no plan, or a disabled one.
    UnknownKey,
    /// The bucket is empty.
    Throttled,
    /// The period's requests are used up.
    QuotaExceeded,
}

/// A throttle that no bucket can be made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} has a rate or a burst that is not greater than zero")]
pub struct ImpossibleThrottle(String);

impl ImpossibleThrottle {
    fn of_plan(plan: &UsagePlan) -> Self {
        Self(format!("the usage plan {}", plan.name))
    }

    /// A method's throttle that no bucket can be made for.
    pub(super) fn of_method(key: &str) -> Self {
        Self(format!("the throttle of {key}"))
    }
}

impl Meter {
    /// A usage key that has spent nothing of its plan yet.
    pub(super) fn new(plan: &UsagePlan, key: &UsageKey) -> Result<Self, ImpossibleThrottle> {
        let limiter = |throttle: Throttle| {
            let bucket = bucket(throttle).ok_or_else(|| ImpossibleThrottle::of_plan(plan))?;
            Ok(Tokens::new(bucket, throttle))
        };
        let of_methods = plan.method_throttles.iter();
        let of_methods = of_methods.map(|(key, throttle)| Ok((key.clone(), limiter(*throttle)?)));
        Ok(Self {
            key_id: Arc::from(key.id.as_str()),
            enabled: key.enabled,
            tokens: plan.throttle.map(limiter).transpose()?,
            method_tokens: of_methods.collect::<Result<_, ImpossibleThrottle>>()?,
            quota: plan.quota,
            counts: Arc::default(),
        })
    }

    /// Counts together with the key's meter from before its stage was changed, which may still be in use.
    pub(super) fn count_with(&mut self, former: &Self) {
        self.counts = Arc::clone(&former.counts);
    }

    /// Counts a request on a method, and gives the key's id. A request that is refused is not counted.
    pub(super) fn admit(&self, method: &str, now: Timestamp) -> Result<Arc<str>, Refusal> {
        if !self.enabled {
            return Err(Refusal::UnknownKey);
        }
        let today = day(now);
        if self.remaining(&self.counts(), today) == Some(0) {
            return Err(Refusal::QuotaExceeded);
        }
        if self.tokens(method).is_some_and(|tokens| !tokens.take()) {
            return Err(Refusal::Throttled);
        }
        // Others may have been let through in between.
        let mut counts = self.counts();
        if self.remaining(&counts, today) == Some(0) {
            return Err(Refusal::QuotaExceeded);
        }
        counts.add(today);
        Ok(Arc::clone(&self.key_id))
    }

    /// The requests of a day, and what was left of the quota at its end, where there is one.
    pub(super) fn of_day(&self, day: Date) -> (u64, Option<u64>) {
        let counts = self.counts();
        (counts.of(day), self.remaining(&counts, day))
    }

    /// What is left now, to a method's requests or, without one, to the plan's.
    pub(super) fn left(&self, method: Option<&str>, now: Timestamp) -> PlanLeft {
        let tokens = method.map_or(self.tokens.as_ref(), |method| self.tokens(method));
        let (used, left) = self.of_day(day(now));
        PlanLeft {
            tokens: tokens.map(Tokens::left),
            quota: self.quota.zip(left).map(|(quota, left)| QuotaLeft {
                left,
                limit: quota.limit,
                period: quota.period.name().to_owned(),
            }),
            today: used,
        }
    }

    fn tokens(&self, method: &str) -> Option<&Tokens> {
        self.method_tokens.get(method).or(self.tokens.as_ref())
    }

    fn remaining(&self, counts: &UsageCounts, day: Date) -> Option<u64> {
        self.quota.map(|quota| counts.remaining(quota, day))
    }

    fn counts(&self) -> MutexGuard<'_, UsageCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a meter can be made for the keys of a plan.
pub(super) fn check(plan: &UsagePlan) -> Result<(), ImpossibleThrottle> {
    let mut throttles = plan.throttle.iter().chain(plan.method_throttles.values());
    if throttles.any(|throttle| bucket(*throttle).is_none()) {
        return Err(ImpossibleThrottle::of_plan(plan));
    }
    Ok(())
}

/// The bucket of a throttle, if there can be one.
pub(super) fn bucket(throttle: Throttle) -> Option<Bucket> {
    let interval = Duration::try_from_secs_f64(throttle.rate.recip()).ok()?;
    let burst = NonZeroU32::new(throttle.burst)?;
    Some(Bucket::with_period(interval)?.allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use keygate_model::Period;

    use super::*;

    const METHOD: &str = "/books/GET";

    fn plan(throttle: Option<Throttle>, quota: Option<Quota>) -> UsagePlan {
        UsagePlan {
            id: "plan".into(),
            name: "standard".into(),
            description: None,
            tags: std::collections::BTreeMap::new(),
            is_of_stage: true,
            throttle,
            method_throttles: BTreeMap::new(),
            quota,
            keys: Vec::new(),
        }
    }

    fn meter(plan: &UsagePlan, id: &str) -> Meter {
        let key = UsageKey {
            id: id.into(),
            name: id.into(),
            description: None,
            value: format!("value of {id}"),
            enabled: true,
            tags: BTreeMap::new(),
        };
        Meter::new(plan, &key).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_counted_for_each_key_by_itself() {
        let throttle = Throttle {
            rate: 0.001,
            burst: 2,
        };
        let plan = plan(Some(throttle), None);
        let (a, b) = (meter(&plan, "a"), meter(&plan, "b"));
        let now = at("2026-11-24T12:00:00Z");
        assert_eq!(a.admit(METHOD, now), Ok("a".into()));
        assert!(a.admit(METHOD, now).is_ok());
        assert_eq!(a.admit(METHOD, now), Err(Refusal::Throttled));
        assert!(b.admit(METHOD, now).is_ok());
    }

    #[test]
    fn a_method_with_a_throttle_of_its_own_leaves_the_plans_bucket_alone() {
        let throttle = |burst| Throttle { rate: 0.001, burst };
        let mut plan = plan(Some(throttle(2)), None);
        plan.method_throttles
            .insert("/slow/GET".into(), throttle(1));
        let meter = meter(&plan, "a");
        let now = at("2026-11-24T12:00:00Z");
        let admitted = |method| (0..4).filter(|_| meter.admit(method, now).is_ok()).count();
        assert_eq!(admitted("/slow/GET"), 1);
        assert_eq!(admitted(METHOD), 2);
    }

    #[test]
    fn only_what_is_let_through_is_counted() {
        let throttle = Throttle {
            rate: 0.001,
            burst: 3,
        };
        let quota = |limit| {
            Some(Quota {
                limit,
                period: Period::Day,
            })
        };
        let now = at("2026-11-24T12:00:00Z");
        for (quota, expected) in [(None, (3, None)), (quota(2), (2, Some(0)))] {
            let meter = meter(&plan(Some(throttle), quota), "a");
            for _ in 0..5 {
                let _ = meter.admit(METHOD, now);
            }
            assert_eq!(meter.of_day(day(now)), expected);
            assert_eq!(meter.of_day(day(at("2026-11-25T00:00:00Z"))).0, 0);
        }
    }

    #[test]
    fn a_quota_ends_with_its_period() {
        for (period, within, after) in [
            (Period::Day, "2026-11-24T23:59:59Z", "2026-11-25T00:00:00Z"),
            (Period::Week, "2026-11-28T23:59:59Z", "2026-11-29T00:00:00Z"),
            (
                Period::Month,
                "2026-11-30T23:59:59Z",
                "2026-12-01T00:00:00Z",
            ),
        ] {
            let plan = plan(None, Some(Quota { limit: 1, period }));
            let meter = meter(&plan, "a");
            assert!(meter.admit(METHOD, at("2026-11-24T12:00:00Z")).is_ok());
            assert_eq!(meter.admit(METHOD, at(within)), Err(Refusal::QuotaExceeded));
            assert!(meter.admit(METHOD, at(after)).is_ok(), "{period:?}");
        }
    }
}
