//! `GetUsage`: what the usage keys of a plan have spent of it, by day.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query};
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use keygate_gateway::{Refused, day};
use serde_json::{Map, Value, json};

use super::answer::{ApiError, Parameters};
use super::managed::Managed;

/// How many days there is usage of, today among them.
const KEPT: i32 = 90;

/// `GET /usageplans/{plan}/usage`. Of a key that is on the plan there is a pair for each day from the
/// first on that has come, used and left; of a plan without a quota, for which AWS documents none, used
/// alone.
pub(super) async fn read(
    Managed(control): Managed,
    Path(plan): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let known = ["keyId", "startDate", "endDate", "limit", "position"];
    let query = Parameters::of(query, &known)?;
    let limit = query.limit()?;
    let (first, last) = (date(&query, "startDate")?, date(&query, "endDate")?);
    let days = days(first, last, day(Timestamp::now()))?;
    control.usage.plan(&plan)?;
    let of_key = query.text("keyId");
    if let Some(id) = of_key {
        control.usage.key(id).ok_or(Refused::NoSuchKey)?;
    }
    let mut keys = control
        .usage
        .keys(query.text("position"), limit + 1, |listed| {
            listed.plan.as_deref() == Some(&plan) && of_key.is_none_or(|id| listed.key.id == id)
        });
    let more = keys.len() > limit;
    keys.truncate(limit);
    let mut usage = json!({"usagePlanId": plan, "startDate": first, "endDate": last});
    if let Some(last) = keys.last().filter(|_| more) {
        usage["position"] = json!(last.key.id);
    }
    let values = keys.into_iter().map(|listed| {
        let days = control.usage.of_days(&listed.key, &days).into_iter();
        let pairs = days.map(|(used, left)| match left {
            Some(left) => json!([used, left]),
            None => json!([used]),
        });
        (listed.key.id, pairs.collect())
    });
    usage["values"] = Value::Object(values.collect::<Map<_, _>>());
    Ok(Json(usage))
}

fn date(query: &Parameters, name: &str) -> Result<Date, ApiError> {
    let text = query.text(name).unwrap_or_default();
    let read: Option<Date> = text.parse().ok();
    let date = read.filter(|date| date.to_string() == text);
    date.ok_or_else(|| ApiError::bad_request(format!("{name} is a date such as 2026-01-31")))
}

/// The days that have come.
fn days(first: Date, last: Date, today: Date) -> Result<Vec<Date>, ApiError> {
    if first > last {
        return Err(ApiError::bad_request("startDate is after endDate"));
    }
    if first < today.saturating_sub(Span::new().days(KEPT - 1)) {
        let message = format!("usage is kept for {KEPT} days");
        return Err(ApiError::bad_request(message));
    }
    let days = first.series(Span::new().days(1));
    Ok(days.take_while(|day| *day <= last.min(today)).collect())
}
