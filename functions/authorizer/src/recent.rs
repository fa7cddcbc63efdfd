//! What was looked up a moment ago: a map that holds a bounded number of entries for a bounded
//! time.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// A map whose entries end `lifetime` after they were put in; the oldest goes when it is full.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    lifetime: Duration,
    capacity: usize,
    entries: HashMap<K, (Instant, V)>,
    /// Every entry in the order in which it ends. One that was put in again is here twice, and its
    /// former time no longer counts.
    by_age: VecDeque<(Instant, K)>,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// An empty map. A `lifetime` of zero remembers nothing.
    pub(crate) fn new(lifetime: Duration, capacity: usize) -> Self {
        Self {
            lifetime,
            capacity,
            entries: HashMap::new(),
            by_age: VecDeque::new(),
        }
    }

    /// The entry of `key`, unless its time is over.
    pub(crate) fn get<Q>(&self, key: &Q, now: Instant) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (since, value) = self.entries.get(key)?;
        (now.duration_since(*since) < self.lifetime).then_some(value)
    }

    /// Puts an entry in, in place of one with the same key.
    pub(crate) fn insert(&mut self, key: K, value: V, now: Instant) {
        if self.lifetime.is_zero() {
            return;
        }
        while let Some((since, _)) = self.by_age.front() {
            let is_over = now.duration_since(*since) >= self.lifetime;
            if !is_over && self.by_age.len() < self.capacity {
                break;
            }
            self.remove_oldest();
        }
        self.by_age.push_back((now, key.clone()));
        self.entries.insert(key, (now, value));
    }

    /// Takes an entry out.
    pub(crate) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.remove(key);
    }

    fn remove_oldest(&mut self) {
        let Some((since, key)) = self.by_age.pop_front() else {
            return;
        };
        if self
            .entries
            .get(&key)
            .is_some_and(|(latest, _)| *latest == since)
        {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(30);

    #[test]
    fn an_entry_ends_with_its_lifetime() {
        let mut recent = Recent::new(LIFETIME, 10);
        let start = Instant::now();
        recent.insert("a", 1, start);
        assert_eq!(recent.get("a", start + LIFETIME / 2), Some(&1));
        assert_eq!(recent.get("a", start + LIFETIME), None);
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let mut recent = Recent::new(LIFETIME, 3);
        let start = Instant::now();
        for number in 0..100 {
            recent.insert(number, (), start);
            recent.insert(number, (), start);
            assert!(recent.entries.len() <= 3 && recent.by_age.len() <= 3);
        }
        assert!(recent.get(&99, start).is_some());
    }

    #[test]
    fn an_entry_put_in_again_lives_from_then_on() {
        let mut recent = Recent::new(LIFETIME, 10);
        let start = Instant::now();
        recent.insert("a", 1, start);
        recent.insert("a", 2, start + LIFETIME / 2);
        recent.insert("b", 3, start + LIFETIME);
        assert_eq!(recent.get("a", start + LIFETIME), Some(&2));
    }

    #[test]
    fn a_lifetime_of_zero_remembers_nothing() {
        let mut recent = Recent::new(Duration::ZERO, 10);
        recent.insert("a", 1, Instant::now());
        assert!(recent.entries.is_empty());
    }
}
