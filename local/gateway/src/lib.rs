//! API Gateway's REST front on this machine, one module for each step of a request, in this order:
//! `routing`, `authorizer`, `policy`, `usage_plan`, `method_throttle`, `validation`,
//! `proxy_event` and `proxy_response` or `mock`, `gateway_response` for what goes wrong on the way, and
//! `access_log`.
//!
//! [`Gateway`] is a stage as a template has it, and [`Door`] where requests come in. Functions are invoked
//! through an [`Invoker`], whatever runs them. Whoever manages the stage or looks on is a client of the
//! gateway's state: [`Controls`] lead to usage plans, what was used of them, and the authorizers with their
//! caches; [`trips::Trips`] are the latest requests, of which a [`Watcher`] is told one by one.
//!
//! What it does is held against the API Gateway guide. Two limits are AWS's quotas: 10,240 bytes of
//! request line and headers, and 10 MB of body.

mod access_log;
mod authorizer;
mod authorizer_event;
mod binary;
mod body;
mod content_type;
mod door;
mod event_headers;
mod exchange;
mod fault;
pub mod figures;
mod gateway;
mod gateway_response;
mod identity;
mod invocation;
mod leaving;
mod method_throttle;
mod mock;
mod outcome;
pub mod papers;
mod path;
mod policy;
mod proxy_event;
mod proxy_response;
mod refusal;
mod routing;
mod sample;
mod spelling;
mod stage;
mod state;
pub mod struck;
mod tokens;
mod trace;
mod trace_id;
pub mod trip;
pub mod trips;
mod usage_counts;
mod usage_keys;
mod usage_plan;
mod validation;
mod variables;
mod watcher;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use jiff::Timestamp;
use keygate_connection::Malformed;
use keygate_console::{Lines, excerpt};
use keygate_model::{Integration, KeySource, Route};

use self::access_log::AccessLog;
use self::authorizer_event::Asked;
use self::body::RequestBody;
pub use self::door::Door;
use self::exchange::{Call, Exchange, UsedKey};
use self::fault::{Fault, ResponseType};
pub use self::gateway::{Gateway, GatewayError};
pub use self::invocation::{Invocation, InvokeError, Invoker};
use self::leaving::Leaving;
pub use self::leaving::Parting;
use self::policy::Verdict;
pub use self::refusal::Listed as ListedRoutes;
pub use self::sample::authorizer_event as sample_authorizer_event;
pub use self::state::{Control, Controls};
pub use self::usage_counts::day;
pub use self::usage_keys::{Listed, Refused, Usage};
use self::usage_plan::Refusal;
pub use self::watcher::Watcher;
use crate::trips::Trips;

/// API Gateway's quota for the request line and all header values.
const MAX_HEAD_BYTES: usize = 10_240;
/// How long a client may take to send its body, and then what is discarded of it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXTENDED_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// This program's own: why there is nothing at an address, or why a request cannot be read.
const HINT: HeaderName = HeaderName::from_static("x-keygate-hint");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// What answers requests, until a change of the template makes another.
struct Front {
    gateway: Gateway,
    functions: Invoker,
    access_log: Option<AccessLog>,
    listed: ListedRoutes,
    trips: Arc<Trips>,
    leaving: Arc<Leaving>,
}

/// Where a gateway tells of its requests.
#[derive(Clone)]
pub struct Told {
    /// Where the access log goes, if anywhere.
    pub access_log: Option<Lines>,
    /// Who keeps the latest of them.
    pub trips: Arc<Trips>,
}

impl Front {
    fn new(
        mut gateway: Gateway,
        listed: ListedRoutes,
        functions: &Invoker,
        told: Told,
    ) -> Arc<Self> {
        let format = gateway.access_log_format.take();
        let access_log = format.zip(told.access_log);
        Arc::new(Self {
            gateway,
            functions: functions.clone(),
            access_log: access_log.map(|(format, lines)| AccessLog::new(format, lines)),
            listed,
            trips: told.trips,
            leaving: Arc::default(),
        })
    }

