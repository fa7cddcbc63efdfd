//! What a table's records say of usage keys, and API Gateway does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::holder::{Holder, Metered};
use crate::usage_keys::{Found, Tag};

/// How old a usage key must be before it counts as left over, in seconds: 15 minutes. One without
/// a record may belong to a key that is being issued.
const SETTLED_AFTER: u64 = 15 * 60;

/// How many usage keys without a record in the table are no surprise.
const MANY: usize = 10;

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
    /// The same, too young to be sure, or kept for a while after a change of the plan.
    pub(crate) young: Vec<LeftOver<'a>>,
    /// Holders in use without their usage key, or with one that is not on their plan, has not the
    /// stack's tag, or is not named in the record.
    pub(crate) lacking: Vec<Lacking<'a>>,
    /// Usage keys that records name, and that carry another stack's tag, with that stack.
    pub(crate) of_others: Vec<(&'a Metered, &'a str)>,
}

impl<'a> Differences<'a> {
    /// Compares them at `now` (epoch seconds). A usage key counts that carries the stack's tag, or
    /// that a record names by its value and that has no tag, or that of the stack `adopted`; every other
    /// is somebody else's.
    pub(crate) fn between(
        records: &'a [Metered],
        found: &'a [Found],
        members: &Members,
        adopted: Option<&str>,
        now: u64,
    ) -> Self {
        let mut differences = Self::default();
        let by_value = by_value(records);
        let kept: BTreeSet<&str> = records
            .iter()
            .filter_map(|metered| metered.kept(now))
            .collect();
        let mut present = BTreeMap::new();
        for found in found {
            let of = by_value.get(found.usage_key.value.as_str()).copied();
            let counts = match &found.tag {
                Tag::Own => true,
                Tag::None => of.is_some(),
                Tag::Other(stack) => {
                    let is_adopted = adopted == Some(stack);
                    let foreign = of.filter(|_| !is_adopted);
                    differences
                        .of_others
                        .extend(foreign.map(|of| (of, stack.as_str())));
                    of.is_some() && is_adopted
                }
            };
            if !counts {
                continue;
            }
            if let Some(metered) = of.filter(|metered| metered.is_in_use) {
                present.insert(&metered.holder, found);
                continue;
            }
            let left_over = LeftOver { found, of };
            let is_young = now.saturating_sub(found.created_at) < SETTLED_AFTER;
            if is_young || kept.contains(found.usage_key.id.as_str()) {
                differences.young.push(left_over);
            } else {
                differences.left_over.push(left_over);
            }
        }
        let of_others = differences.of_others.iter();
        let foreign: BTreeSet<&Holder> = of_others.map(|(metered, _)| &metered.holder).collect();
        for metered in records.iter().filter(|metered| metered.is_in_use) {
            let found = present.get(&metered.holder).copied();
            if found.is_some_and(|found| is_in_order(metered, found, members)) {
                differences.in_order += 1;
            } else if !foreign.contains(&metered.holder) {
                differences.lacking.push(Lacking { metered, found });
            }
        }
        differences
    }

    /// Whether the table looks like another stack's, or like an old copy: it knows none of the stack's
    /// usage keys and some are to be deleted, or many are that it does not know.
    pub(crate) fn are_unlikely(&self) -> bool {
        let (unknown, known) = (self.unknown(), self.known());
        unknown > MANY || (unknown > 0 && known == 0)
    }

    /// How many usage keys are to be deleted whose holders the table does not know.
    pub(crate) fn unknown(&self) -> usize {
        let left_over = self.left_over.iter();
        left_over.filter(|left| left.of.is_none()).count()
    }

    /// How many usage keys meter somebody in use whom the table knows.
    pub(crate) fn known(&self) -> usize {
        let lacking = self.lacking.iter();
        self.in_order + lacking.filter(|lacking| lacking.found.is_some()).count()
    }
}

/// The records by the values of their usage keys. Of several with one value, one in use.
fn by_value(records: &[Metered]) -> BTreeMap<&str, &Metered> {
    let mut by_value: BTreeMap<&str, &Metered> = BTreeMap::new();
    for metered in records {
        let known = by_value.entry(&metered.value).or_insert(metered);
        if metered.is_in_use {
            *known = metered;
        }
    }
    by_value
}

