//! The routes of keys.

#[cfg(test)]
mod tests;

use keygate::api_key::{ApiKey, ApiKeyId, RandomnessUnavailable};
use keygate::key_record::{KeyRecord, PreviousSecret, Status, now};
use keygate::problem::{CONFLICT, INTERNAL_ERROR, NOT_FOUND, Problem, SERVICE_UNAVAILABLE};
use keygate::proxy::{self, Caller, Cursor, Page, ProxyRequest};
use lambda_http::http::StatusCode;
use lambda_http::http::header::{CACHE_CONTROL, HeaderValue, LOCATION, RETRY_AFTER};
use lambda_http::{Body, Response};

use crate::issue::{Order, within_callers};
use crate::representation::{Issued, Representation};
use crate::rotate;
use crate::store::{Store, StoreError};
use crate::usage_key::UsageKeys;

/// What the routes work on.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) store: Store,
    pub(crate) usage_keys: UsageKeys,
}

impl Keys {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
        let route = request.route()?;
        let caller = request.caller()?;
        if let Some(scope) = route.scope {
            caller.require(scope)?;
        }
        match (route.path, route.method.as_str()) {
            ("/keys", "POST") => self.issue(request, &caller).await,
            ("/keys", "GET") => self.list(request, &caller).await,
            ("/keys/{id}", "GET") => {
                let record = self.find(request, &caller).await?;
                proxy::json(200, &Representation::at(now(), &record))
            }
            ("/keys/{id}", "DELETE") => self.revoke(request, &caller).await,
            ("/keys/{id}/rotate", "POST") => self.rotate(request, &caller).await,
            _ => Err(Problem::new(
                &NOT_FOUND,
                "No route of keys has this address.",
            )),
        }
    }

    async fn issue(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let now = now();
        let order = Order::read(request, caller, &self.usage_keys, now)?;
        let key = ApiKey::generate().map_err(no_randomness)?;
        let (usage_plan, usage_key) = order.usage_key.map(|key| (key.plan, key.value)).unzip();
        let record = KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: caller.principal().to_owned(),
            name: order.name,
            scopes: order.scopes,
            status: Status::Active,
            created_at: now,
            expires_at: order.expires_at,
            usage_key,
            usage_plan,
            allowed_cidrs: Vec::new(),
        };
        if !self.store.create(&record).await.map_err(failed)? {
            // One in 10^21: the caller just asks again.
            let problem = Problem::new(&CONFLICT, "The new key's id is taken. Ask again.");
            return Err(problem.with_header(RETRY_AFTER, "1"));
        }
        tracing::info!(key_id = %record.id, owner = record.owner, "a key was issued");
        let mut response = show_once(201, &record, &key)?;
        let location = format!("{}/keys/{}", request.public_url(), record.id);
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }

    async fn list(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let limit = usize::try_from(request.limit()?).unwrap_or_default();
        let after = request.cursor()?;
        let listed = self.store.list(caller.principal(), limit, after).await;
        let (records, next) = listed.map_err(failed)?;
        let next_cursor = next.map(|position| Cursor::new(&position)).transpose();
        let next_cursor = next_cursor.map_err(|_| {
            Problem::new(&INTERNAL_ERROR, "The next page's cursor could not be made.")
        })?;
        let now = now();
        let entries = records.iter();
        let entries: Vec<_> = entries
            .map(|record| Representation::at(now, record))
            .collect();
        proxy::json(
            200,
            &Page {
                entries,
                next_cursor,
            },
        )
    }

    async fn revoke(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let id = id(request)?;
        let revoked = self.store.revoke(caller.principal(), &id).await;
        if !revoked.map_err(failed)? {
            return Err(not_found());
        }
        tracing::info!(key_id = %id, owner = caller.principal(), "a key was revoked");
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    async fn rotate(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let grace = rotate::grace_seconds(request)?;
        let mut record = self.find(request, caller).await?;
        let now = now();
        if record.status == Status::Revoked || record.is_expired(now) {
            return Err(Problem::new(
                &CONFLICT,
                "The key is revoked or expired. Issue a new one.",
            ));
        }
        // The answer holds a working key: it must not open more than the caller may.
        within_callers(&record.scopes, caller)?;
        let key = ApiKey::generate_for(record.id.clone()).map_err(no_randomness)?;
        let previous = (grace > 0).then(|| PreviousSecret {
            hash: record.secret,
            until: now + grace,
        });
        let rotated = self.store.rotate(&record, &key, previous.as_ref()).await;
        if !rotated.map_err(failed)? {
            return Err(Problem::new(
                &CONFLICT,
                "The key was changed at the same time. Read it again.",
            ));
        }
        tracing::info!(key_id = %record.id, owner = record.owner, grace, "a key was rotated");
        record.previous = previous;
        record.secret = key.secret_hash();
        show_once(200, &record, &key)
    }

    async fn find(&self, request: &ProxyRequest, caller: &Caller) -> Result<KeyRecord, Problem> {
        let found = self.store.get(caller.principal(), &id(request)?).await;
        found.map_err(failed)?.ok_or_else(not_found)
    }
}

/// The one answer that shows the whole key; no cache may keep it.
fn show_once(status: u16, record: &KeyRecord, key: &ApiKey) -> Result<Response<Body>, Problem> {
    let issued = Issued {
        record: Representation::at(now(), record),
        key: key.expose(),
    };
    let mut response = proxy::json(status, &issued)?;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The key's id in the path; what is none names no key.
fn id(request: &ProxyRequest) -> Result<ApiKeyId, Problem> {
    let id = request.path_parameter("id").unwrap_or_default();
    id.parse().map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(&NOT_FOUND, "There is no key of yours with this id.")
}

fn no_randomness(error: RandomnessUnavailable) -> Problem {
    tracing::error!(%error);
    Problem::new(&SERVICE_UNAVAILABLE, "A key cannot be made now.").with_header(RETRY_AFTER, "1")
}

fn failed(error: StoreError) -> Problem {
    match error {
        StoreError::Table(error) => error.into_problem(),
        StoreError::Malformed(error) => {
            tracing::error!(%error);
            Problem::new(&INTERNAL_ERROR, "The key cannot be read.")
        }
    }
}
