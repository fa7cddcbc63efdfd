//! The usage keys of the stage: those of the template, and those that calls of API Gateway make
//! and delete while requests are served. They live in memory.

mod succession;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use jiff::civil::Date;
use keygate_key_record::now;
use keygate_model::{UsageKey, UsagePlan};

use super::usage_plan::{self, ImpossibleThrottle, Meter, Refusal};
use crate::trip::PlanLeft;

/// Usage plans with the keys on them.
#[derive(Debug)]
pub struct Usage {
    plans: Vec<UsagePlan>,
    keys: RwLock<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    by_id: BTreeMap<String, Listed>,
    /// The keys on a plan by their value, for the requests, which hold the lock for a look only.
    meters: HashMap<String, Arc<Meter>>,
}

/// A usage key as a list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The key.
    pub key: UsageKey,
    /// Epoch seconds.
    pub created_at: u64,
    /// The id of the plan that the key is on.
    pub plan: Option<String>,
}

/// Why usage keys are not changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another key has its value or its id.
    #[error("API Key already exists")]
    ValueTaken,
    /// There is no key of this id.
    #[error("Invalid API Key identifier specified")]
    NoSuchKey,
    /// There is no plan of this id.
    #[error("Invalid Usage Plan ID specified")]
    NoSuchPlan,
    /// There is nothing to change.
    #[error("The API key is on this usage plan already")]
    OnPlan,
    /// API Gateway could not tell which of the two counts a request.
    #[error("The API key is on another usage plan of the same stage")]
    OnAnotherPlan,
    /// It cannot be taken off a plan that it is not on.
    #[error("The API key is not on this usage plan")]
    NotOnPlan,
}

impl Usage {
    /// The template's plans, with the keys that it puts on them.
    pub(super) fn new(plans: Vec<UsagePlan>) -> Result<Self, ImpossibleThrottle> {
        let mut keys = Keys::default();
        let created_at = now();
        for plan in &plans {
            usage_plan::check(plan)?;
            for key in &plan.keys {
                if plan.is_of_stage {
                    let meter = Arc::new(Meter::new(plan, key)?);
                    keys.meters.insert(key.value.clone(), meter);
                }
                let listed = Listed {
                    key: key.clone(),
                    created_at,
                    plan: Some(plan.id.clone()),
                };
                keys.by_id.insert(key.id.clone(), listed);
            }
        }
        Ok(Self {
            plans,
            keys: RwLock::new(keys),
        })
    }

    /// Counts a request of the usage key of this value, and gives the key's id. A request that is
    /// refused is not counted. `method` is the route's key.
    pub fn admit(
        &self,
        value: Option<&str>,
        method: &str,
        now: Timestamp,
    ) -> Result<Arc<str>, Refusal> {
        let meter = value.and_then(|value| self.read().meters.get(value).cloned());
        meter.ok_or(Refusal::UnknownKey)?.admit(method, now)
    }

    /// The plans, of which the template is the only source.
    pub fn plans(&self) -> &[UsagePlan] {
        &self.plans
    }

    /// A key by its id.
    pub fn key(&self, id: &str) -> Option<Listed> {
        self.read().by_id.get(id).cloned()
    }

    /// Up to `limit` keys that fit, in the order of their ids, behind the id `after`.
    pub fn keys(
        &self,
        after: Option<&str>,
        limit: usize,
        fits: impl Fn(&Listed) -> bool,
    ) -> Vec<Listed> {
        let keys = self.read();
        let behind = keys
            .by_id
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let fitting = behind.map(|(_, listed)| listed).filter(|key| fits(key));
        fitting.take(limit).cloned().collect()
    }

    /// What a key's requests on some days were, and what was left of its plan's quota, where it has
    /// one; nothing where the key is on no plan.
    pub fn of_days(&self, key: &UsageKey, days: &[Date]) -> Vec<(u64, Option<u64>)> {
        match self.read().meters.get(&key.value) {
            Some(meter) => days.iter().map(|day| meter.of_day(*day)).collect(),
            None => Vec::new(),
        }
    }

    /// What is left to the usage key of this value: to a method, by its route's key, or to its plan.
    #[must_use]
    pub fn left(&self, value: &str, method: Option<&str>) -> Option<PlanLeft> {
        let meter = self.read().meters.get(value).cloned();
        Some(meter?.left(method, Timestamp::now()))
    }

