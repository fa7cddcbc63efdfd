//! Figures of all requests since the start: what a histogram and a scraper show.

use std::collections::BTreeMap;

use crate::trip::Trip;

/// The upper bounds of the histogram's buckets, in milliseconds. One more is without a bound.
pub const BOUNDS: [f64; 17] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0,
    10_000.0, 30_000.0,
];

/// The figures.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// How long they took.
    pub latency: Latency,
    /// By route, if any, then by status.
    pub answered: BTreeMap<String, BTreeMap<u16, u64>>,
    /// Requests that the authorizer's function was called for.
    pub authorizer_calls: u64,
    /// Requests that an answer was there for already.
    pub authorizer_hits: u64,
}

/// How long requests took.
#[derive(Debug, Clone, Default)]
pub struct Latency {
    /// The requests of each bucket by itself.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// Of all, in milliseconds.
    pub sum: f64,
}

impl Figures {
    /// Counts a request.
    pub(crate) fn count(&mut self, trip: &Trip) {
        self.latency.add(trip.milliseconds);
        if let Some(step) = &trip.authorizer {
            if step.is_called {
                self.authorizer_calls += 1;
            } else if step.answered_in.is_some() {
                self.authorizer_hits += 1;
            }
        }
        let route = trip.route.as_deref().unwrap_or_default();
        if let Some(statuses) = self.answered.get_mut(route) {
            *statuses.entry(trip.status).or_default() += 1;
        } else {
            let statuses = BTreeMap::from([(trip.status, 1)]);
            self.answered.insert(route.to_owned(), statuses);
        }
    }
}

impl Latency {
    fn add(&mut self, milliseconds: f64) {
        let bucket = BOUNDS.partition_point(|bound| *bound < milliseconds);
        self.buckets[bucket] += 1;
        self.sum += milliseconds;
    }

    /// How many requests there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bound of the bucket that this part of the requests, such as 0.95, lies within; `None` without
    /// any, or beyond the last bound.
    #[must_use]
    pub fn within(&self, part: f64) -> Option<f64> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "a count of requests is no exact figure here"
        )]
        let wanted = self.count() as f64 * part;
        let mut so_far = 0;
        let bucket = self.buckets.iter().position(|count| {
            so_far += count;
            #[allow(clippy::cast_precision_loss, reason = "as above")]
            let so_far = so_far as f64;
            so_far > 0.0 && so_far >= wanted
        });
        BOUNDS.get(bucket?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[f64]) -> Latency {
        let mut latency = Latency::default();
        for time in times {
            latency.add(*time);
        }
        latency
    }

    #[test]
    fn a_time_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        for (time, bucket) in [
            (0.0, 0),
            (0.1, 0),
            (0.11, 1),
            (1.0, 3),
            (30_000.0, 16),
            (30_001.0, 17),
        ] {
            let latency = of(&[time]);
            assert_eq!(latency.buckets[bucket], 1, "{time}");
            assert_eq!(latency.count(), 1);
        }
    }

    #[test]
    fn a_part_of_the_requests_lies_within_a_bound() {
        assert_eq!(of(&[]).within(0.5), None);
        let mut times = vec![0.9; 95];
        times.extend([4.0; 4]);
        times.push(40_000.0);
        let latency = of(&times);
        assert_eq!(latency.within(0.5), Some(1.0));
        assert_eq!(latency.within(0.95), Some(1.0));
        assert_eq!(latency.within(0.99), Some(5.0));
        assert_eq!(latency.within(1.0), None);
    }
}
