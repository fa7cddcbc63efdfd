//! What a table's records say of usage keys, and API Gateway does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::holder::Metered;
use crate::usage_keys::Found;

/// How old a usage key must be before it counts as left over, in seconds: 15 minutes. One without
/// a record may belong to a key that is being issued.
const SETTLED_AFTER: u64 = 15 * 60;

/// The usage keys on each plan: API Gateway's ids, by the plan's name.
pub(crate) type Members = BTreeMap<String, BTreeSet<String>>;

/// A usage key that meters nobody any more, and whom it did as far as a record still says it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOver<'a> {
    pub(crate) found: &'a Found,
    pub(crate) of: Option<&'a Metered>,
}

/// A holder in use whose usage key is not as it should be, with that usage key if there is one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lacking<'a> {
    pub(crate) metered: &'a Metered,
    pub(crate) found: Option<&'a Found>,
}

/// Usage keys of an account, held against the records of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences<'a> {
    /// How many holders have the usage key that they should have.
    pub(crate) in_order: usize,
    /// Usage keys whose holder is gone, revoked or expired.
    pub(crate) left_over: Vec<LeftOver<'a>>,
    /// The same, too young to be sure.
    pub(crate) young: Vec<LeftOver<'a>>,
    /// Holders in use without their usage key, or with one that is not on their plan, has no tag, or
    /// is not named in the record.
    pub(crate) lacking: Vec<Lacking<'a>>,
}

impl<'a> Differences<'a> {
    /// Compares them at `now` (epoch seconds). A usage key counts that carries the stack's tag, or
    /// that a record names by its value; every other is somebody else's.
    pub(crate) fn between(
        records: &'a [Metered],
        found: &'a [Found],
        members: &Members,
        now: u64,
    ) -> Self {
        let mut differences = Self::default();
        let mut by_value: BTreeMap<&str, &Metered> = BTreeMap::new();
        for metered in records {
            let known = by_value.entry(&metered.value).or_insert(metered);
            if metered.is_in_use {
                *known = metered;
            }
        }
        let mut present = BTreeMap::new();
        for found in found {
            let of = by_value.get(found.usage_key.value.as_str()).copied();
            if let Some(metered) = of.filter(|metered| metered.is_in_use) {
                present.insert(&metered.holder, found);
            } else if of.is_some() || found.is_tagged {
                let left_over = LeftOver { found, of };
                if now.saturating_sub(found.created_at) < SETTLED_AFTER {
                    differences.young.push(left_over);
                } else {
                    differences.left_over.push(left_over);
                }
            }
        }
        for metered in records.iter().filter(|metered| metered.is_in_use) {
            let found = present.get(&metered.holder).copied();
            if found.is_some_and(|found| is_in_order(metered, found, members)) {
                differences.in_order += 1;
            } else {
                differences.lacking.push(Lacking { metered, found });
            }
        }
        differences
    }
}

