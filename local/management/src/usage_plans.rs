//! `GetUsagePlans`, `GetUsagePlan`, `GetUsagePlanKeys`, `CreateUsagePlanKey` and
//! `DeleteUsagePlanKey`. The plans themselves are the template's.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keygate_gateway::{Control, Listed};
use keygate_model::UsagePlan;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{ApiError, Parameters, page};
use super::managed::Managed;
use super::usage_keys;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewMember {
    key_id: String,
    key_type: String,
}

/// `GET /usageplans`, all of them or those that one key is on.
pub(super) async fn list(
    Managed(control): Managed,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let query = Parameters::of(query, &["keyId", "limit", "position"])?;
    let limit = query.limit()?;
    let of_key = query.text("keyId").map(|id| {
        let listed = control.usage.key(id);
        listed.and_then(|listed| listed.plan)
    });
    let mut plans: Vec<&UsagePlan> = control.usage.plans().iter().collect();
    plans.sort_by(|one, other| one.id.cmp(&other.id));
    plans.retain(|plan| {
        let behind = query
            .text("position")
            .is_none_or(|after| plan.id.as_str() > after);
        let wanted = of_key.as_ref();
        behind && wanted.is_none_or(|id| id.as_ref() == Some(&plan.id))
    });
    plans.truncate(limit + 1);
    Ok(page(
        plans,
        limit,
        |plan| &plan.id,
        |plan| shown(plan, &control),
    ))
}

/// `GET /usageplans/{plan}`.
pub(super) async fn read(
    Managed(control): Managed,
    Path(plan): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(control.usage.plan(&plan)?, &control)))
}

/// `GET /usageplans/{plan}/keys`. The name is a beginning to look for. A plan that is not there has no
/// keys, and is no error.
pub(super) async fn keys(
    Managed(control): Managed,
    Path(plan): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let query = Parameters::of(query, &["name", "limit", "position"])?;
    let limit = query.limit()?;
    let beginning = query.text("name").unwrap_or_default();
    let found = control
        .usage
        .keys(query.text("position"), limit + 1, |listed| {
            listed.plan.as_deref() == Some(&plan) && listed.key.name.starts_with(beginning)
        });
    Ok(page(found, limit, usage_keys::id, member))
}

/// `POST /usageplans/{plan}/keys`.
pub(super) async fn put_on(
    Managed(control): Managed,
    Path(plan): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let new: NewMember =
        serde_json::from_slice(&body).map_err(|error| ApiError::bad_request(error.to_string()))?;
    if new.key_type != "API_KEY" {
        return Err(ApiError::bad_request("keyType must be API_KEY"));
    }
    let listed = control.usage.put_on(&new.key_id, &plan)?;
    Ok((StatusCode::CREATED, Json(member(&listed))).into_response())
}

/// `DELETE /usageplans/{plan}/keys/{id}`.
pub(super) async fn take_off(
    Managed(control): Managed,
    Path((plan, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    control.usage.take_off(&id, &plan)?;
    Ok(StatusCode::ACCEPTED)
}

fn member(listed: &Listed) -> Value {
    let key = &listed.key;
    let mut member = json!({"id": key.id, "type": "API_KEY", "value": key.value});
    if !key.name.is_empty() {
        member["name"] = json!(key.name);
    }
    member
}

fn shown(plan: &UsagePlan, control: &Control) -> Value {
    let stage = json!({"apiId": control.api_id, "stage": control.stage});
    let stages = plan.is_of_stage.then_some(stage);
    let stages: Vec<Value> = stages.into_iter().collect();
    let mut shown = json!({"id": plan.id, "name": plan.name, "apiStages": stages});
    if let Some(description) = &plan.description {
        shown["description"] = json!(description);
    }
    if !plan.tags.is_empty() {
        shown["tags"] = json!(plan.tags);
    }
    if let Some(throttle) = plan.throttle {
        shown["throttle"] = json!({"burstLimit": throttle.burst, "rateLimit": throttle.rate});
    }
    if let Some(quota) = plan.quota {
        let period = quota.period.name();
        shown["quota"] = json!({"limit": quota.limit, "offset": 0, "period": period});
    }
    shown
}
