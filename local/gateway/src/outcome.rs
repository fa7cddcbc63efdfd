//! What became of a request, as it is told to whoever looks on.

use bytes::Bytes;
use http::{HeaderMap, Response, header};

use super::exchange::Exchange;
use crate::papers::{Answered, Papers};
use crate::proxy_response::StillBase64;
use crate::struck::Secrets;
use crate::trip::{self, AuthorizerStep, HandlerStep, PlanStep, Trip, milliseconds};

/// The credentials that came with the request.
pub(super) fn secrets(exchange: &Exchange) -> Secrets {
    let usage_key = exchange.usage_key.as_ref().map(|key| key.value.as_str());
    let sent = sent_credentials(&exchange.headers);
    let presented = exchange.trace.presented.iter().map(String::as_str);
    Secrets::new(sent.chain(presented).chain(usage_key))
}

/// The request as it is told, without a credential. A function's error may be as long as any answer, and
/// may name what the function was sent.
pub(super) fn trip(exchange: &Exchange, secrets: &Secrets) -> Trip {
    let short = |text: &String| secrets.strike_short(text);
    let trace = &exchange.trace;
    let call = exchange.authorizer_call.as_ref();
    let authorizer = trace.authorizer.as_ref();
    let authorizer = authorizer.map(|(function, time)| AuthorizerStep {
        function: function.clone(),
        milliseconds: milliseconds(*time),
        is_called: call.is_some(),
        answered_in: trace.answered_in.clone(),
        error: call.and_then(|call| call.error.as_ref()).map(short),
    });
    let plan = trace.plan.map(|time| PlanStep {
        milliseconds: milliseconds(time),
        usage_key_id: exchange.usage_key.as_ref().map(|key| key.id.clone()),
        left: trace.left.clone(),
    });
    let handler = exchange.integration_call.as_ref();
    let handler = handler.zip(trace.handler.as_ref());
    let handler = handler.map(|(call, function)| HandlerStep {
        function: function.clone(),
        milliseconds: milliseconds(call.latency),
        status: call.status,
        error: call.error.as_ref().map(short),
    });
    let failed = handler.as_ref().and_then(|step| step.error.clone());
    let caller = trip::CALLER.iter().filter_map(|name| {
        let value = exchange.authorizer.get(*name)?;
        Some(((*name).to_owned(), short(value)))
    });
    Trip {
        request_id: exchange.request_id.clone(),
        received: exchange.received,
        method: exchange.method.to_string(),
        path: secrets.strike_text(&exchange.full_path).into_owned(),
        route: exchange.resource_path.clone(),
        status: exchange.status,
        error_type: exchange
            .fault
            .as_ref()
            .map(|fault| fault.kind.name().to_owned()),
        reason: trace.reason.as_ref().map(short).or(failed),
        milliseconds: milliseconds(exchange.started.elapsed()),
        authorizer,
        plan,
        handler,
        caller: caller.collect(),
        lines: Vec::new(),
    }
}

/// What was sent and answered, without a credential.
pub(super) fn papers(exchange: &Exchange, secrets: &Secrets, response: &Response<Bytes>) -> Papers {
    let trace = &exchange.trace;
    let answered = Answered {
        status: exchange.status,
        headers: response.headers(),
        body: response.body(),
        is_base64: response.extensions().get::<StillBase64>().is_some(),
    };
    Papers::new(
        secrets,
        trace.asked.as_ref(),
        trace.event.as_ref(),
        &answered,
    )
}

/// Where requests carry credentials, whatever the authorizer tells callers apart by.
fn sent_credentials(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let names = [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
        header::HeaderName::from_static("x-api-key"),
    ];
    let values = names
        .into_iter()
        .flat_map(|name| headers.get_all(name).iter());
    values.filter_map(|value| value.to_str().ok())
}
