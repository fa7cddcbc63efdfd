//! What no route serves, the page that explains each problem type, and the protected resource metadata.

mod accept;
mod html;
mod metadata;
mod pages;
mod resource;
mod unserved;

use std::process::ExitCode;
use std::sync::Arc;

use keygate_problem::Problem;
use keygate_proxy::{Cors, ProxyRequest};
use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};
use lambda_http::http::Method;
use lambda_http::{Body, Response};

use crate::metadata::Metadata;
use crate::resource::{INDEX, METADATA, METADATA_OF_PATH, PAGE, readable_at};

/// What every answer stands on.
struct Api {
    table: RouteTable,
    metadata: Metadata,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = env!("CARGO_PKG_NAME");
    let open = async |settings: &_| api(settings);
    keygate_proxy::start(function, Cors::OfResponse, open, answer).await
}

fn api(settings: &Settings) -> Result<Api, SettingError> {
    Ok(Api {
        table: keygate_routes::required(settings)?,
        metadata: Metadata::read(settings)?,
    })
}

async fn answer(request: ProxyRequest, api: Arc<Api>) -> Result<Response<Body>, Problem> {
    let table = &api.table;
    let resource = match *request.method() {
        Method::GET => Some(request.resource_path()),
        // No route has HEAD, so API Gateway leaves it to `ANY`. It is answered as GET is, and the
        // gateway leaves the body out (RFC 9110 section 9.3.2).
        Method::HEAD => readable_at(table, request.path()),
        _ => None,
    };
    match resource {
        Some(INDEX) => pages::index(&request),
        Some(PAGE) => pages::page(&request),
        Some(METADATA | METADATA_OF_PATH) => api.metadata.answer(&request, table),
        _ => Err(unserved::problem(table, request.method(), request.path())),
    }
}