    /// Keeps functions that its successor has no more until its own last request is answered.
    fn part_with(&self, parting: Parting, successor: &Self) {
        self.leaving.set(parting, &successor.leaving);
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let stage = &self.gateway.stage;
        let (mut parts, incoming) = request.into_parts();
        let malformed = Malformed::take(&mut parts);
        let mut body = RequestBody::new(incoming);
        let mut exchange = Exchange::new(&parts, peer.ip().to_string(), self.gateway.port);
        self.trips.begin(&exchange.request_id);
        let outcome = match malformed {
            Some(malformed) => Err(unreadable(&mut exchange, malformed)),
            None => self.pass_on(&mut exchange, &mut body).await,
        };
        let mut response = match outcome {
            Ok(mut response) => {
                if let Ok(trace) = HeaderValue::from_str(&exchange.trace_header.answered) {
                    response.headers_mut().insert(TRACE_ID, trace);
                }
                response
            }
            Err(fault) => {
                exchange.fault = Some(fault.clone());
                let mut response = self.gateway.responses.render(&exchange, stage, &fault);
                let kind = HeaderValue::from_static(fault.kind.exception());
                response.headers_mut().insert(ERROR_TYPE, kind);
                if let Some(Ok(hint)) = exchange.trace.hint().map(HeaderValue::from_str) {
                    response.headers_mut().insert(HINT, hint);
                }
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
        let papers = self.trips.keeps_papers();
        let secrets = outcome::secrets(&exchange);
        let papers = papers.then(|| outcome::papers(&exchange, &secrets, &response));
        self.trips
            .finish(outcome::trip(&exchange, &secrets), papers);
        let trace = exchange.trace;
        if let Some((asked, (function, _))) = trace.asked.zip(trace.authorizer) {
            self.trips.check(&function, &exchange.request_id, asked);
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
        let Some(path) = path::below_stage(&full_path, &gateway.stage.name) else {
            let outside = refusal::outside(&gateway.stage.name);
            exchange.trace.misses(outside);
            return Err(Fault::new(ResponseType::MissingAuthenticationToken));
        };
        let of_resource = path::of_resource(path);
        let matched = gateway
            .router
            .find(&exchange.method, of_resource)
            .map_err(|_| Fault::new(ResponseType::BadRequestParameters))?
            .ok_or_else(|| Fault::new(ResponseType::MissingAuthenticationToken))?;
        let route = matched.route;
        exchange.resource_path = Some(route.path.to_string());
        exchange.path_parameters = matched.parameters;
        let body = body.read(READ_TIMEOUT).await.map_err(|unread| {
            exchange.trace.unreadable(unread.reason());
            Fault::new(unread.response_type())
        })?;

        let usage_key = match &route.authorizer {
            Some(name) => self.authorize(exchange, route, name, path).await?,
            None => None,
        };
        if route.api_key_required {
            self.count(exchange, route, usage_key)?;
        }
        if !gateway.throttles.admits(route, &exchange.method) {
            exchange.trace.refused(refusal::throttled(route));
            return Err(Fault::new(ResponseType::Throttled));
        }
        validation::check(&route.validation, exchange, &body)
            .inspect_err(|fault| exchange.trace.refused(refusal::invalid(fault)))?;
        match &route.integration {
            Integration::Function(function) => {
                let event = proxy_event::build(exchange, &gateway.stage, path, &body);
                exchange.trace.handled_by(function, &event);
                self.integrate(exchange, function, event).await
            }
            Integration::Mock(mock) => mock::answer(mock, exchange)
                .inspect_err(|_| exchange.trace.refused(refusal::UNMAPPED)),
        }
    }

    /// Asks the authorizer of this name whether the caller may use a route. Gives the usage key that it
    /// names.
    async fn authorize(
        &self,
        exchange: &mut Exchange,
        route: &Route,
        name: &str,
        path: &str,
    ) -> Result<Option<String>, Fault> {
        let stage = &self.gateway.stage;
        let method_arn = stage.method_arn(&exchange.method, path::of_resource(path));
        // The loader has held every authorizer's name against the template.
        let authorizer = self
            .gateway
            .authorizers
            .get(name)
            .ok_or_else(|| Fault::new(ResponseType::AuthorizerConfigurationError))?;
        let asked = Asked {
            stage,
            path,
            method_arn: &method_arn,
        };
        let started = Instant::now();
        let said = authorizer.authorize(exchange, asked, &self.functions).await;
        let function = &authorizer.settings().function;
        exchange.trace.authorized(function, started);
        let said = said?;
        exchange.authorizer.clone_from(&said.context);
        let verdict = said.policy.evaluate(&method_arn);
        if verdict == Verdict::Allow {
            return Ok(said.usage_key.clone());
        }
        let denied = self.listed.denied(route, &said.context, verdict);
        exchange.trace.refused(denied);
        let mut fault = Fault::new(ResponseType::AccessDenied);
        if verdict == Verdict::ExplicitDeny {
            fault.message.push_str(" with an explicit deny");
        }
        Err(fault)
    }

    /// Counts the request on the usage plan of its key: the one that the client sends, or that the
    /// authorizer names.
    fn count(
        &self,
        exchange: &mut Exchange,
        route: &Route,
        named: Option<String>,
    ) -> Result<(), Fault> {
        let source = self.gateway.key_source;
        let key = match source {
            KeySource::Header => exchange.header("x-api-key").map(ToOwned::to_owned),
            KeySource::Authorizer => named,
        };
        let started = Instant::now();
        let usage = &self.gateway.usage;
        let admitted = usage.admit(key.as_deref(), &route.key(), Timestamp::now());
        let left = key.as_deref();
        let left = left.and_then(|key| usage.left(key, Some(&route.key())));
        exchange.trace.counted(started, left);
        let id = admitted.map_err(|refused| {
            let reason = refusal::uncounted(refused, source, key.is_some());
            exchange.trace.refused(reason);
            Fault::new(match refused {
                Refusal::UnknownKey => ResponseType::InvalidApiKey,
                Refusal::Throttled => ResponseType::Throttled,
                Refusal::QuotaExceeded => ResponseType::QuotaExceeded,
            })
        })?;
        exchange.usage_key = key.map(|value| UsedKey {
            id: id.as_ref().to_owned(),
            value,
        });
        Ok(())
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
                error = %excerpt::of_line(&error),
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

/// What is answered in the place of a request that cannot be read.
fn unreadable(exchange: &mut Exchange, malformed: Malformed) -> Fault {
    exchange.trace.unreadable(malformed.reason());
    Fault::new(match malformed {
        Malformed::TooLarge | Malformed::TooMany => ResponseType::HeadersTooLarge,
        _ => ResponseType::BadRequestParameters,
    })
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
