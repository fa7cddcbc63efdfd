//! When keys were last used, by day: what a list of keys says beside their records.
//!
//! It is read plan by plan from API Gateway, 500 usage keys a call, and remembered for a minute, so that
//! a list of many pages reads it once. Nothing is written where keys are used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;
use tokio::time::Instant;

use crate::apigateway::ApiGatewayError;
use crate::days::{Days, today};
use crate::deadline::by;
use crate::failure::Failure;
use crate::holder::Metered;
use crate::issuing::Issuing;
use crate::metering::Metering;
use crate::remembered::{OfPlan, Unread};
use crate::representation::Representation;
use keygate_key_record::{KeyRecord, now};

/// How many calls a plan's usage may take. API Gateway has 10,000 API keys in an account and region,
/// which are 20 pages.
const PAGES: usize = 20;
/// How long reading it may take, out of the function's 10 s.
const READING: Duration = Duration::from_secs(4);
/// When keys were last used, as far as that is known.
#[derive(Debug, Default)]
pub struct LastUsed {
    since: Option<Date>,
    /// By the names of their plans.
    plans: BTreeMap<String, Arc<OfPlan>>,
}

/// When a key was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum LastUse {
    /// On this day.
    On(Date),
    /// On no day since [`LastUsed::since`]: `null`.
    NotSince,
    /// Nobody knows: API Gateway does not count the key by itself, or no longer, or did not say.
    Unknown,
}

/// A key in a list.
#[derive(Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    record: Representation,
    #[serde(skip_serializing_if = "LastUse::is_unknown")]
    last_used: LastUse,
}

impl LastUse {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

impl LastUsed {
    /// From which day on usage was looked at; nothing where it was not.
    #[must_use]
    pub fn since(&self) -> Option<Date> {
        self.since
    }

    /// When a key was last used, at `now` (epoch seconds).
    #[must_use]
    pub fn of(&self, now: u64, record: &KeyRecord) -> LastUse {
        let Some(metered) = Metered::of_key(record, now) else {
            return LastUse::Unknown;
        };
        let plan = metered.plan.as_deref();
        let plan = plan.and_then(|name| self.plans.get(name));
        match (plan, metered.usage_key_id.as_deref()) {
            (Some(plan), Some(key_id)) => match plan.get(key_id) {
                Some(day) => LastUse::On(*day),
                None if metered.is_in_use => LastUse::NotSince,
                // Its usage goes with its usage key.
                None => LastUse::Unknown,
            },
            _ => LastUse::Unknown,
        }
    }

    /// A key with when it was last used, at `now` (epoch seconds).
    #[must_use]
    pub fn list(&self, now: u64, record: &KeyRecord) -> Listed {
        Listed {
            record: Representation::at(now, record),
            last_used: self.of(now, record),
        }
    }
}

impl Issuing {
    /// When each of these keys was last used, within the last 30 days. For each plan that they are on
    /// it takes a call for 500 usage keys of the plan, up to 10,000 of them.
    ///
    /// # Errors
    /// When API Gateway does not answer in time, or refuses.
    pub async fn last_used(&self, records: &[KeyRecord]) -> Result<LastUsed, Failure> {
        let Some(metering) = &self.metering else {
            return Ok(LastUsed::default());
        };
        let deadline = Instant::now() + READING;
        let days = Days::usual(today());
        let now = now();
        let metered = records
            .iter()
            .filter_map(|record| Metered::of_key(record, now));
        let mut plans = BTreeMap::new();
        for name in metered.filter_map(|metered| metered.plan) {
            let plan = metering.plans().find(Some(&name));
            if let (Some(plan), false) = (plan, plans.contains_key(&name)) {
                let read = by(deadline, metering.last_used(&plan.target, days)).await;
                if read.is_err() {
                    // The next page of the list asks as little as after an answer.
                    metering
                        .last_used
                        .insert(&plan.target, days.from, Err(Unread));
                }
                plans.insert(name, read?);
            }
        }
        let since = (!metering.plans().is_empty()).then_some(days.from);
        Ok(LastUsed { since, plans })
    }
}

impl Metering {
    async fn last_used(&self, target: &str, days: Days) -> Result<Arc<OfPlan>, ApiGatewayError> {
        if let Some(plan) = self.last_used.get(target, days.from) {
            return plan.map_err(|unread| ApiGatewayError::Unavailable(unread.to_string()));
        }
        let plan_id = self.plan_id(target).await?;
        let Some(counted) = self.counted(&plan_id, None, days, PAGES).await? else {
            self.forget_plans().await;
            let words = format!("the usage plan {target} is not there");
            return Err(ApiGatewayError::Unavailable(words));
        };
        let used = counted.into_iter().filter_map(|(key_id, counted)| {
            let mut used = counted.iter().filter(|counted| counted.requests > 0);
            Some((key_id, used.next_back()?.day))
        });
        let plan: Arc<OfPlan> = Arc::new(used.collect());
        self.last_used
            .insert(target, days.from, Ok(Arc::clone(&plan)));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rig::key_of;
    use crate::usage_key::value_of;
    use keygate_key_record::Status;

    #[test]
    fn a_day_is_said_as_far_as_it_is_known() {
        let (mut record, _) = key_of("me", 1_000);
        record.usage_key = Some(value_of(&record.id));
        record.usage_key_id = Some("a1b2c3d4e5".to_owned());
        record.usage_plan = Some("standard".to_owned());
        let last_used = |plan: &str, key_id: &str| LastUsed {
            since: None,
            plans: [(
                plan.to_owned(),
                Arc::new([(key_id.to_owned(), "2026-11-24".parse().unwrap())].into()),
            )]
            .into(),
        };
        let known = last_used("standard", "a1b2c3d4e5");
        let unused = last_used("standard", "other");
        let listed = |last_used: &LastUsed, record: &KeyRecord| {
            serde_json::to_value(last_used.list(2_000, record)).unwrap()
        };
        assert_eq!(listed(&known, &record)["last_used"], "2026-11-24");
        assert_eq!(listed(&known, &record)["name"], "by hand");
        assert_eq!(
            listed(&unused, &record).get("last_used"),
            Some(&json!(null))
        );
        let elsewhere = last_used("partner", "a1b2c3d4e5");
        assert_eq!(listed(&elsewhere, &record).get("last_used"), None);
        // The usage of a key that has ended goes with its usage key.
        record.status = Status::Revoked;
        assert_eq!(listed(&known, &record)["last_used"], "2026-11-24");
        assert_eq!(listed(&unused, &record).get("last_used"), None);
        record.usage_key = None;
        assert_eq!(listed(&known, &record).get("last_used"), None);
    }
}