    /// Adds a key that is on no plan yet.
    pub fn create(&self, key: UsageKey) -> Result<Listed, Refused> {
        let mut keys = self.write();
        let mut all = keys.by_id.values();
        if all.any(|other| other.key.value == key.value || other.key.id == key.id) {
            return Err(Refused::ValueTaken);
        }
        let listed = Listed {
            created_at: now(),
            plan: None,
            key,
        };
        keys.by_id.insert(listed.key.id.clone(), listed.clone());
        Ok(listed)
    }

    /// Deletes a key: the next request that it is to meter is refused.
    pub fn delete(&self, id: &str) -> Result<(), Refused> {
        let mut keys = self.write();
        let listed = keys.by_id.remove(id).ok_or(Refused::NoSuchKey)?;
        keys.meters.remove(&listed.key.value);
        Ok(())
    }

    /// Tags a key, besides the tags that it has.
    pub fn tag(&self, id: &str, tags: BTreeMap<String, String>) -> Result<(), Refused> {
        let mut keys = self.write();
        let listed = keys.by_id.get_mut(id).ok_or(Refused::NoSuchKey)?;
        listed.key.tags.extend(tags);
        Ok(())
    }

    /// Puts a key on a plan, with nothing spent.
    pub fn put_on(&self, id: &str, plan_id: &str) -> Result<Listed, Refused> {
        let mut keys = self.write();
        let plan = self.plan(plan_id)?;
        let listed = keys.by_id.get_mut(id).ok_or(Refused::NoSuchKey)?;
        match listed.plan.as_deref() {
            None => {}
            Some(on) if on == plan_id => return Err(Refused::OnPlan),
            Some(_) => return Err(Refused::OnAnotherPlan),
        }
        // Checked at start, so this does not happen.
        let meter = Meter::new(plan, &listed.key).map_err(|_| Refused::NoSuchPlan)?;
        listed.plan = Some(plan_id.to_owned());
        let listed = listed.clone();
        if plan.is_of_stage {
            let value = listed.key.value.clone();
            keys.meters.insert(value, Arc::new(meter));
        }
        Ok(listed)
    }

    /// Takes a key off a plan.
    pub fn take_off(&self, id: &str, plan_id: &str) -> Result<(), Refused> {
        let mut keys = self.write();
        self.plan(plan_id)?;
        let listed = keys.by_id.get_mut(id).ok_or(Refused::NotOnPlan)?;
        if listed.plan.as_deref() != Some(plan_id) {
            return Err(Refused::NotOnPlan);
        }
        listed.plan = None;
        let value = listed.key.value.clone();
        keys.meters.remove(&value);
        Ok(())
    }

