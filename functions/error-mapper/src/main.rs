//! What no route serves, and the page that explains each problem type.

mod accept;
mod pages;
mod unserved;

use std::process::ExitCode;

use keygate::problem::Problem;
use keygate::proxy::{self, Cors, ProxyRequest, ProxySettings};
use keygate::{logging, settings};
use lambda_http::{Body, Response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match logging::init().and_then(|()| ProxySettings::from_env()) {
        Ok(settings) => settings,
        Err(error) => return settings::refuse_to_start("error-mapper", &error),
    };
    proxy::exit_code(proxy::run(settings, Cors::OfResponse, answer).await)
}

async fn answer(request: ProxyRequest) -> Result<Response<Body>, Problem> {
    match request.route().map(|route| route.path) {
        Ok("/problems") => pages::index(&request),
        Ok("/problems/{type}") => pages::page(&request),
        _ => Err(unserved::problem(request.method(), request.path())),
    }
}
