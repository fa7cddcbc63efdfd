//! The requests of one usage key, by day in UTC: what its quota is held to, and what `GetUsage` answers.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp, tz::TimeZone};
use keygate_model::{Period, Quota};

/// How many days are kept: those that `GetUsage` answers, and before them those of a month that had
/// begun.
const KEPT: i32 = 90 + 31;

/// Requests by day. A day without any is left out.
#[derive(Debug, Default)]
pub(crate) struct UsageCounts(BTreeMap<Date, u64>);

impl UsageCounts {
    /// Counts a request.
    pub(super) fn add(&mut self, today: Date) {
        if let Some(count) = self.0.get_mut(&today) {
            *count += 1;
            return;
        }
        let kept = today.saturating_sub(Span::new().days(KEPT));
        self.0.retain(|day, _| *day > kept);
        self.0.insert(today, 1);
    }

    /// The requests of a day.
    pub(super) fn of(&self, day: Date) -> u64 {
        self.0.get(&day).copied().unwrap_or_default()
    }

    /// What was left of a quota at the end of a day, or is left until now.
    pub(super) fn remaining(&self, quota: Quota, day: Date) -> u64 {
        let period = self.0.range(period_start(quota.period, day)..=day);
        let spent: u64 = period.map(|(_, count)| count).sum();
        quota.limit.saturating_sub(spent)
    }
}

/// The day of a time.
#[must_use]
pub fn day(now: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(now).date()
}

fn period_start(period: Period, day: Date) -> Date {
    match period {
        Period::Day => day,
        Period::Week => {
            let days = day.weekday().since(Weekday::Sunday);
            day.saturating_sub(Span::new().days(i64::from(days)))
        }
        Period::Month => day.first_of_month(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_the_quota_without_what_its_period_has_spent() {
        let mut counts = UsageCounts::default();
        let at = |text: &str| text.parse::<Date>().unwrap();
        for day in ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-01"] {
            counts.add(at(day));
            counts.add(at(day));
        }
        let left = |period, day| counts.remaining(Quota { limit: 7, period }, at(day));
        assert_eq!(left(Period::Day, "2026-11-30"), 5);
        assert_eq!(left(Period::Week, "2026-11-28"), 5);
        assert_eq!(left(Period::Week, "2026-11-30"), 3);
        assert_eq!(left(Period::Month, "2026-11-30"), 1);
        assert_eq!(left(Period::Month, "2026-12-01"), 5);
        assert_eq!(left(Period::Day, "2026-12-02"), 7);
        assert_eq!(
            (counts.of(at("2026-11-28")), counts.of(at("2026-12-02"))),
            (2, 0)
        );
    }

    #[test]
    fn days_of_long_ago_are_forgotten() {
        let mut counts = UsageCounts::default();
        let first: Date = "2026-01-01".parse().unwrap();
        for day in 0..400 {
            counts.add(first.saturating_add(Span::new().days(day)));
        }
        assert_eq!(counts.0.len(), 121);
    }
}
