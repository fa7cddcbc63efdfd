//! What was read of a plan's usage, for a minute; that it could not be read, too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::civil::Date;

/// How long what was read is good.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// A plan's usage keys that were used, by API Gateway's ids of them, and when they last were.
pub(crate) type OfPlan = BTreeMap<String, Date>;

/// A plan's usage could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its usage could not be read less than a minute ago")]
pub(crate) struct Unread;

/// What was read last, by what the configuration calls the plans.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<BTreeMap<String, Read>>);

#[derive(Debug)]
struct Read {
    at: Instant,
    /// The first of its days.
    from: Date,
    plan: Result<Arc<OfPlan>, Unread>,
}

impl Remembered {
    /// What was read lately of a plan's usage from this day on.
    pub(crate) fn get(&self, target: &str, from: Date) -> Option<Result<Arc<OfPlan>, Unread>> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = plans.get(target)?;
        let is_good = read.from == from && read.at.elapsed() < GOOD_FOR;
        is_good.then(|| read.plan.clone())
    }

    pub(crate) fn insert(&self, target: &str, from: Date, plan: Result<Arc<OfPlan>, Unread>) {
        let at = Instant::now();
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.insert(target.to_owned(), Read { at, from, plan });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_of_other_days_or_another_plan_is_not_remembered() {
        let [today, tomorrow] = ["2026-11-26", "2026-11-27"].map(|day| day.parse().unwrap());
        let remembered = Remembered::default();
        remembered.insert("standard", today, Ok(Arc::default()));
        assert!(remembered.get("standard", today).is_some());
        assert!(remembered.get("standard", tomorrow).is_none());
        assert!(remembered.get("partner", today).is_none());
        remembered.insert("standard", today, Err(Unread));
        assert_eq!(remembered.get("standard", today), Some(Err(Unread)));
    }
}
