//! What a table's records say of usage keys, and API Gateway does not.

use std::collections::{BTreeMap, BTreeSet};

use crate::usage_keys::{Found, value_of};
use keygate_api_key::ApiKeyId;
use keygate_key_record::{KeyRecord, Status};

/// How old a usage key must be before it counts as left over, in seconds: 15 minutes. One without
/// a record may belong to a key that is being issued.
const SETTLED_AFTER: u64 = 15 * 60;

/// The usage keys on each plan: API Gateway's ids, by the plan's name.
pub(crate) type Members = BTreeMap<String, BTreeSet<String>>;

/// Usage keys of a table, held against its records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Differences<'a> {
    /// How many keys have the usage key that they should have.
    pub(crate) in_order: usize,
    /// Usage keys whose key is gone, revoked or expired.
    pub(crate) left_over: Vec<&'a Found>,
    /// The same, too young to be sure.
    pub(crate) young: Vec<&'a Found>,
    /// Keys in use without their usage key, or with one that is not on their plan.
    pub(crate) lacking: Vec<&'a ApiKeyId>,
}

impl<'a> Differences<'a> {
    /// Compares them at `now` (epoch seconds).
    pub(crate) fn between(
        records: &'a [KeyRecord],
        found: &'a [Found],
        members: &Members,
        now: u64,
    ) -> Self {
        let mut differences = Self::default();
        let in_use: BTreeMap<&ApiKeyId, &KeyRecord> = records
            .iter()
            .filter(|record| needs_usage_key(record, now))
            .map(|record| (&record.id, record))
            .collect();
        let mut on_plan = BTreeSet::new();
        for usage_key in found {
            if let Some(record) = in_use.get(&usage_key.id) {
                let members = record
                    .usage_plan
                    .as_ref()
                    .and_then(|plan| members.get(plan));
                if members.is_some_and(|members| members.contains(&usage_key.key_id)) {
                    on_plan.insert(&usage_key.id);
                }
            } else if now.saturating_sub(usage_key.created_at) < SETTLED_AFTER {
                differences.young.push(usage_key);
            } else {
                differences.left_over.push(usage_key);
            }
        }
        differences.in_order = on_plan.len();
        differences.lacking = in_use
            .into_keys()
            .filter(|id| !on_plan.contains(id))
            .collect();
        differences
    }
}

/// Whether a key is in use and metered by a usage key of its own.
pub(crate) fn needs_usage_key(record: &KeyRecord, now: u64) -> bool {
    record.status == Status::Active
        && !record.is_expired(now)
        && record.usage_key == Some(value_of(&record.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_api_key::ApiKey;

    const NOW: u64 = 1_000_000;

    /// A key in use on the plan `standard`.
    fn record() -> KeyRecord {
        let key = ApiKey::generate().unwrap();
        KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: "me".to_owned(),
            name: "a".to_owned(),
            scopes: "books:read".parse().unwrap(),
            status: Status::Active,
            created_at: NOW,
            expires_at: None,
            usage_key: Some(value_of(key.id())),
            usage_plan: Some("standard".to_owned()),
            allowed_cidrs: Vec::new(),
        }
    }

    /// Its usage key, made `age` seconds ago.
    fn usage_key(record: &KeyRecord, age: u64) -> Found {
        Found {
            key_id: format!("at-api-gateway-{}", record.id),
            id: record.id.clone(),
            created_at: NOW - age,
        }
    }

    fn members(plan: &str, usage_keys: &[Found]) -> Members {
        let ids = usage_keys.iter().map(|usage_key| usage_key.key_id.clone());
        Members::from([(plan.to_owned(), ids.collect())])
    }

    #[test]
    fn a_key_in_use_lacks_its_usage_key_unless_that_is_on_its_plan() {
        let records = [record()];
        let found = [usage_key(&records[0], 0)];
        let standard = members("standard", &found);
        let differences = Differences::between(&records, &found, &standard, NOW);
        assert_eq!(differences.in_order, 1);
        assert!(differences.lacking.is_empty());
        for (found, members) in [
            (&found[..0], &standard),
            (&found[..], &members("standard", &[])),
            (&found[..], &members("partner", &found)),
            (&found[..], &Members::new()),
        ] {
            let differences = Differences::between(&records, found, members, NOW);
            assert_eq!(
                differences.lacking,
                [&records[0].id],
                "{found:?} {members:?}"
            );
            assert_eq!(differences.in_order, 0);
            assert!(differences.left_over.is_empty() && differences.young.is_empty());
        }
    }

    #[test]
    fn a_usage_key_is_left_over_when_its_key_is_gone_revoked_or_expired() {
        let (mut revoked, mut expired) = (record(), record());
        revoked.status = Status::Revoked;
        expired.expires_at = Some(NOW);
        let found = [&revoked, &expired, &record()].map(|record| usage_key(record, SETTLED_AFTER));
        let standard = members("standard", &found);
        let records = [revoked, expired];
        let differences = Differences::between(&records, &found, &standard, NOW);
        assert_eq!(differences.left_over, found.iter().collect::<Vec<_>>());
        assert_eq!(differences.in_order, 0);
        assert!(differences.lacking.is_empty() && differences.young.is_empty());
    }

    #[test]
    fn a_usage_key_without_a_key_is_young_for_15_minutes() {
        for (age, young) in [(0, 1), (SETTLED_AFTER - 1, 1), (SETTLED_AFTER, 0)] {
            let found = [usage_key(&record(), age)];
            let differences = Differences::between(&[], &found, &Members::new(), NOW);
            assert_eq!(differences.young.len(), young, "{age}");
            assert_eq!(differences.left_over.len(), 1 - young, "{age}");
        }
        // API Gateway's clock may be ahead.
        let mut ahead = [usage_key(&record(), 0)];
        ahead[0].created_at = NOW + 60;
        let differences = Differences::between(&[], &ahead, &Members::new(), NOW);
        assert_eq!(differences.young.len(), 1);
    }

    #[test]
    fn a_key_without_a_usage_key_of_its_own_lacks_none() {
        let (mut none, mut shared) = (record(), record());
        none.usage_key = None;
        shared.usage_key = Some("keygate-usage-default".to_owned());
        let records = [none, shared];
        let differences = Differences::between(&records, &[], &Members::new(), NOW);
        assert_eq!(differences, Differences::default());
    }
}
