//! API Gateway's REST front on this machine, one module for each step of a request, in this order:
//! [`routing`], [`authorizer`], [`policy`], [`usage_plan`], [`method_throttle`], [`validation`],
//! [`proxy_event`] and [`proxy_response`] or [`mock`], [`gateway_response`] for what goes wrong on the way, and
//! [`access_log`].
//!
//! What it does is held against the API Gateway guide. Two limits are AWS's quotas: 10,240 bytes of
//! request line and headers, and 10 MB of body.

mod access_log;
mod authorizer;
mod authorizer_event;
mod binary;
mod body;
mod control;
mod event_headers;
mod exchange;
mod fault;
mod gateway_response;
mod identity;
mod invocation;
mod method_throttle;
mod mock;
mod path;
mod policy;
mod proxy_event;
mod proxy_response;
mod routing;
mod sample;
mod spelling;
mod stage;
mod trace_id;
mod usage_counts;
mod usage_keys;
mod usage_plan;
mod validation;
mod variables;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use jiff::Timestamp;
use tokio::net::TcpListener;

use self::access_log::AccessLog;
use self::authorizer::Authorizer;
use self::authorizer_event::Asked;
use self::body::RequestBody;
pub(crate) use self::control::Control;
use self::exchange::{Call, Exchange, UsedKey};
use self::fault::{Fault, ResponseType};
use self::gateway_response::GatewayResponses;
use self::method_throttle::MethodThrottles;
use self::policy::Verdict;
pub(crate) use self::sample::authorizer_event as sample_authorizer_event;
use self::spelling::Watched;
use self::stage::Stage;
pub(crate) use self::usage_counts::day;
pub(crate) use self::usage_keys::{Listed, Refused, Usage};
use self::usage_plan::Refusal;
use self::variables::Template;
use crate::console::Lines;
use crate::functions::Functions;
use crate::model::{Application, Integration, KeySource};