    /// A plan by its id.
    pub fn plan(&self, id: &str) -> Result<&UsagePlan, Refused> {
        let plan = self.plans.iter().find(|plan| plan.id == id);
        plan.ok_or(Refused::NoSuchPlan)
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use keygate_model::{Period, Quota};

    use super::*;

    fn usage() -> Usage {
        let plan = |id: &str, limit| UsagePlan {
            id: id.into(),
            name: id.into(),
            description: None,
            tags: BTreeMap::new(),
            is_of_stage: true,
            throttle: None,
            method_throttles: BTreeMap::new(),
            quota: Some(Quota {
                limit,
                period: Period::Day,
            }),
            keys: Vec::new(),
        };
        Usage::new(vec![plan("small", 1), plan("large", 3)]).unwrap()
    }

    fn key(id: &str) -> UsageKey {
        UsageKey {
            id: id.into(),
            name: format!("name of {id}"),
            description: None,
            value: format!("value of {id}"),
            enabled: true,
            tags: BTreeMap::new(),
        }
    }

    fn admit(usage: &Usage, id: &str) -> Result<String, Refusal> {
        let value = format!("value of {id}");
        let admitted = usage.admit(Some(&value), "/books/GET", Timestamp::UNIX_EPOCH);
        admitted.map(|id| id.to_string())
    }

    #[test]
    fn a_key_that_is_missing_unknown_or_disabled_is_refused() {
        let usage = usage();
        let now = Timestamp::UNIX_EPOCH;
        let mut off = key("off");
        off.enabled = false;
        usage.create(off).unwrap();
        usage.put_on("off", "small").unwrap();
        for value in [None, Some(""), Some("value of a"), Some("value of off")] {
            let admitted = usage.admit(value, "/books/GET", now);
            assert_eq!(admitted, Err(Refusal::UnknownKey), "{value:?}");
        }
    }

    #[test]
    fn a_key_is_metered_by_itself_once_it_is_on_a_plan_and_refused_once_it_is_deleted() {
        let usage = usage();
        for id in ["a", "b"] {
            usage.create(key(id)).unwrap();
            assert_eq!(admit(&usage, id), Err(Refusal::UnknownKey));
            usage.put_on(id, "small").unwrap();
        }
        assert_eq!(admit(&usage, "a"), Ok("a".to_owned()));
        assert_eq!(admit(&usage, "a"), Err(Refusal::QuotaExceeded));
        assert_eq!(admit(&usage, "b"), Ok("b".to_owned()));
        usage.delete("a").unwrap();
        assert_eq!(admit(&usage, "a"), Err(Refusal::UnknownKey));
        assert_eq!(usage.delete("a"), Err(Refused::NoSuchKey));
    }

    #[test]
    fn a_plan_that_does_not_cover_the_stage_lets_nobody_in() {
        let Usage { mut plans, .. } = usage();
        plans[0].is_of_stage = false;
        plans[0].keys.push(key("of the template"));
        let usage = Usage::new(plans).unwrap();
        usage.create(key("a")).unwrap();
        usage.put_on("a", "small").unwrap();
        for id in ["a", "of the template"] {
            assert_eq!(usage.key(id).unwrap().plan.as_deref(), Some("small"));
            assert_eq!(admit(&usage, id), Err(Refusal::UnknownKey));
        }
    }

    #[test]
    fn a_key_is_on_one_plan_at_a_time() {
        let usage = usage();
        usage.create(key("a")).unwrap();
        assert_eq!(usage.put_on("a", "x").unwrap_err(), Refused::NoSuchPlan);
        assert_eq!(usage.put_on("x", "small").unwrap_err(), Refused::NoSuchKey);
        usage.put_on("a", "small").unwrap();
        assert_eq!(usage.put_on("a", "small").unwrap_err(), Refused::OnPlan);
        let other = usage.put_on("a", "large").unwrap_err();
        assert_eq!(other, Refused::OnAnotherPlan);
        assert_eq!(usage.take_off("a", "large"), Err(Refused::NotOnPlan));
        usage.take_off("a", "small").unwrap();
        assert_eq!(admit(&usage, "a"), Err(Refusal::UnknownKey));
        usage.put_on("a", "large").unwrap();
        for _ in 0..3 {
            assert!(admit(&usage, "a").is_ok());
        }
    }

    #[test]
    fn a_change_of_the_template_leaves_called_for_keys_and_counted_requests_as_they_are() {
        let former = usage();
        for (id, plan) in [("a", "small"), ("b", "large"), ("gone", "large")] {
            former.create(key(id)).unwrap();
            former.put_on(id, plan).unwrap();
        }
        assert!(admit(&former, "a").is_ok());
        assert!(admit(&former, "b").is_ok());
        let Usage { mut plans, .. } = usage();
        plans.retain(|plan| plan.id == "large");
        plans[0].keys.push(key("gone"));
        plans[0].quota = Some(Quota {
            limit: 2,
            period: Period::Day,
        });
        let changed = Usage::new(plans).unwrap();
        changed.succeed(&former);
        assert_eq!(changed.key("a").unwrap().plan, None);
        assert_eq!(admit(&changed, "a"), Err(Refusal::UnknownKey));
        assert!(admit(&changed, "b").is_ok());
        assert_eq!(admit(&changed, "b"), Err(Refusal::QuotaExceeded));
        assert!(admit(&changed, "gone").is_ok());
        // What the former still serves counts as well.
        assert!(admit(&former, "gone").is_ok());
        assert_eq!(admit(&changed, "gone"), Err(Refusal::QuotaExceeded));
    }

    #[test]
    fn a_key_that_the_template_has_no_more_is_no_key_of_the_changed_one() {
        let Usage { mut plans, .. } = usage();
        plans[0].keys.push(key("given"));
        let former = Usage::new(plans).unwrap();
        let changed = usage();
        changed.succeed(&former);
        assert!(changed.key("given").is_none());
        assert_eq!(admit(&changed, "given"), Err(Refusal::UnknownKey));
    }

    #[test]
    fn no_two_keys_have_one_value() {
        let usage = usage();
        usage.create(key("a")).unwrap();
        let mut other = key("b");
        other.value = key("a").value;
        assert_eq!(usage.create(other).unwrap_err(), Refused::ValueTaken);
    }

    #[test]
    fn a_list_goes_on_behind_an_id_that_is_gone() {
        let usage = usage();
        for id in ["a", "b", "c", "d"] {
            usage.create(key(id)).unwrap();
        }
        usage.delete("b").unwrap();
        let listed = usage.keys(Some("b"), 1, |_| true);
        assert_eq!(listed[0].key.id, "c");
        let listed = usage.keys(None, 10, |listed| listed.key.name.ends_with('d'));
        assert_eq!(listed.len(), 1);
    }
}
