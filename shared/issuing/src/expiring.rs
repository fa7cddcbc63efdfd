//! Keys about to expire, and of which of them a person has still to be told.
//!
//! A key is told of twice: so many days before its end, and a day before it. Its record says when
//! somebody was told last, so it is not told of each day anew, a run that was missed is made up by the next
//! one, and a schedule may be changed at any time. Nobody is told what they know: a key that was
//! issued for a shorter time than the days, and ends by itself as it was meant to, is told of on its
//! last day at the earliest.

use std::str::FromStr;

use keygate_key_record::{KeyRecord, Status};

/// A day, in seconds.
const DAY: u64 = 24 * 60 * 60;

/// How many days ahead a notice may come, at most: ten years, as no key lasts longer.
pub const MAX_NOTICE_DAYS: u64 = 3660;

/// A time that begins now, in which keys that are in use expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    pub(crate) now: u64,
    pub(crate) until: u64,
}

impl Within {
    /// So many days from `now` (epoch seconds) on.
    #[must_use]
    pub fn days(days: u64, now: u64) -> Self {
        let until = now.saturating_add(days.saturating_mul(DAY));
        Self { now, until }
    }

    /// Whether a key is in use, and no longer at the end of the time.
    #[must_use]
    pub fn ends(&self, record: &KeyRecord) -> bool {
        let is_ahead = |expires_at| self.now < expires_at && expires_at <= self.until;
        record.status == Status::Active && record.expires_at.is_some_and(is_ahead)
    }
}

/// A key that is about to expire.
#[derive(Debug, Clone)]
pub struct Expiring {
    /// The key.
    pub record: KeyRecord,
    /// Epoch seconds; when somebody was told of it last.
    pub(crate) noticed_at: Option<u64>,
}

impl From<KeyRecord> for Expiring {
    /// A key of which nobody was told.
    fn from(record: KeyRecord) -> Self {
        Self {
            record,
            noticed_at: None,
        }
    }
}

/// How many days before its end a key is told of for the first time; the second time is a day before it. By
/// default nobody is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeDays(u64);

/// A number of days that is none, or too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a number of days from 0, which is no notice, to {MAX_NOTICE_DAYS}")]
pub struct NoticeDaysError;

impl FromStr for NoticeDays {
    type Err = NoticeDaysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days = text.parse().map_err(|_| NoticeDaysError)?;
        if days > MAX_NOTICE_DAYS {
            return Err(NoticeDaysError);
        }
        Ok(Self(days))
    }
}

impl NoticeDays {
    /// The days of the first notice, if there is to be any.
    #[must_use]
    pub fn first(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }

