//! Usage plans: rate, burst and quota for each usage key ("Usage plans and API keys for REST
//! APIs", API Gateway guide). What changes them while requests are served is in [`usage_keys`].
//!
//! [`usage_keys`]: super::usage_keys

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota as Bucket, RateLimiter};
use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, tz::TimeZone};

use super::usage_keys::Usage;
use crate::model::{Period, Quota, Throttle, UsageKey, UsagePlan};

/// What is left to one usage key.
#[derive(Debug)]
pub(super) struct Meter {
    key_id: Arc<str>,
    enabled: bool,
    bucket: Option<DefaultDirectRateLimiter>,
    quota: Option<(Quota, Mutex<Spent>)>,
}

/// Requests made in the period that began on a day.
#[derive(Debug, Clone, Copy)]
struct Spent {
    since: Date,
    requests: u64,
}

/// Why a request is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No usage key, or one on no plan, or a disabled one.
    UnknownKey,
    /// The bucket is empty.
    Throttled,
    /// The period's requests are used up.
    QuotaExceeded,
}

/// A plan that no bucket can be made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the usage plan {0} has a rate or a burst that is not greater than zero")]
pub(crate) struct ImpossibleThrottle(String);

impl Usage {
    /// Counts a request of a usage key, and gives the key's id. A request that is refused is not
    /// counted.
    pub(super) fn admit(
        &self,
        usage_key: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<str>, Refusal> {
        let meter = usage_key
            .and_then(|key| self.meter(key))
            .filter(|meter| meter.enabled)
            .ok_or(Refusal::UnknownKey)?;
        if meter.is_used_up(now) {
            return Err(Refusal::QuotaExceeded);
        }
        let bucket = meter.bucket.as_ref();
        if bucket.is_some_and(|bucket| bucket.check().is_err()) {
            return Err(Refusal::Throttled);
        }
        if meter.spend(now) {
            Ok(Arc::clone(&meter.key_id))
        } else {
            Err(Refusal::QuotaExceeded)
        }
    }
}

impl Meter {
    /// A usage key that has spent nothing of its plan yet.
    pub(super) fn new(plan: &UsagePlan, key: &UsageKey) -> Result<Self, ImpossibleThrottle> {
        let impossible = || ImpossibleThrottle(plan.name.clone());
        let bucket = plan.throttle.map(|throttle| {
            let bucket = bucket(throttle).ok_or_else(impossible)?;
            Ok(RateLimiter::direct(bucket))
        });
        let quota = plan.quota.map(|quota| {
            let spent = Spent {
                since: Date::MIN,
                requests: 0,
            };
            (quota, Mutex::new(spent))
        });
        Ok(Self {
            key_id: Arc::from(key.id.as_str()),
            enabled: key.enabled,
            bucket: bucket.transpose()?,
            quota,
        })
    }

    fn is_used_up(&self, now: Timestamp) -> bool {
        self.quota.as_ref().is_some_and(|(quota, spent)| {
            let spent = *spent.lock().unwrap_or_else(PoisonError::into_inner);
            spent.since == period_start(quota.period, now) && spent.requests >= quota.limit
        })
    }

    fn spend(&self, now: Timestamp) -> bool {
        let Some((quota, spent)) = &self.quota else {
            return true;
        };
        let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
        let since = period_start(quota.period, now);
        if spent.since != since {
            *spent = Spent { since, requests: 0 };
        }
        let left = spent.requests < quota.limit;
        spent.requests += u64::from(left);
        left
    }
}

/// Whether a meter can be made for the keys of a plan.
pub(super) fn check(plan: &UsagePlan) -> Result<(), ImpossibleThrottle> {
    match plan.throttle.map(bucket) {
        Some(None) => Err(ImpossibleThrottle(plan.name.clone())),
        _ => Ok(()),
    }
}

fn bucket(throttle: Throttle) -> Option<Bucket> {
    let interval = Duration::try_from_secs_f64(throttle.rate.recip()).ok()?;
    let burst = NonZeroU32::new(throttle.burst)?;
    Some(Bucket::with_period(interval)?.allow_burst(burst))
}

fn period_start(period: Period, now: Timestamp) -> Date {
    let today = TimeZone::UTC.to_datetime(now).date();
    match period {
        Period::Day => today,
        Period::Week => {
            let days = today.weekday().since(Weekday::Sunday);
            today.saturating_sub(jiff::Span::new().days(i64::from(days)))
        }
        Period::Month => today.first_of_month(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(throttle: Option<Throttle>, quota: Option<Quota>) -> Usage {
        let key = |value: &str, enabled| UsageKey {
            id: format!("id-{value}"),
            name: value.into(),
            value: value.into(),
            enabled,
        };
        let plan = UsagePlan {
            id: "plan".into(),
            name: "standard".into(),
            throttle,
            quota,
            keys: vec![key("a", true), key("b", true), key("off", false)],
        };
        Usage::new(vec![plan]).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_key_that_is_missing_unknown_or_disabled_is_refused() {
        let usage = usage(None, None);
        let now = at("2026-11-24T12:00:00Z");
        for key in [None, Some(""), Some("c"), Some("off")] {
            assert_eq!(usage.admit(key, now), Err(Refusal::UnknownKey), "{key:?}");
        }
        assert_eq!(usage.admit(Some("a"), now), Ok("id-a".into()));
    }

    #[test]
    fn a_burst_is_counted_for_each_key_by_itself() {
        let throttle = Throttle {
            rate: 0.001,
            burst: 2,
        };
        let usage = usage(Some(throttle), None);
        let now = at("2026-11-24T12:00:00Z");
        assert!(usage.admit(Some("a"), now).is_ok());
        assert!(usage.admit(Some("a"), now).is_ok());
        assert_eq!(usage.admit(Some("a"), now), Err(Refusal::Throttled));
        assert!(usage.admit(Some("b"), now).is_ok());
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
            let usage = usage(None, Some(Quota { limit: 1, period }));
            assert!(usage.admit(Some("a"), at("2026-11-24T12:00:00Z")).is_ok());
            assert_eq!(
                usage.admit(Some("a"), at(within)),
                Err(Refusal::QuotaExceeded)
            );
            assert!(usage.admit(Some("a"), at(after)).is_ok(), "{period:?}");
        }
    }
}
