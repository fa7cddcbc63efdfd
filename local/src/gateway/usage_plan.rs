//! Usage plans: rate, burst and quota for each usage key ("Usage plans and API keys for REST
//! APIs", API Gateway guide).

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota as Bucket, RateLimiter};
use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, tz::TimeZone};

use crate::model::{Period, Quota, UsagePlan};

/// What is left to each usage key of the stage.
#[derive(Debug)]
pub(super) struct Usage {
    meters: HashMap<String, Meter>,
}

#[derive(Debug)]
struct Meter {
    key_id: String,
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
    pub(super) fn new(plans: &[UsagePlan]) -> Result<Self, ImpossibleThrottle> {
        let mut meters = HashMap::new();
        for plan in plans {
            for key in &plan.keys {
                let bucket = plan.throttle.map(|throttle| {
                    let interval = Duration::try_from_secs_f64(throttle.rate.recip()).ok()?;
                    let burst = NonZeroU32::new(throttle.burst)?;
                    Some(RateLimiter::direct(
                        Bucket::with_period(interval)?.allow_burst(burst),
                    ))
                });
                let bucket = match bucket {
                    Some(None) => return Err(ImpossibleThrottle(plan.name.clone())),
                    Some(bucket) => bucket,
                    None => None,
                };
                let quota = plan.quota.map(|quota| {
                    let spent = Spent {
                        since: Date::MIN,
                        requests: 0,
                    };
                    (quota, Mutex::new(spent))
                });
                let meter = Meter {
                    key_id: key.id.clone(),
                    enabled: key.enabled,
                    bucket,
                    quota,
                };
                meters.insert(key.value.clone(), meter);
            }
        }
        Ok(Self { meters })
    }

    /// Counts a request of a usage key, and gives the key's id. A request that is refused is not
    /// counted.
    pub(super) fn admit(&self, usage_key: Option<&str>, now: Timestamp) -> Result<&str, Refusal> {
        let meter = usage_key
            .and_then(|key| self.meters.get(key))
            .filter(|meter| meter.enabled)
            .ok_or(Refusal::UnknownKey)?;
        if meter.is_used_up(now) {
            return Err(Refusal::QuotaExceeded);
        }
        if meter
            .bucket
            .as_ref()
            .is_some_and(|bucket| bucket.check().is_err())
        {
            return Err(Refusal::Throttled);
        }
        if meter.spend(now) {
            Ok(&meter.key_id)
        } else {
            Err(Refusal::QuotaExceeded)
        }
    }
}

impl Meter {
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
    use crate::model::{Throttle, UsageKey};

    fn usage(throttle: Option<Throttle>, quota: Option<Quota>) -> Usage {
        let key = |value: &str, enabled| UsageKey {
            id: format!("id-{value}"),
            value: value.into(),
            enabled,
        };
        let plan = UsagePlan {
            name: "standard".into(),
            throttle,
            quota,
            keys: vec![key("a", true), key("b", true), key("off", false)],
        };
        Usage::new(&[plan]).unwrap()
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
        assert_eq!(usage.admit(Some("a"), now), Ok("id-a"));
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
