//! `CreateApiKey`, `GetApiKeys`, `GetApiKey`, `DeleteApiKey`, and `TagResource` of an API key.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keygate_gateway::{Listed, Refused};
use keygate_model::UsageKey;
use keygate_model::deployment::REGION;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{ApiError, Parameters, page};
use super::managed::Managed;

/// How long texts may be, in characters.
const MIN_VALUE: usize = 20;
const MAX_VALUE: usize = 128;
const MAX_NAME: usize = 1024;
const MAX_DESCRIPTION: usize = 125_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewKey {
    name: Option<String>,
    description: Option<String>,
    /// A key that nobody enabled is refused.
    #[serde(default)]
    enabled: bool,
    value: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

impl NewKey {
    /// Holds the texts to their lengths; the words are API Gateway's.
    fn check(&self) -> Result<(), String> {
        let length = |text: &Option<String>| text.as_deref().map_or(0, |text| text.chars().count());
        if length(&self.name) > MAX_NAME {
            return Err(format!(
                "Invalid API Key name, can be at most {MAX_NAME} characters."
            ));
        }
        match length(&self.value) {
            // None, or none that says anything: one is made up.
            0 | MIN_VALUE..=MAX_VALUE => {}
            1..MIN_VALUE => {
                return Err(format!(
                    "API Key value should be at least {MIN_VALUE} characters"
                ));
            }
            _ => {
                return Err(format!(
                    "API Key value exceeds maximum size of {MAX_VALUE} characters"
                ));
            }
        }
        if length(&self.description) > MAX_DESCRIPTION {
            return Err("Invalid API Key description specified.".to_owned());
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTags {
    tags: BTreeMap<String, String>,
}

/// `POST /apikeys`.
pub(super) async fn create(Managed(control): Managed, body: Bytes) -> Result<Response, ApiError> {
    let new: NewKey =
        serde_json::from_slice(&body).map_err(|error| ApiError::bad_request(error.to_string()))?;
    new.check().map_err(ApiError::bad_request)?;
    let value = new.value.filter(|value| !value.is_empty());
    let value = value.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    // API Gateway's ids have ten characters.
    let id: String = Uuid::new_v4()
        .simple()
        .to_string()
        .chars()
        .take(10)
        .collect();
    let listed = control.usage.create(UsageKey {
        name: new.name.unwrap_or_default(),
        description: new.description.filter(|text| !text.is_empty()),
        enabled: new.enabled,
        id,
        value,
        tags: new.tags,
    })?;
    Ok((StatusCode::CREATED, Json(shown(&listed, true))).into_response())
}

/// `GET /apikeys`. The name is a beginning to look for.
pub(super) async fn list(
    Managed(control): Managed,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let known = ["name", "includeValues", "limit", "position"];
    let query = Parameters::of(query, &known)?;
    let limit = query.limit()?;
    let values = query.flag("includeValues")?;
    let beginning = query.text("name").unwrap_or_default();
    let found = control
        .usage
        .keys(query.text("position"), limit + 1, |listed| {
            listed.key.name.starts_with(beginning)
        });
    Ok(page(found, limit, id, |listed| shown(listed, values)))
}

/// `GET /apikeys/{id}`.
pub(super) async fn read(
    Managed(control): Managed,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let value = Parameters::of(query, &["includeValue"])?.flag("includeValue")?;
    let listed = control.usage.key(&id).ok_or(Refused::NoSuchKey)?;
    Ok(Json(shown(&listed, value)))
}

/// `DELETE /apikeys/{id}`.
pub(super) async fn delete(
    Managed(control): Managed,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    control.usage.delete(&id)?;
    Ok(StatusCode::ACCEPTED)
}

/// `PUT /tags/{arn}`, of a usage key.
pub(super) async fn tag(
    Managed(control): Managed,
    Path(arn): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    let new: NewTags =
        serde_json::from_slice(&body).map_err(|error| ApiError::bad_request(error.to_string()))?;
    let prefix = format!("arn:aws:apigateway:{REGION}::/apikeys/");
    let Some(id) = arn.strip_prefix(&prefix) else {
        let message = format!("the local gateway has tags of {prefix}ID alone");
        return Err(ApiError::bad_request(message));
    };
    control.usage.tag(id, new.tags)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key's id, as a page's position.
pub(super) fn id(listed: &Listed) -> &str {
    &listed.key.id
}

fn shown(listed: &Listed, value: bool) -> Value {
    let Listed {
        key, created_at, ..
    } = listed;
    let mut shown = json!({
        "id": key.id,
        "enabled": key.enabled,
        "createdDate": created_at,
        "lastUpdatedDate": created_at,
        "stageKeys": [],
    });
    let name = Some(&key.name).filter(|name| !name.is_empty());
    let tags = Some(&key.tags).filter(|tags| !tags.is_empty());
    for (member, value) in [
        ("name", name.map(|name| json!(name))),
        (
            "description",
            key.description.as_ref().map(|text| json!(text)),
        ),
        ("tags", tags.map(|tags| json!(tags))),
        ("value", value.then(|| json!(key.value))),
    ] {
        if let Some(value) = value {
            shown[member] = value;
        }
    }
    shown
}
