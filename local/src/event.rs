//! `keygate event NAME`: a sample event with a live credential, which no file can hold.

use keygate_outbound::{Outbound, OutboundError};
use serde::Deserialize;
use serde_json::json;

use crate::aws;
use crate::cli::Event;
use crate::deployment::{API_ID, KEY_TABLE, method_arn};
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
        "an API key, new in the local key table: Allow on items",
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
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

/// Prints the event, or the names without one.
pub(crate) async fn print(options: &Event) -> Result<(), EventError> {
    let Some(name) = options.name.as_deref() else {
        for (name, outcome) in NAMES {
            println!("{name:22}{outcome}");
        }
        return Ok(());
    };
    let outbound = Outbound::new(&keygate_settings::Settings::from_env())?;
    let credential = match name {
        "authorizer-jwt" => token(&outbound, options, &[]).await?,
        "authorizer-no-scope" => token(&outbound, options, &[("scope", "nothing:here")]).await?,
        "authorizer-expired" => token(&outbound, options, &[("lifetime", "-3600")]).await?,
        "authorizer-api-key" => {
            let endpoint = aws::address(options.dynamodb_port);
            let client = aws::dynamodb(&outbound, &endpoint);
            seed::issue(&client, KEY_TABLE, None)
                .await?
                .expose()
                .to_owned()
        }
        other => return Err(EventError::Unknown(other.to_owned())),
    };
    let event = json!({
        "type": "TOKEN",
        "authorizationToken": format!("Bearer {credential}"),
        "methodArn": method_arn(API_ID, "dev", "GET", "/items"),
    });
    println!("{event:#}");
    Ok(())
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
