//! A function's `main`: from its settings to answers for the Lambda Runtime API.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use keygate_problem::Problem;
use keygate_settings::{SettingError, Settings, fail_to_start, logging, refuse_to_start};
use lambda_http::tower::ServiceExt as _;
use lambda_http::{Adapter, Body, Response, lambda_runtime, service_fn};

use crate::event::ProxyEvent;
use crate::request::ProxyRequest;
use crate::response::render;
use crate::settings::ProxySettings;

/// Who sets the CORS headers of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// [`run`] does, as for every actual response.
    OfResponse,
    /// The handler does: it is the preflight function.
    OfHandler,
}

/// A function's whole `main`, where its handler stands on nothing but the request: [`start`] with the
/// asynchronous runtime that it needs.
///
/// `function` is the function's name in its log.
pub fn serve<H, F>(function: &str, handler: H) -> ExitCode
where
    H: Fn(ProxyRequest) -> F,
    F: Future<Output = Result<Response<Body>, Problem>> + Send,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(start(
            function,
            Cors::OfResponse,
            async |_| Ok(()),
            |request, _| handler(request),
        )),
        Err(error) => {
            let why = format!("the asynchronous runtime does not start: {error}");
            fail_to_start(function, &why)
        }
    }
}

/// A function's `main` once there is an asynchronous runtime. Starts logging, reads the settings, has
/// `open` make what the handler stands on, and answers invocations with `handler` until the environment
/// is shut down.
///
/// `function` is the package's name, `env!("CARGO_PKG_NAME")`. A setting that is missing or
/// malformed is one line on standard error ([`refuse_to_start`]) and exit code 64.
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
        let extended_request_id = request.extended_request_id().map(ToOwned::to_owned);
        let origin = request.origin().map(ToOwned::to_owned);
        let answer = handler(request);
        async move {
            let mut response = match answer.await {
                Ok(response) => response,
                Err(problem) => {
                    let extended_request_id = extended_request_id.as_deref();
                    render(problem, &public_url, &request_id, extended_request_id)
                }
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
