//! What a proxy-integration handler stands on.
//!
//! A handler is a function from a [`ProxyRequest`] to a response or a [`Problem`]. [`start`] is the
//! rest of a function's `main`, the same way for every function: it reads the settings, and for each
//! event renders a problem, adds the CORS headers that match the preflight function's, and answers
//! the Lambda Runtime API.

mod body;
mod caller;
mod cors;
mod event;
mod page;
mod request;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, Body, Response, lambda_runtime, service_fn};
use serde::Serialize;
use url::Url;

pub use body::{Fields, MAX_BODY_BYTES};
pub use caller::Caller;
pub use cors::{AllowedOrigins, MalformedOrigin};
pub use page::{Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page};
pub use request::ProxyRequest;

use self::event::ProxyEvent;
use keygate_problem::{self as problem, Problem};
use keygate_settings::{SettingError, Settings, logging, refuse_to_start};

/// What every handler is configured with.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// Who may read responses from a browser, from `CORS_ALLOWED_ORIGINS`.
    pub allowed_origins: AllowedOrigins,
    /// Where clients reach the stage, from `PUBLIC_URL`, without a slash at its end; `None` is the
    /// address that the request came to.
    pub public_url: Option<String>,
}

impl ProxySettings {
    /// Reads `CORS_ALLOWED_ORIGINS` and `PUBLIC_URL`.
    ///
    /// # Errors
    /// When an origin is not in the form that browsers send, or the URL is not absolute.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let public_url = settings.optional("PUBLIC_URL")?;
        if let Some(url) = public_url {
            let parsed =
                Url::parse(url).map_err(|error| SettingError::malformed("PUBLIC_URL", error))?;
            if !matches!(parsed.scheme(), "http" | "https") {
                return Err(SettingError::malformed("PUBLIC_URL", "use http or https"));
            }
        }
        Ok(Self {
            allowed_origins: settings.parsed("CORS_ALLOWED_ORIGINS")?.unwrap_or_default(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
        })
    }
}

/// Who sets the CORS headers of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// [`run`] does, as for every actual response.
    OfResponse,
    /// The handler does: it is the preflight function.
    OfHandler,
}

/// A function's whole `main`. Starts logging, reads the settings, has `open` make what the handler
/// stands on, and answers invocations with `handler` until the environment is shut down.
///
/// `function` is the package's name, `env!("CARGO_PKG_NAME")`. A setting that is missing or
/// malformed is one line on standard error and exit code 64.
pub async fn start<S, H, F>(
    function: &str,
    cors: Cors,
    open: impl AsyncFnOnce(&Settings) -> Result<S, SettingError>,
    handler: H,
) -> ExitCode
where
    H: Fn(ProxyRequest, Arc<S>) -> F,
    F: Future<Output = Result<Response<Body>, Problem>> + Send,
{
    let settings = Settings::from_env();
    let opened = async {
        logging::init(&settings, function)?;
        let proxy = ProxySettings::read(&settings)?;
        Ok((proxy, Arc::new(open(&settings).await?)))
    };
    let (proxy, state) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return refuse_to_start(function, &error),
    };
    exit_code(run(proxy, cors, |request| handler(request, Arc::clone(&state))).await)
}

/// Answers invocations with `handler` until the environment is shut down.
///
/// # Errors
/// When the Lambda Runtime API cannot be reached.
pub async fn run<H, F>(
    settings: ProxySettings,
    cors: Cors,
    handler: H,
) -> Result<(), lambda_http::Error>
where
    H: Fn(ProxyRequest) -> F,
    F: Future<Output = Result<Response<Body>, Problem>> + Send,
{
    let (settings, handler) = (&settings, &handler);
    let service = Adapter::from(service_fn(move |event| {
        let request = ProxyRequest::new(event, settings);
        let public_url = request.public_url().to_owned();
        let request_id = request.request_id().to_owned();
        let origin = request.origin().map(ToOwned::to_owned);
        let answer = handler(request);
        async move {
            let mut response = match answer.await {
                Ok(response) => response,
                Err(problem) => render(&problem, &public_url, &request_id),
            };
            if cors == Cors::OfResponse {
                settings
                    .allowed_origins
                    .add_to_response(response.headers_mut(), origin.as_deref());
            }
            response
                .headers_mut()
                .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            Ok::<_, std::convert::Infallible>(response)
        }
    }));
    lambda_runtime::run(service.map_request(ProxyEvent::unwrapped)).await
}

/// What a function's `main` ends with, once [`run`] does.
#[must_use]
pub fn exit_code(outcome: Result<(), lambda_http::Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda Runtime API is out of reach");
            ExitCode::FAILURE
        }
    }
}

/// A problem as a response.
fn render(problem: &Problem, public_url: &str, request_id: &str) -> Response<Body> {
    if problem.kind.status >= 500 {
        tracing::error!(
            request_id,
            problem = problem.kind.slug,
            detail = problem.detail
        );
    }
    let body = problem.to_json(public_url, request_id).to_string();
    let mut response = empty(problem.kind.status);
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in &problem.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name.clone(), value);
        }
    }
    response
}

/// A JSON response.
///
/// # Errors
/// When the value cannot be serialised, which is a fault of the function.
pub fn json<T: Serialize>(status: u16, value: &T) -> Result<Response<Body>, Problem> {
    let body = serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "a response could not be serialised");
        Problem::new(&problem::INTERNAL_ERROR, "The response could not be made.")
    })?;
    let mut response = empty(status);
    *response.body_mut() = Body::from(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// 201 with what was made, and its address in `Location`: `path` below the stage.
///
/// # Errors
/// When the value cannot be serialised, which is a fault of the function.
pub fn created<T: Serialize>(
    request: &ProxyRequest,
    path: &str,
    value: &T,
) -> Result<Response<Body>, Problem> {
    let mut response = json(201, value)?;
    let location = format!("{}{path}", request.public_url());
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// A response without a body.
#[must_use]
pub fn empty(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
