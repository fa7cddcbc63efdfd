//! The routes of items.

#[cfg(test)]
mod tests;

use keygate_problem::{
    CONFLICT, IDEMPOTENCY_KEY_REUSED, INTERNAL_ERROR, NOT_FOUND, PRECONDITION_FAILED, Problem,
};
use keygate_proxy::{self as proxy, Cursor, Page, ProxyRequest};
use lambda_http::http::StatusCode;
use lambda_http::http::header::{ETAG, HeaderValue, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use lambda_http::{Body, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::etag::{self, Condition, Precondition};
use crate::item::{Content, Item};
use crate::store::{Created, Store, StoreError, Written};

/// The position in the list of items.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    after: Uuid,
}

/// Answers one request.
pub(crate) async fn answer(
    request: &ProxyRequest,
    store: &Store,
) -> Result<Response<Body>, Problem> {
    let route = request.route()?;
    let caller = request.caller()?;
    if let Some(scope) = route.scope {
        caller.require(scope)?;
    }
    let owner = caller.principal();
    match (route.path, route.method.as_str()) {
        ("/items", "GET") => list(request, store, owner).await,
        ("/items", "POST") => create(request, store, owner).await,
        ("/items/{id}", "GET") => read(request, store, owner).await,
        ("/items/{id}", "PUT") => replace(request, store, owner).await,
        ("/items/{id}", "DELETE") => delete(request, store, owner).await,
        _ => Err(Problem::new(
            &NOT_FOUND,
            "No route of items has this address.",
        )),
    }
}

async fn list(
    request: &ProxyRequest,
    store: &Store,
    owner: &str,
) -> Result<Response<Body>, Problem> {
    let limit = usize::try_from(request.limit()?).unwrap_or_default();
    let after = request.cursor::<Position>()?.map(|position| position.after);
    let (entries, more) = store.list(owner, limit, after).await.map_err(failed)?;
    let last = entries
        .last()
        .filter(|_| more)
        .map(|item| Position { after: item.id });
    let next_cursor = last.map(|position| Cursor::new(&position)).transpose();
    let next_cursor = next_cursor
        .map_err(|_| Problem::new(&INTERNAL_ERROR, "The next page's cursor could not be made."))?;
    proxy::json(
        200,
        &Page {
            entries,
            next_cursor,
        },
    )
}

async fn create(
    request: &ProxyRequest,
    store: &Store,
    owner: &str,
) -> Result<Response<Body>, Problem> {
    let key = keygate_idempotency_key::of_request(request)?;
    let content = Content::read(request)?;
    let item = match key {
        None => store.create(owner, content).await.map_err(failed)?,
        Some(key) => match store
            .create_once(owner, content, &key)
            .await
            .map_err(failed)?
        {
            Created::Item(item) => *item,
            Created::OtherContent => {
                return Err(Problem::new(
                    &IDEMPOTENCY_KEY_REUSED,
                    "This Idempotency-Key came before with another body.",
                ));
            }
            Created::UnderWay => {
                return Err(Problem::new(
                    &CONFLICT,
                    "A request with this Idempotency-Key is under way.",
                )
                .with_header(RETRY_AFTER, "1"));
            }
        },
    };
    let mut response = represent(201, &item)?;
    let location = format!("{}/items/{}", request.public_url(), item.id);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

async fn read(
    request: &ProxyRequest,
    store: &Store,
    owner: &str,
) -> Result<Response<Body>, Problem> {
    let wanted = Precondition::read_if_match(request.headers())?;
    let known = Condition::read(request.headers(), &IF_NONE_MATCH)?;
    let item = store.get(owner, id(request)?).await.map_err(failed)?;
    let item = item.ok_or_else(not_found)?;
    // In this order (RFC 9110 section 13.2.2).
    if wanted.is_some_and(|versions| !versions.contains(&item.version)) {
        return Err(stale());
    }
    if known.is_some_and(|known| known.holds(item.version)) {
        let mut response = represent(304, &item)?;
        *response.body_mut() = Body::Empty;
        return Ok(response);
    }
    represent(200, &item)
}

async fn replace(
    request: &ProxyRequest,
    store: &Store,
    owner: &str,
) -> Result<Response<Body>, Problem> {
    let id = id(request)?;
    let precondition = Precondition::read(request.headers())?;
    let content = Content::read(request)?;
    let written = store.replace(owner, id, &content, &precondition).await;
    represent(200, &done(written.map_err(failed)?)?)
}

async fn delete(
    request: &ProxyRequest,
    store: &Store,
    owner: &str,
) -> Result<Response<Body>, Problem> {
    let id = id(request)?;
    let precondition = Precondition::read(request.headers())?;
    let written = store.delete(owner, id, &precondition).await;
    done(written.map_err(failed)?)?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// The item's id in the path; what is none names no item.
fn id(request: &ProxyRequest) -> Result<Uuid, Problem> {
    let text = request.path_parameter("id").unwrap_or_default();
    let id = Uuid::try_parse(text).ok();
    // One spelling for one item: what the API itself writes.
    id.filter(|id| id.to_string() == text).ok_or_else(not_found)
}

fn done<T>(written: Written<T>) -> Result<T, Problem> {
    match written {
        Written::Done(value) => Ok(value),
        Written::Missing => Err(not_found()),
        Written::Stale => Err(stale()),
    }
}

fn stale() -> Problem {
    Problem::new(
        &PRECONDITION_FAILED,
        "The item's version is not one that If-Match or If-None-Match allows.",
    )
}

fn represent(status: u16, item: &Item) -> Result<Response<Body>, Problem> {
    let mut response = proxy::json(status, item)?;
    if let Ok(etag) = HeaderValue::from_str(&etag::of_version(item.version)) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

fn not_found() -> Problem {
    Problem::new(&NOT_FOUND, "There is no item of yours with this id.")
}

fn failed(error: StoreError) -> Problem {
    match error {
        StoreError::Table(error) => error.into_problem(),
        StoreError::Malformed(error) => {
            tracing::error!(%error);
            Problem::new(&INTERNAL_ERROR, "The item cannot be read.")
        }
    }
}
