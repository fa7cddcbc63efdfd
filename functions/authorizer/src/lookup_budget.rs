//! How many reads of the key table invented keys may cost.
//!
//! Anybody can make up a key whose checksum fits, and only the table can tell that there is none. So
//! a read that proves no key is paid for from a budget that refills by the second, and with nothing
//! left an unknown key is a fault, not a refusal: nobody can tell whether it is good. A read
//! that proves a key is paid back, and a key that was proved lately is read at no cost, so those who
//! call all the time do not notice. Each process has a budget of its own.

use std::time::{Duration, Instant};

/// The most reads that prove nothing in a moment.
const BURST: u32 = 500;
/// The time in which one more is earned: a hundred a second.
const INTERVAL: Duration = Duration::from_millis(10);

/// A bucket of reads.
#[derive(Debug)]
pub(crate) struct LookupBudget {
    left: u32,
    /// Up to here what was earned is counted in `left`.
    counted_until: Instant,
}

impl LookupBudget {
    /// A full budget.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            counted_until: now,
        }
    }

    /// Pays for a read; false when there is nothing left.
    pub(crate) fn pay(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.counted_until);
        let earned = elapsed.as_millis() / INTERVAL.as_millis();
        match u32::try_from(earned) {
            Ok(earned) if earned < BURST => {
                self.left = (self.left + earned).min(BURST);
                self.counted_until += INTERVAL * earned;
            }
            _ => *self = Self::new(now),
        }
        let has_some = self.left > 0;
        self.left -= u32::from(has_some);
        has_some
    }

    /// Gives back what a read that proved a key has cost.
    pub(crate) fn pay_back(&mut self) {
        self.left = (self.left + 1).min(BURST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(budget: &mut LookupBudget, now: Instant) -> usize {
        (0..10_000).take_while(|_| budget.pay(now)).count()
    }

    #[test]
    fn the_budget_is_a_burst_and_then_a_hundred_a_second() {
        let start = Instant::now();
        let mut budget = LookupBudget::new(start);
        assert_eq!(paid(&mut budget, start), BURST as usize);
        assert_eq!(paid(&mut budget, start + Duration::from_millis(9)), 0);
        assert_eq!(paid(&mut budget, start + Duration::from_millis(19)), 1);
        assert_eq!(paid(&mut budget, start + Duration::from_millis(20)), 1);
        assert_eq!(paid(&mut budget, start + Duration::from_millis(1020)), 100);
        let later = start + Duration::from_hours(1);
        assert_eq!(paid(&mut budget, later), BURST as usize);
    }

    #[test]
    fn reads_that_prove_keys_cost_nothing() {
        let now = Instant::now();
        let mut budget = LookupBudget::new(now);
        for _ in 0..10 * BURST {
            assert!(budget.pay(now));
            budget.pay_back();
        }
        assert_eq!(paid(&mut budget, now), BURST as usize);
        budget.pay_back();
        assert_eq!(paid(&mut budget, now), 1);
    }
}
