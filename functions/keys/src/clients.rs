//! The routes of OAuth clients. They are the deployment's: whoever may call these routes sees and
//! changes all of them.

use keygate_issuing::{ClientRepresentation, Issuing};
use keygate_key_record::{RegisteredClient, Status};
use keygate_principal::name::is_plain_name;
use keygate_problem::Problem;
use keygate_proxy::{self as proxy, Page, ProxyRequest};
use lambda_http::{Body, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::change_client::{Asked, asked, change};
use crate::deployment::Keys;
use crate::refusal::{self, no_client};
use crate::stage::{stage, warn_of};
use crate::usage;

/// What stands in a path as it is (RFC 3986 section 2.3); a client's id may be an address.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Answers a request of a client's route; `None` when it is of none.
pub(crate) async fn answer(
    keys: &Keys,
    method: &str,
    path: &str,
    request: &ProxyRequest,
) -> Option<Result<Response<Body>, Problem>> {
    let issuing = &keys.issuing;
    Some(match (method, path) {
        ("POST", "/clients") => register(keys, request).await,
        ("GET", "/clients") => list(issuing, request).await,
        ("GET", "/clients/{id}") => read(issuing, request).await,
        ("PUT", "/clients/{id}") => replace(keys, request).await,
        ("DELETE", "/clients/{id}") => remove(issuing, request).await,
        ("GET", "/clients/{id}/usage") => usage(issuing, request).await,
        _ => return None,
    })
}

async fn register(keys: &Keys, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let Keys { issuing, trust, .. } = keys;
    trust.require_lookups()?;
    let Asked {
        client_id,
        issuer,
        registration,
    } = asked(request, issuing.plans(), trust)?;
    let stage = stage(request);
    let registered = issuing.register(&client_id, issuer.as_deref(), &registration, stage.as_ref());
    let (client, flush) = registered.await.map_err(refusal::of_client)?;
    warn_of(flush, stage.as_ref());
    log(request, &client, "a client was registered")?;
    let in_path = utf8_percent_encode(&client_id, IN_A_PATH);
    let shown = ClientRepresentation::from(&client);
    proxy::created(request, &format!("/clients/{in_path}"), &shown)
}

async fn list(issuing: &Issuing, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let limit = usize::try_from(request.limit()?).unwrap_or_default();
    let listed = issuing.store.clients(limit, request.cursor()?).await;
    let (clients, next) = listed.map_err(refusal::of_store)?;
    let entries = clients.iter().map(ClientRepresentation::from);
    proxy::json(200, &Page::new(entries.collect(), next.as_ref())?)
}

async fn read(issuing: &Issuing, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let found = issuing.store.client(id(request)?).await;
    let client = found.map_err(refusal::of_store)?.ok_or_else(no_client)?;
    proxy::json(200, &ClientRepresentation::from(&client))
}

async fn usage(issuing: &Issuing, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let days = usage::days(request)?;
    let found = issuing.store.client(id(request)?).await;
    let client = found.map_err(refusal::of_store)?.ok_or_else(no_client)?;
    usage::answer(issuing.usage_of_client(&client, days).await)
}

async fn replace(keys: &Keys, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let Keys { issuing, trust, .. } = keys;
    trust.require_lookups()?;
    let id = id(request)?;
    let registration = change(request, issuing.plans())?;
    let stage = stage(request);
    let changed = issuing.change(id, |_| registration, stage.as_ref()).await;
    let (client, flush) = changed.map_err(refusal::of_client)?;
    warn_of(flush, stage.as_ref());
    log(request, &client, "a client was changed")?;
    proxy::json(200, &ClientRepresentation::from(&client))
}

async fn remove(issuing: &Issuing, request: &ProxyRequest) -> Result<Response<Body>, Problem> {
    let id = id(request)?;
    let stage = stage(request);
    let removed = issuing.remove(id, stage.as_ref()).await;
    warn_of(removed.map_err(refusal::of_client)?, stage.as_ref());
    let by = request.caller()?;
    tracing::info!(
        oauth_client = id,
        by = by.principal(),
        "a client was removed"
    );
    Ok(proxy::empty(204))
}

/// The client's id in the path; what none can have names none.
fn id(request: &ProxyRequest) -> Result<&str, Problem> {
    let id = request.path_parameter("id").unwrap_or_default();
    if is_plain_name(id) {
        return Ok(id);
    }
    Err(no_client())
}

fn log(request: &ProxyRequest, client: &RegisteredClient, what: &str) -> Result<(), Problem> {
    let caller = request.caller()?;
    let is_shut_out = client.record.status == Status::Revoked;
    let plan = client.usage_plan.as_deref();
    tracing::info!(
        oauth_client = client.client_id,
        by = caller.principal(),
        plan,
        is_shut_out,
        "{what}"
    );
    Ok(())
}
