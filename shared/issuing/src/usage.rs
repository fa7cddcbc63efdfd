//! How often a key or a client was used, day by day.

use jiff::civil::Date;
use serde::Serialize;
use tokio::time::Instant;

use crate::apigateway::ApiGatewayError;
use crate::counted::Counted;
use crate::days::Days;
use crate::deadline::{LIMIT, READ_LIMIT, by};
use crate::failure::Failure;
use crate::holder::Metered;
use crate::issuing::Issuing;
use keygate_key_record::{KeyRecord, RegisteredClient, now};

/// How many pages the usage of one key may have; it takes one.
const PAGES: usize = 4;

/// What API Gateway counted of one key or client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    #[serde(rename = "usage_plan")]
    plan: Option<String>,
    from: Date,
    to: Date,
    /// All of them together.
    requests: u64,
    /// What was left of the quota at the end of the last day, or is left now; nothing where that is not
    /// known, as of a plan without a quota.
    remaining: Option<u64>,
    days: Vec<Day>,
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
    /// How many requests were counted.
    pub requests: u64,
}

/// Why there is no usage.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// A service did not do its part.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// No usage key counts it by itself.
    #[error("it has no usage key of its own on a usage plan, so nobody counts its requests")]
    NotMetered,
    /// Its usage plan is none of those that are known here.
    #[error("its usage plan {0} is not configured here, so what API Gateway counts is not found")]
    PlanNotConfigured(String),
    /// It was shut out or has expired, and its usage key is gone.
    #[error("its usage key is deleted, and its usage with it")]
    Ended,
}

impl Usage {
    /// The sum of all days.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What is left of the quota.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        self.remaining
    }

    /// Each day.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    fn of(plan: Option<String>, days: Days, counted: &[Counted]) -> Self {
        let on = |date: Date| counted.iter().find(|counted| counted.day == date);
        let all: Vec<Day> = days
            .iter()
            .map(|date| Day {
                date,
                requests: on(date).map_or(0, |counted| counted.requests),
            })
            .collect();
        Self {
            plan,
            from: days.from,
            to: days.to,
            requests: all.iter().map(|day| day.requests).sum(),
            remaining: on(days.to).and_then(|counted| counted.remaining),
            days: all,
        }
    }
}

impl Issuing {
    /// How often a key was used on these days.
    ///
    /// # Errors
    /// When no usage key counts it, that is gone, or API Gateway does not answer.
    pub async fn usage_of_key(&self, record: &KeyRecord, days: Days) -> Result<Usage, UsageError> {
        self.usage(Metered::of_key(record, now()), days).await
    }

    /// How often a registered client was used on these days.
    ///
    /// # Errors
    /// When no usage key counts it, that is gone, or API Gateway does not answer.
    pub async fn usage_of_client(
        &self,
        client: &RegisteredClient,
        days: Days,
    ) -> Result<Usage, UsageError> {
        self.usage(Metered::of_client(client), days).await
    }

    async fn usage(&self, metered: Option<Metered>, days: Days) -> Result<Usage, UsageError> {
        let deadline = Instant::now() + LIMIT - READ_LIMIT;
        let metering = self.metering.as_ref().ok_or(UsageError::NotMetered)?;
        let metered = metered.ok_or(UsageError::NotMetered)?;
        let key_id = metered.usage_key_id.ok_or(UsageError::NotMetered)?;
        let name = metered.plan.ok_or(UsageError::NotMetered)?;
        let Some(plan) = metering.plans().find(Some(&name)) else {
            return Err(UsageError::PlanNotConfigured(name));
        };
        let plan_id = by(deadline, metering.plan_id(&plan.target)).await?;
        let counted = metering.counted(&plan_id, Some(&key_id), days, PAGES);
        let Some(counted) = by(deadline, counted).await? else {
            // Or a deployment has made the plan anew: look it up again next time.
            metering.forget_plans().await;
            if metered.is_in_use {
                let words = "the usage key or its plan is not there".to_owned();
                return Err(Failure::from(ApiGatewayError::Unavailable(words)).into());
            }
            return Err(UsageError::Ended);
        };
        let own = counted.into_iter().find(|(id, _)| *id == key_id);
        let (_, counted) = own.unwrap_or_default();
        Ok(Usage::of(Some(plan.name.clone()), days, &counted))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn days(from: &str, to: &str) -> Days {
        Days {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        }
    }

    fn counted(day: &str, requests: u64, remaining: Option<u64>) -> Counted {
        Counted {
            day: day.parse().unwrap(),
            requests,
            remaining,
        }
    }

    #[test]
    fn a_day_on_which_nothing_was_counted_has_no_requests() {
        let days = days("2026-11-24", "2026-11-26");
        let counted = [
            counted("2026-11-24", 3, Some(97)),
            counted("2026-11-26", 2, Some(98)),
        ];
        let usage = Usage::of(Some("standard".to_owned()), days, &counted);
        let expected = json!({
            "usage_plan": "standard", "from": "2026-11-24", "to": "2026-11-26", "requests": 5,
            "remaining": 98, "days": [
                {"date": "2026-11-24", "requests": 3}, {"date": "2026-11-25", "requests": 0},
                {"date": "2026-11-26", "requests": 2},
            ],
        });
        assert_eq!(serde_json::to_value(usage).unwrap(), expected);
    }

    #[test]
    fn of_a_key_that_was_never_used_nothing_is_known_to_be_left() {
        let usage = Usage::of(None, days("2026-11-26", "2026-11-26"), &[]);
        assert_eq!((usage.requests(), usage.remaining()), (0, None));
        assert_eq!(usage.days().len(), 1);
    }
}
