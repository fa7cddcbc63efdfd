//! What no route serves, the page that explains each problem type, and the protected resource metadata.
//!
//! The binary of this package is the Lambda function; `settings-check` reads settings by the library.

mod accept;
mod html;
mod metadata;
mod pages;
mod resource;
mod unserved;

use keygate_problem::Problem;
use keygate_proxy::ProxyRequest;
use keygate_routes::RouteTable;
use keygate_settings::{SettingError, Settings};
use lambda_http::http::Method;
use lambda_http::{Body, Response};

use crate::metadata::Metadata;
use crate::resource::{INDEX, METADATA, METADATA_OF_PATH, PAGE, readable_at};

/// What every answer stands on.
#[derive(Debug)]
pub struct Api {
    table: RouteTable,
    metadata: Metadata,
}

impl Api {
    /// Reads the route table and what the protected resource metadata say.
    ///
    /// # Errors
    /// When a setting is missing or malformed.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            table: keygate_routes::required(settings)?,
            metadata: Metadata::read(settings)?,
        })
    }
}

/// Answers one request.
///
/// # Errors
/// What no route serves: 404, or 405 with `Allow`.
pub fn answer(request: &ProxyRequest, api: &Api) -> Result<Response<Body>, Problem> {
    let table = &api.table;
    let resource = match *request.method() {
        Method::GET => Some(request.resource_path()),
        // No route has HEAD, so API Gateway leaves it to `ANY`. It is answered as GET is, and the
        // gateway leaves the body out (RFC 9110 section 9.3.2).
        Method::HEAD => readable_at(table, request.path()),
        _ => None,
    };
    match resource {
        Some(INDEX) => pages::index(request),
        Some(PAGE) => pages::page(request),
        Some(METADATA | METADATA_OF_PATH) => api.metadata.answer(request, table),
        _ => Err(unserved::problem(table, request.method(), request.path())),
    }
}
