//! A resource behind the gateway: reports.

use std::process::ExitCode;

use keygate_problem::{NOT_FOUND, Problem};
use keygate_proxy::{ProxyRequest, json, serve};
use lambda_http::{Body, Response};
use serde_json::json;

fn main() -> ExitCode {
    serve("reports", report)
}

async fn report(request: ProxyRequest) -> Result<Response<Body>, Problem> {
    let caller = request.caller()?;
    match request.path_parameter("id") {
        Some("latest") => json(200, &json!({ "owner": caller.principal() })),
        _ => Err(Problem::new(&NOT_FOUND, "There is no such report.")),
    }
}