/// API Gateway's quota for the request line and all header values.
const MAX_HEAD_BYTES: usize = 10_240;
/// The most headers. With more, or with a line that is no HTTP, the connection's own error comes
/// back, bare and before any access log.
const MAX_HEADERS: usize = 512;
/// How long a client may take to send its headers, then its body, and then what is discarded of it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests in flight may take once the gateway is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// What the template asks for and this gateway cannot do. Found before anything is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatewayError {
    /// The access log's format, or an authorizer's identity, has a variable that is not known.
    #[error("template: {0}")]
    Variable(#[from] variables::UnknownVariable),
    /// A gateway response has a variable or a mapping that is not known.
    #[error("template: {0}")]
    Response(#[from] gateway_response::UnsupportedResponse),
    /// A usage plan or a method's throttle cannot be kept.
    #[error("template: {0}")]
    Throttle(#[from] usage_plan::ImpossibleThrottle),
}

/// The front of one stage.
#[derive(Debug)]
pub(crate) struct Gateway {
    stage: Stage,
    router: routing::Router,
    authorizers: Arc<BTreeMap<String, Authorizer>>,
    usage: Arc<Usage>,
    key_source: KeySource,
    throttles: MethodThrottles,
    responses: GatewayResponses,
    access_log_format: Option<Template>,
    port: u16,
}

struct Front {
    gateway: Gateway,
    functions: Arc<Functions>,
    access_log: Option<AccessLog>,
}

impl Gateway {
    /// The front of an application's stage.
    ///
    /// # Errors
    /// When the template asks for what this gateway cannot do.
    pub(crate) fn new(application: &Application, port: u16) -> Result<Self, GatewayError> {
        let api = &application.api;
        for (name, settings) in &api.authorizers {
            identity::check(&settings.events, name)?;
        }
        let authorizers = api.authorizers.iter();
        let format = api.access_log_format.as_deref();
        Ok(Self {
            stage: Stage::of(api),
            router: routing::Router::new(&api.routes),
            authorizers: Arc::new(
                authorizers
                    .map(|(name, settings)| (name.clone(), Authorizer::new(settings.clone())))
                    .collect(),
            ),
            usage: Arc::new(Usage::new(api.usage_plans.clone())?),
            key_source: api.key_source,
            throttles: MethodThrottles::new(&api.routes)?,
            responses: GatewayResponses::new(&api.gateway_responses)?,
            access_log_format: format
                .map(|format| Template::read(format, "the access log's format"))
                .transpose()?,
            port,
        })
    }

    /// What manages this stage.
    pub(crate) fn control(&self) -> Control {
        Control {
            api_id: self.stage.api_id.clone(),
            stage: self.stage.name.clone(),
            usage: Arc::clone(&self.usage),
            authorizers: Arc::clone(&self.authorizers),
        }
    }

    /// Serves requests until `stop` is done, then those in flight. The access log goes to `log`.
    pub(crate) async fn serve(
        mut self,
        listener: TcpListener,
        functions: Arc<Functions>,
        log: Lines,
        stop: impl Future<Output = ()>,
    ) {
        let format = self.access_log_format.take();
        let access_log = format.map(|format| AccessLog::new(format, log));
        let front = Arc::new(Front {
            gateway: self,
            functions,
            access_log,
        });
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: give connections time to end.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            // Small messages, each waited for.
            let _ = stream.set_nodelay(true);
            let (stream, spellings) = Watched::new(stream);
            let front = Arc::clone(&front);
            let service = service_fn(move |mut request: Request<Incoming>| {
                let front = Arc::clone(&front);
                let spelling = spellings.next(request.headers());
                request.extensions_mut().insert(spelling);
                async move { Ok::<_, Infallible>(front.answer(request, peer).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READ_TIMEOUT)
                .max_headers(MAX_HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                // A client that goes away, or speaks no HTTP, is nobody's fault here.
                let _ = connection.await;
            });
        }
        drop(listener);
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
    }
}

impl Front {
    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let stage = &self.gateway.stage;
        let (parts, incoming) = request.into_parts();
        let mut body = RequestBody::new(incoming);
        let mut exchange = Exchange::new(&parts, peer.ip().to_string(), self.gateway.port);
        let outcome = self.pass_on(&mut exchange, &mut body).await;
        let mut response = match outcome {
            Ok(mut response) => {
                if let Ok(trace) = HeaderValue::from_str(&exchange.trace.answered) {
                    response.headers_mut().insert(TRACE_ID, trace);
                }
                response
            }
            Err(fault) => {
                exchange.fault = Some(fault.clone());
                let mut response = self.gateway.responses.render(&exchange, stage, &fault);
                let kind = HeaderValue::from_static(fault.kind.exception());
                response.headers_mut().insert(ERROR_TYPE, kind);
                response
            }
        };
        exchange.status = response.status().as_u16();
        exchange.response_length = response.body().len();
        for (name, id) in [
            (REQUEST_ID, &exchange.request_id),
            (EXTENDED_REQUEST_ID, &exchange.extended_request_id),
        ] {
            if let Ok(id) = HeaderValue::from_str(id) {
                response.headers_mut().insert(name, id);
            }
        }
        if !body.is_read() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            tokio::spawn(body.discard(READ_TIMEOUT));
        }
        if let Some(log) = &self.access_log {
            log.log(&exchange, stage);
        }
        response.map(Full::new)
    }

    /// Takes a request through every step up to the handler's answer.
    async fn pass_on(
        &self,
        exchange: &mut Exchange,
        body: &mut RequestBody,
    ) -> Result<Response<Bytes>, Fault> {
        let gateway = &self.gateway;
        if head_bytes(exchange) > MAX_HEAD_BYTES {
            return Err(Fault::new(ResponseType::HeadersTooLarge));
        }
        let full_path = exchange.full_path.clone();
        let path = path::below_stage(&full_path, &gateway.stage.name)
            .ok_or_else(|| Fault::new(ResponseType::MissingAuthenticationToken))?;
        let of_resource = path::of_resource(path);
        let matched = gateway
            .router
            .find(&exchange.method, of_resource)
            .map_err(|_| Fault::new(ResponseType::BadRequestParameters))?
            .ok_or_else(|| Fault::new(ResponseType::MissingAuthenticationToken))?;
        let route = matched.route;
        exchange.resource_path = Some(route.path.to_string());
        exchange.path_parameters = matched.parameters;
        let body = body.read(READ_TIMEOUT).await?;

        let mut usage_key = None;
        if let Some(name) = &route.authorizer {
            let method_arn = gateway.stage.method_arn(&exchange.method, of_resource);
            // The loader has held every authorizer's name against the template.
            let authorizer = gateway
                .authorizers
                .get(name)
                .ok_or_else(|| Fault::new(ResponseType::AuthorizerConfigurationError))?;
            let asked = Asked {
                stage: &gateway.stage,
                path,
                method_arn: &method_arn,
            };
            let said = authorizer
                .authorize(exchange, asked, &self.functions)
                .await?;
            exchange.authorizer.clone_from(&said.context);
            match said.policy.evaluate(&method_arn) {
                Verdict::Allow => {}
                Verdict::ImplicitDeny => return Err(Fault::new(ResponseType::AccessDenied)),
                Verdict::ExplicitDeny => {
                    let mut fault = Fault::new(ResponseType::AccessDenied);
                    fault.message.push_str(" with an explicit deny");
                    return Err(fault);
                }
            }
            usage_key.clone_from(&said.usage_key);
        }
        if route.api_key_required {
            let value = match gateway.key_source {
                KeySource::Header => exchange.header("x-api-key"),
                KeySource::Authorizer => usage_key.as_deref(),
            };
            let admitted = gateway.usage.admit(value, &route.key(), Timestamp::now());
            let id = admitted.map_err(|refusal| {
                Fault::new(match refusal {
                    Refusal::UnknownKey => ResponseType::InvalidApiKey,
                    Refusal::Throttled => ResponseType::Throttled,
                    Refusal::QuotaExceeded => ResponseType::QuotaExceeded,
                })
            })?;
            exchange.usage_key = usage_key.map(|value| UsedKey {
                id: id.as_ref().to_owned(),
                value,
            });
        }
        if !gateway.throttles.admits(route) {
            return Err(Fault::new(ResponseType::Throttled));
        }
        validation::check(&route.validation, exchange, &body)?;
        match &route.integration {
            Integration::Function(function) => {
                let event = proxy_event::build(exchange, &gateway.stage, path, &body);
                self.integrate(exchange, function, event).await
            }
            Integration::Mock(mock) => mock::answer(mock, exchange),
        }
    }

    /// Invokes the handler.
    async fn integrate(
        &self,
        exchange: &mut Exchange,
        function: &str,
        event: Bytes,
    ) -> Result<Response<Bytes>, Fault> {
        let started = Instant::now();
        let request_id = &exchange.request_id;
        let answer = invocation::invoke(&self.functions, function, request_id, event).await;
        let mut call = Call {
            latency: started.elapsed(),
            ..Call::default()
        };
        let failed = |call: &mut Call, kind: ResponseType, error: String| {
            tracing::warn!(
                function,
                request_id = exchange.request_id,
                error,
                "no usable answer"
            );
            call.error = Some(error);
            Fault::new(kind)
        };
        let outcome = match answer {
            Ok(answer) => proxy_response::read(&answer, exchange, &self.gateway.stage.binary)
                .inspect(|response| call.status = Some(response.status().as_u16()))
                .map_err(|error| failed(&mut call, ResponseType::Default5xx, error.to_string())),
            Err(error) => Err(failed(&mut call, error.response_type(), error.to_string())),
        };
        exchange.integration_call = Some(call);
        outcome
    }
}

/// The request line and all headers, as API Gateway counts them.
fn head_bytes(exchange: &Exchange) -> usize {
    let headers = exchange.headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let query = exchange.query.as_ref().map_or(0, String::len);
    exchange.method.as_str().len() + exchange.full_path.len() + query + headers
}