fn is_in_order(metered: &Metered, found: &Found, members: &Members) -> bool {
    let on_plan = metered.plan.as_ref().and_then(|plan| members.get(plan));
    let id = &found.usage_key.id;
    found.tag == Tag::Own
        && metered.usage_key_id.as_ref() == Some(id)
        && on_plan.is_some_and(|members| members.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage_key::{UsageKey, value_of};
    use keygate_api_key::ApiKey;
    use keygate_key_record::FormerUsageKey;

    const NOW: u64 = 1_000_000;

    /// A key in use on the plan `standard`.
    fn metered() -> Metered {
        let id = ApiKey::generate().unwrap().id().clone();
        Metered {
            value: value_of(&id),
            usage_key_id: Some(format!("at-api-gateway-{id}")),
            plan: Some("standard".to_owned()),
            is_in_use: true,
            former: None,
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
            tag: Tag::Own,
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
        let differences = Differences::between(&records, &all, &standard, None, NOW);
        assert_eq!(differences.in_order, 1);
        assert!(differences.lacking.is_empty());
        for (found, members) in [
            (&all[..0], &standard),
            (&all[..], &members("standard", &[])),
            (&all[..], &members("partner", &all)),
            (&all[..], &Members::new()),
        ] {
            let differences = Differences::between(&records, found, members, None, NOW);
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
        all[0].tag = Tag::None;
        let standard = members("standard", &all);
        let differences = Differences::between(&records, &all, &standard, None, NOW);
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
        let differences = Differences::between(&records, &all, &Members::new(), None, NOW);
        let holders: Vec<_> = differences.left_over.iter().map(|left| left.of).collect();
        assert_eq!(holders, [Some(&records[0]), None]);
        assert_eq!(differences.in_order, 0);
        assert!(differences.lacking.is_empty() && differences.young.is_empty());
        // Without the tag, one that no record names is somebody else's.
        for found in &mut all {
            found.tag = Tag::None;
        }
        let differences = Differences::between(&records, &all, &Members::new(), None, NOW);
        assert_eq!(differences.left_over.len(), 1);
        assert_eq!(differences.left_over[0].of, Some(&records[0]));
    }

    #[test]
    fn a_usage_key_without_a_holder_is_young_for_15_minutes() {
        for (age, young) in [(0, 1), (SETTLED_AFTER - 1, 1), (SETTLED_AFTER, 0)] {
            let all = [found(&metered(), age)];
            let differences = Differences::between(&[], &all, &Members::new(), None, NOW);
            assert_eq!(differences.young.len(), young, "{age}");
            assert_eq!(differences.left_over.len(), 1 - young, "{age}");
        }
        // API Gateway's clock may be ahead.
        let mut ahead = [found(&metered(), 0)];
        ahead[0].created_at = NOW + 60;
        let differences = Differences::between(&[], &ahead, &Members::new(), None, NOW);
        assert_eq!(differences.young.len(), 1);
    }

    #[test]
    fn another_stacks_usage_key_is_left_alone_unless_that_stack_is_adopted() {
        let (in_use, mut over, gone) = (metered(), metered(), metered());
        over.is_in_use = false;
        let of_another = |metered| Found {
            tag: Tag::Other("keygate-prod".to_owned()),
            ..found(metered, SETTLED_AFTER)
        };
        let all = [&in_use, &over, &gone].map(of_another);
        let records = [in_use, over];
        let members = members("standard", &all);
        let differences = Differences::between(&records, &all, &members, None, NOW);
        let named = differences.of_others.iter();
        let named: Vec<_> = named.map(|(metered, stack)| (*metered, *stack)).collect();
        let expected = [(&records[0], "keygate-prod"), (&records[1], "keygate-prod")];
        assert_eq!(named, expected);
        let untouched = (
            differences.lacking,
            differences.left_over,
            differences.young,
        );
        assert_eq!(untouched, (vec![], vec![], vec![]));

        let adopted = Some("keygate-prod");
        let differences = Differences::between(&records, &all, &members, adopted, NOW);
        let lacking = Lacking {
            metered: &records[0],
            found: Some(&all[0]),
        };
        assert_eq!(differences.lacking, [lacking]);
        let left_over = LeftOver {
            found: &all[1],
            of: Some(&records[1]),
        };
        assert_eq!(differences.left_over, [left_over]);
        assert_eq!(differences.of_others, []);
    }

    #[test]
    fn the_usage_key_of_before_a_change_is_kept_as_long_as_the_record_says() {
        let before = found(&metered(), SETTLED_AFTER);
        let mut changed = metered();
        changed.former = Some(FormerUsageKey {
            id: before.usage_key.id.clone(),
            until: NOW + 1,
        });
        let all = [before, found(&changed, 0)];
        for (now, is_in_use, left_over) in [
            (NOW, true, &[][..]),
            (NOW + 1, true, &all[..1]),
            // Of one that is shut out nothing is kept; its own is still young.
            (NOW, false, &all[..1]),
        ] {
            changed.is_in_use = is_in_use;
            let records = [changed.clone()];
            let differences = Differences::between(&records, &all, &Members::new(), None, now);
            let found = differences.left_over.iter().map(|left| left.found);
            assert!(found.eq(left_over), "{now} {is_in_use}");
        }
    }

    #[test]
    fn a_table_that_knows_few_of_a_stacks_usage_keys_is_likely_the_wrong_one() {
        for (known, unknown, are_unlikely) in [
            (0, 0, false),
            (0, 1, true),
            (1, MANY, false),
            (1, MANY + 1, true),
            (20, MANY, false),
            (20, MANY + 1, true),
        ] {
            let records: Vec<Metered> = (0..known).map(|_| metered()).collect();
            let strangers: Vec<Metered> = (0..unknown).map(|_| metered()).collect();
            let all = records.iter().chain(&strangers);
            let all: Vec<Found> = all.map(|metered| found(metered, SETTLED_AFTER)).collect();
            let members = members("standard", &all);
            let differences = Differences::between(&records, &all, &members, None, NOW);
            assert_eq!(
                differences.are_unlikely(),
                are_unlikely,
                "{known} {unknown}"
            );
        }
    }
}
