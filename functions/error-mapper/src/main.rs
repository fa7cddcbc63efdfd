//! What no route serves, and the page that explains each problem type.

mod accept;
mod html;
mod pages;
mod resource;
mod unserved;

use std::process::ExitCode;
use std::sync::Arc;

use keygate_problem::Problem;
use keygate_proxy::{Cors, ProxyRequest};
use keygate_routes::RouteTable;
use lambda_http::http::Method;
use lambda_http::{Body, Response};

use crate::resource::{INDEX, PAGE, page_at};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = env!("CARGO_PKG_NAME");
    let open = async |settings: &_| keygate_routes::required(settings);
    keygate_proxy::start(function, Cors::OfResponse, open, answer).await
}

async fn answer(request: ProxyRequest, table: Arc<RouteTable>) -> Result<Response<Body>, Problem> {
    let resource = match *request.method() {
        Method::GET => Some(request.resource_path()),
        // No route has HEAD, so API Gateway leaves it to `ANY`. It is answered as GET is, and the
        // gateway leaves the body out (RFC 9110 section 9.3.2).
        Method::HEAD => page_at(&table, request.path()),
        _ => None,
    };
    match resource {
        Some(INDEX) => pages::index(&request),
        Some(PAGE) => pages::page(&request),
        _ => Err(unserved::problem(&table, request.method(), request.path())),
    }
}
