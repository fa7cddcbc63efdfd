//! `GetAuthorizers` and `FlushStageAuthorizersCache`. The authorizers themselves are the template's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use keygate_gateway::Control;
use keygate_model::{Authorizer, AuthorizerEvents, IdentitySource};
use serde_json::{Value, json};

use super::answer::{ApiError, Parameters, page};
use super::managed::Managed;

/// `GET /restapis/{api}/authorizers`.
pub(super) async fn list(
    Managed(control): Managed,
    Path(api): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, ApiError> {
    let query = Parameters::of(query, &["limit", "position"])?;
    let limit = query.limit()?;
    is_of(&control, &api)?;
    let behind = |name: &str| query.text("position").is_none_or(|after| name > after);
    let listed = control.authorizers().filter(|(name, _)| behind(name));
    Ok(page(
        listed.take(limit + 1).collect(),
        limit,
        |(name, _)| name,
        |(name, authorizer)| shown(name, authorizer),
    ))
}

/// `DELETE /restapis/{api}/stages/{stage}/cache/authorizers`.
pub(super) async fn flush(
    Managed(control): Managed,
    Path((api, stage)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    is_of(&control, &api)?;
    if stage != control.stage {
        return Err(ApiError::not_found("Invalid stage identifier specified"));
    }
    control.flush_authorizers();
    Ok(StatusCode::ACCEPTED)
}

fn is_of(control: &Control, api: &str) -> Result<(), ApiError> {
    if api == control.api_id {
        return Ok(());
    }
    Err(ApiError::not_found("Invalid API identifier specified"))
}

fn shown(name: &str, authorizer: &Authorizer) -> Value {
    let (kind, sources) = match &authorizer.events {
        AuthorizerEvents::Token { header, .. } => {
            ("TOKEN", IdentitySource::Header(header.clone()).to_string())
        }
        AuthorizerEvents::Request { sources } => {
            let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
            ("REQUEST", sources.join(", "))
        }
    };
    json!({
        "id": name,
        "name": name,
        "type": kind,
        "authType": "custom",
        "identitySource": sources,
        "authorizerResultTtlInSeconds": authorizer.result_ttl.as_secs(),
    })
}