fn is_in_order(metered: &Metered, found: &Found, members: &Members) -> bool {
    let on_plan = metered.plan.as_ref().and_then(|plan| members.get(plan));
    let id = &found.usage_key.id;
    found.is_tagged
        && metered.usage_key_id.as_ref() == Some(id)
        && on_plan.is_some_and(|members| members.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holder::Holder;
    use crate::usage_key::{UsageKey, value_of};
    use keygate_api_key::ApiKey;

    const NOW: u64 = 1_000_000;

    /// A key in use on the plan `standard`.
    fn metered() -> Metered {
        let id = ApiKey::generate().unwrap().id().clone();
        Metered {
            value: value_of(&id),
            usage_key_id: Some(format!("at-api-gateway-{id}")),
            plan: Some("standard".to_owned()),
            is_in_use: true,
            holder: Holder::Key(id),
        }
    }

    /// Its usage key, made `age` seconds ago.
    fn found(metered: &Metered, age: u64) -> Found {
        Found {
            usage_key: UsageKey {
                id: format!("at-api-gateway-{}", metered.holder),
                value: metered.value.clone(),
            },
            name: format!("keygate-dev.{}", metered.holder),
            is_tagged: true,
            created_at: NOW - age,
        }
    }

    fn members(plan: &str, found: &[Found]) -> Members {
        let ids = found.iter().map(|found| found.usage_key.id.clone());
        Members::from([(plan.to_owned(), ids.collect())])
    }

    #[test]
    fn a_key_in_use_lacks_its_usage_key_unless_that_is_on_its_plan() {
        let records = [metered()];
        let all = [found(&records[0], 0)];
        let standard = members("standard", &all);
        let differences = Differences::between(&records, &all, &standard, NOW);
        assert_eq!(differences.in_order, 1);
        assert!(differences.lacking.is_empty());
        for (found, members) in [
            (&all[..0], &standard),
            (&all[..], &members("standard", &[])),
            (&all[..], &members("partner", &all)),
            (&all[..], &Members::new()),
        ] {
            let differences = Differences::between(&records, found, members, NOW);
            let lacking = Lacking {
                metered: &records[0],
                found: found.first(),
            };
            assert_eq!(differences.lacking, [lacking], "{found:?} {members:?}");
            assert_eq!(differences.in_order, 0);
            assert!(differences.left_over.is_empty() && differences.young.is_empty());
        }
    }

    #[test]
    fn a_usage_key_without_a_tag_or_of_another_id_than_its_record_names_is_not_in_order() {
        let (mut unnamed, mut other) = (metered(), metered());
        unnamed.usage_key_id = None;
        other.usage_key_id = Some("of-the-former-account".to_owned());
        let records = [metered(), unnamed, other];
        let mut all: Vec<Found> = records.iter().map(|record| found(record, 0)).collect();
        all[0].is_tagged = false;
        let standard = members("standard", &all);
        let differences = Differences::between(&records, &all, &standard, NOW);
        assert_eq!(differences.in_order, 0);
        let with = differences.lacking.iter().map(|lacking| lacking.found);
        assert!(with.eq(all.iter().map(Some)));
        assert!(differences.left_over.is_empty() && differences.young.is_empty());
    }

    #[test]
    fn a_usage_key_is_left_over_when_its_holder_is_gone_or_not_in_use() {
        let (mut over, gone) = (metered(), metered());
        over.is_in_use = false;
        let mut all = [&over, &gone].map(|record| found(record, SETTLED_AFTER));
        let records = [over];
        let differences = Differences::between(&records, &all, &Members::new(), NOW);
        let holders: Vec<_> = differences.left_over.iter().map(|left| left.of).collect();
        assert_eq!(holders, [Some(&records[0]), None]);
        assert_eq!(differences.in_order, 0);
        assert!(differences.lacking.is_empty() && differences.young.is_empty());
        // Without the tag, one that no record names is somebody else's.
        for found in &mut all {
            found.is_tagged = false;
        }
        let differences = Differences::between(&records, &all, &Members::new(), NOW);
        assert_eq!(differences.left_over.len(), 1);
        assert_eq!(differences.left_over[0].of, Some(&records[0]));
    }

    #[test]
    fn a_usage_key_without_a_holder_is_young_for_15_minutes() {
        for (age, young) in [(0, 1), (SETTLED_AFTER - 1, 1), (SETTLED_AFTER, 0)] {
            let all = [found(&metered(), age)];
            let differences = Differences::between(&[], &all, &Members::new(), NOW);
            assert_eq!(differences.young.len(), young, "{age}");
            assert_eq!(differences.left_over.len(), 1 - young, "{age}");
        }
        // API Gateway's clock may be ahead.
        let mut ahead = [found(&metered(), 0)];
        ahead[0].created_at = NOW + 60;
        let differences = Differences::between(&[], &ahead, &Members::new(), NOW);
        assert_eq!(differences.young.len(), 1);
    }
}
