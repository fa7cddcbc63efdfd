//! What became of a request, as it is told to whoever looks on.

use super::exchange::Exchange;
use crate::trip::{self, AuthorizerStep, HandlerStep, PlanStep, Trip, milliseconds};

/// The request as it is told.
pub(super) fn trip(exchange: &Exchange) -> Trip {
    let trace = &exchange.trace;
    let call = exchange.authorizer_call.as_ref();
    let authorizer = trace.authorizer.as_ref();
    let authorizer = authorizer.map(|(function, time)| AuthorizerStep {
        function: function.clone(),
        milliseconds: milliseconds(*time),
        is_called: call.is_some(),
        error: call.and_then(|call| call.error.clone()),
    });
    let plan = trace.plan.map(|time| PlanStep {
        milliseconds: milliseconds(time),
        usage_key_id: exchange.usage_key.as_ref().map(|key| key.id.clone()),
    });
    let handler = exchange.integration_call.as_ref();
    let handler = handler.zip(trace.handler.as_ref());
    let handler = handler.map(|(call, function)| HandlerStep {
        function: function.clone(),
        milliseconds: milliseconds(call.latency),
        status: call.status,
        error: call.error.clone(),
    });
    let failed = handler.as_ref().and_then(|step| step.error.clone());
    let caller = trip::CALLER.iter().filter_map(|name| {
        let value = exchange.authorizer.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Trip {
        request_id: exchange.request_id.clone(),
        received: exchange.received,
        method: exchange.method.to_string(),
        path: exchange.full_path.clone(),
        route: exchange.resource_path.clone(),
        status: exchange.status,
        error_type: exchange
            .fault
            .as_ref()
            .map(|fault| fault.kind.name().to_owned()),
        reason: trace.reason.clone().or(failed),
        milliseconds: milliseconds(exchange.started.elapsed()),
        authorizer,
        plan,
        handler,
        caller: caller.collect(),
        lines: Vec::new(),
    }
}
