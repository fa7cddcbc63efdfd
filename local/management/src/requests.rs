//! The latest requests, for `keygate why`: this program's own, beside API Gateway's API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use keygate_gateway::trip::Trip;
use keygate_gateway::trips::{Found, Trips};

use super::answer::ApiError;

/// One request, by its id or the beginning of it.
pub(super) async fn read(
    State(trips): State<Arc<Trips>>,
    Path(id): Path<String>,
) -> Result<Json<Trip>, ApiError> {
    match trips.find(&id) {
        Found::One(trip) => Ok(Json(*trip)),
        Found::Several => Err(ApiError::not_found(format!(
            "the ids of several requests begin with {id}: give the whole id"
        ))),
        Found::None => Err(ApiError::not_found(format!(
            "the running gateway knows no request {id}: it keeps the latest {} since its start",
            keygate_gateway::trips::MAX_TRIPS
        ))),
    }
}