    /// Whether a person has to be told of a key at `now` (epoch seconds): the time for it has come since
    /// they were told last, or, at first, since the key was issued.
    #[must_use]
    pub fn are_due(self, key: &Expiring, now: u64) -> bool {
        let record = &key.record;
        let Some(expires_at) = record.expires_at else {
            return false;
        };
        let told = key.noticed_at.unwrap_or_default().max(record.created_at);
        let mut days = self.first().into_iter().flat_map(|first| [first, 1]);
        days.any(|days| {
            let time = expires_at.saturating_sub(days * DAY);
            told < time && time <= now
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::key_of;

    const NOW: u64 = 1_800_000_000;

    /// A key that was issued a year ago, ends in so many seconds and was told of so many seconds ago.
    fn key(ends_in: u64, told: Option<u64>) -> Expiring {
        let (mut record, _) = key_of("me", NOW - 365 * DAY);
        record.expires_at = Some(NOW + ends_in);
        Expiring {
            record,
            noticed_at: told.map(|ago| NOW - ago),
        }
    }

    #[test]
    fn a_key_is_told_of_some_days_before_its_end_and_a_day_before_it() {
        let week = NoticeDays(7);
        for (ends_in, told, is_due) in [
            // Not yet.
            (7 * DAY + 1, None, false),
            (7 * DAY, None, true),
            (6 * DAY, None, true),
            // Told at seven days, and again each day that follows.
            (7 * DAY, Some(0), false),
            (6 * DAY, Some(DAY), false),
            (DAY + 1, Some(6 * DAY - 1), false),
            // A day before the end, once.
            (DAY, Some(6 * DAY), true),
            (DAY / 2, Some(6 * DAY), true),
            (DAY / 2, Some(DAY / 2), false),
            (DAY / 2 - 1, Some(1), false),
        ] {
            let key = key(ends_in, told);
            assert_eq!(week.are_due(&key, NOW), is_due, "{ends_in} {told:?}");
        }
    }

    #[test]
    fn what_a_missed_run_would_have_told_is_told_once_by_the_next() {
        let week = NoticeDays(7);
        // Nothing ran from before the seventh day until the last.
        let late = key(DAY / 4, None);
        assert!(week.are_due(&late, NOW));
        assert!(!week.are_due(&key(DAY / 4, Some(0)), NOW));
        assert!(!week.are_due(&key(DAY / 4 - 60, Some(60)), NOW));
    }

    #[test]
    fn a_key_that_was_issued_for_a_shorter_time_is_told_of_on_its_last_day() {
        let week = NoticeDays(7);
        let of_days = |days: u64, ends_in: u64| {
            let mut key = key(ends_in, None);
            key.record.created_at = NOW + ends_in - days * DAY;
            key
        };
        for (days, ends_in, is_due) in [
            (8, 7 * DAY, true),
            (7, 7 * DAY - 60, false),
            (3, 2 * DAY, false),
            (3, DAY, true),
            // Who issues a key for a day knows that it ends.
            (1, DAY / 2, false),
        ] {
            let key = of_days(days, ends_in);
            assert_eq!(week.are_due(&key, NOW), is_due, "{days} {ends_in}");
        }
    }

    #[test]
    fn more_days_tell_of_no_key_again_that_was_told_of() {
        let noticed = key(6 * DAY, Some(DAY));
        assert!(!NoticeDays(7).are_due(&noticed, NOW));
        assert!(!NoticeDays(30).are_due(&noticed, NOW));
        // A later end, set by hand, is another end.
        assert!(NoticeDays(30).are_due(&key(20 * DAY, Some(20 * DAY)), NOW));
    }

    #[test]
    fn one_day_is_told_once_and_no_days_never() {
        assert!(NoticeDays(1).are_due(&key(DAY, None), NOW));
        assert!(!NoticeDays(1).are_due(&key(DAY + 1, None), NOW));
        assert!(!NoticeDays(0).are_due(&key(60, None), NOW));
        assert_eq!(NoticeDays(0).first(), None);
        let mut endless = key(0, None);
        endless.record.expires_at = None;
        assert!(!NoticeDays(7).are_due(&endless, NOW));
    }

    #[test]
    fn a_number_of_days_is_whole_and_at_most_ten_years() {
        assert_eq!("0".parse(), Ok(NoticeDays(0)));
        assert_eq!("3660".parse(), Ok(NoticeDays(3660)));
        for text in ["3661", "-1", "1.5", "a week", ""] {
            assert_eq!(text.parse::<NoticeDays>(), Err(NoticeDaysError), "{text}");
        }
    }

    #[test]
    fn only_keys_in_use_end_within_a_time() {
        let within = Within::days(2, NOW);
        for (ends_in, ends) in [(1, true), (2 * DAY, true), (2 * DAY + 1, false), (0, false)] {
            assert_eq!(within.ends(&key(ends_in, None).record), ends, "{ends_in}");
        }
        let mut other = key(DAY, None).record;
        other.status = Status::Revoked;
        assert!(!within.ends(&other));
        other.status = Status::Active;
        other.expires_at = None;
        assert!(!within.ends(&other));
        assert!(!Within::days(u64::MAX, NOW).ends(&other));
    }
}
