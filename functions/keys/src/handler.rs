//! The routes of keys, and the way to those of clients.

use jiff::civil::Date;
use keygate_api_key::ApiKeyId;
use keygate_issuing::{Issued, LastUsed, Listed, Representation, WithKey};
use keygate_key_record::{KeyRecord, now};
use keygate_problem::{NOT_FOUND, Problem};
use keygate_proxy::{self as proxy, Caller, Page, ProxyRequest};
use lambda_http::http::header::{CACHE_CONTROL, HeaderValue};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::clients;
use crate::deployment::Keys;
use crate::issue::{order, within_callers};
use crate::refusal::{self, not_found};
use crate::rotate;
use crate::stage::{stage, warn_of};
use crate::usage;

/// A page of keys.
#[derive(Debug, Serialize)]
struct KeyPage {
    #[serde(flatten)]
    page: Page<Listed>,
    /// From which day on usage was looked at; `null` where API Gateway did not say it.
    last_used_since: Option<Date>,
}

impl Keys {
    /// Answers one request.
    ///
    /// # Errors
    /// What the client is told instead, such as 404 for a key that is not the caller's.
    pub async fn answer(&self, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
        let caller = request.caller()?;
        match (request.method().as_str(), request.resource_path()) {
            ("POST", "/keys") => self.issue(request, &caller).await,
            ("GET", "/keys") => self.list(request, &caller).await,
            ("GET", "/keys/{id}") => {
                let record = self.find(request, &caller).await?;
                proxy::json(200, &Representation::at(now(), &record))
            }
            ("DELETE", "/keys/{id}") => self.revoke(request, &caller).await,
            ("POST", "/keys/{id}/rotate") => self.rotate(request, &caller).await,
            ("GET", "/keys/{id}/usage") => {
                let days = usage::days(request)?;
                let record = self.find(request, &caller).await?;
                usage::answer(self.issuing.usage_of_key(&record, days).await)
            }
            (method, path) => match clients::answer(self, method, path, request).await {
                Some(answer) => answer,
                None => Err(Problem::new(
                    &NOT_FOUND,
                    "No route of keys has this address.",
                )),
            },
        }
    }

    async fn issue(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let order = order(request, caller, self.issuing.plans(), self.events, now())?;
        let issued = self.issuing.issue(&order).await;
        let issued = issued.map_err(refusal::of_issuing)?;
        let record = &issued.record;
        tracing::info!(key_id = %record.id, owner = record.owner, "a key was issued");
        let shown = shown(&issued);
        let response = proxy::created(request, &format!("/keys/{}", record.id), &shown)?;
        Ok(uncached(response))
    }

    async fn list(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let limit = usize::try_from(request.limit()?).unwrap_or_default();
        let after = request.cursor()?;
        let listed = self.issuing.store.list(caller.principal(), limit, after);
        let (records, next) = listed.await.map_err(refusal::of_store)?;
        // The list does not fail for what only stands beside the keys.
        let read = self.issuing.last_used(&records).await;
        let last_used = read.unwrap_or_else(|error| {
            tracing::warn!(%error, "when keys were last used is not known");
            LastUsed::default()
        });
        let now = now();
        let entries = records.iter();
        let entries = entries.map(|record| last_used.list(now, record));
        let page = KeyPage {
            page: Page::new(entries.collect(), next.as_ref())?,
            last_used_since: last_used.since(),
        };
        proxy::json(200, &page)
    }

    async fn revoke(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let id = id(request)?;
        let stage = stage(request);
        let revoked = self
            .issuing
            .revoke(Some(caller.principal()), &id, stage.as_ref());
        let flush = revoked.await.map_err(refusal::of_revoking)?;
        warn_of(flush, stage.as_ref());
        tracing::info!(key_id = %id, owner = caller.principal(), "a key was revoked");
        Ok(proxy::empty(204))
    }

    async fn rotate(
        &self,
        request: &ProxyRequest,
        caller: &Caller,
    ) -> Result<Response<Body>, Problem> {
        let grace = rotate::grace_seconds(request)?;
        let record = self.find(request, caller).await?;
        // The answer holds a working key: it must not open more than the caller may.
        within_callers(&record.scopes, caller)?;
        self.events.check(&record).map_err(refusal::of_networks)?;
        let stage = stage(request);
        let rotated = self.issuing.rotate(record, grace, stage.as_ref()).await;
        let (issued, flush) = rotated.map_err(refusal::of_rotating)?;
        // While the former secret works there is nothing to flush.
        if grace == 0 {
            warn_of(flush, stage.as_ref());
        }
        let record = &issued.record;
        tracing::info!(key_id = %record.id, owner = record.owner, grace, "a key was rotated");
        Ok(uncached(proxy::json(200, &shown(&issued))?))
    }

    async fn find(&self, request: &ProxyRequest, caller: &Caller) -> Result<KeyRecord, Problem> {
        let id = id(request)?;
        let found = self.issuing.store.get(Some(caller.principal()), &id).await;
        found.map_err(refusal::of_store)?.ok_or_else(not_found)
    }
}

/// What shows the whole key, once.
fn shown(issued: &Issued) -> WithKey<'_> {
    WithKey {
        record: Representation::at(now(), &issued.record),
        key: issued.key.expose(),
    }
}

/// A response that no cache may keep.
fn uncached(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The key's id in the path; what is none names no key.
fn id(request: &ProxyRequest) -> Result<ApiKeyId, Problem> {
    let id = request.path_parameter("id").unwrap_or_default();
    id.parse().map_err(|_| not_found())
}
