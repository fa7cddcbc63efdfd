//! `keygate event NAME`: a sample event with a live credential, which no file can hold.

use keygate_console as console;
use keygate_gateway::sample_authorizer_event;
use keygate_model::deployment::KEY_TABLE;
use keygate_outbound::{Outbound, OutboundError};
use keygate_principal::scope::Scopes;
use keygate_routes::{Access, RouteMethod, RouteTable};
use keygate_template::offered;
use keygate_template::{self as template, TemplateError};
use serde::Deserialize;
use serde_json::Value;

use crate::aws;
use crate::cli::Event;
use crate::matrix::{Matrix, MatrixError};
use crate::ports;
use crate::seed::{self, SeedError};

/// The events there are, with what the authorizer answers to each.
const NAMES: [(&str, &str); 4] = [
    ("authorizer-jwt", "a token that opens every route: Allow"),
    ("authorizer-no-scope", "a token that opens none: Deny"),
    (
        "authorizer-expired",
        "a token that has expired: the error Unauthorized",
    ),
    (
        "authorizer-api-key",
        "an API key with every scope, new in the local key table: Allow",
    ),
];

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    /// The name is none of [`NAMES`].
    #[error("there is no event {0}; `keygate event` lists them")]
    Unknown(String),
    /// The issuer does not answer.
    #[error(
        "no token from {url}: {reason}; is the gateway running there? --issuer-port PORT says where"
    )]
    Issuer {
        /// The token endpoint.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The key table does not take a key.
    #[error("{0}; is the gateway running? --dynamodb-port PORT says where its DynamoDB is")]
    Key(#[from] SeedError),
    /// The event cannot be printed.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// The first route of the table is none that a request can be on.
    #[error("no sample request can be made: {0}")]
    Request(#[from] http::Error),
    /// The event is no JSON.
    #[error("the event cannot be printed: {0}")]
    Json(#[from] serde_json::Error),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Its route table cannot be used.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
}

/// Prints the event, or the names without one.
pub(crate) async fn print(options: &Event) -> Result<(), EventError> {
    let Some(name) = options.name.as_deref() else {
        let lines = NAMES.map(|(name, outcome)| format!("{name:22}{outcome}\n"));
        return Ok(console::print(&lines.concat())?);
    };
    let issuer = aws::address(options.issuer_port);
    let parameters =
        offered::parameters(&options.parameters, options.config_env.as_deref(), &issuer);
    let application = template::load(&options.template, &parameters)?;
    let table = Matrix::of(&application, &options.template)?.table;
    let outbound = Outbound::new(&keygate_settings::Settings::from_env())?;
    let credential = match name {
        "authorizer-jwt" => token(&outbound, options, &[]).await?,
        "authorizer-no-scope" => token(&outbound, options, &[("scope", "nothing:here")]).await?,
        "authorizer-expired" => token(&outbound, options, &[("lifetime", "-3600")]).await?,
        "authorizer-api-key" => {
            let every: Scopes = table.iter().flat_map(RouteTable::scopes).cloned().collect();
            let endpoint = aws::address(options.dynamodb_port);
            let client = aws::dynamodb(&outbound, &endpoint);
            seed::issue(
                &client,
                KEY_TABLE,
                &every,
                None,
                &seed::prefix(&application),
            )
            .await?
            .expose()
            .to_owned()
        }
        other => return Err(EventError::Unknown(other.to_owned())),
    };
    let (method, path) = asked_for(table.as_ref());
    let authorization = format!("Bearer {credential}");
    let event = sample_authorizer_event(
        &application.api,
        method,
        path,
        &authorization,
        ports::GATEWAY,
    )?;
    let event: Value = serde_json::from_slice(&event)?;
    Ok(console::print(&format!("{event:#}\n"))?)
}

/// The first route of the table that asks for a credential.
fn asked_for(table: Option<&RouteTable>) -> (&str, &str) {
    let mut routes = table.into_iter().flat_map(RouteTable::routes);
    let route = routes.find(|route| route.access != Access::Public);
    route.map_or(("GET", "/"), |route| {
        let method = match &route.method {
            RouteMethod::Any => "GET",
            RouteMethod::One(method) => method.as_str(),
        };
        (method, route.path.as_str())
    })
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
}

async fn token(
    outbound: &Outbound,
    options: &Event,
    extras: &[(&str, &str)],
) -> Result<String, EventError> {
    let url = format!("{}/token", aws::address(options.issuer_port));
    let failed = |reason: String| EventError::Issuer {
        url: url.clone(),
        reason,
    };
    let address = reqwest::Url::parse(&url).map_err(|error| failed(error.to_string()))?;
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", "me")];
    form.extend_from_slice(extras);
    let response = outbound
        .client(&address)?
        .post(address)
        .form(&form)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| failed(error.without_url().to_string()))?;
    let answer: TokenResponse = response
        .json()
        .await
        .map_err(|error| failed(error.without_url().to_string()))?;
    Ok(answer.access_token)
}
