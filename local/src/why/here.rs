//! The gateway that runs on this machine, which keeps its latest requests.

use std::time::Duration;

use keygate_gateway::trip::Trip;
use keygate_outbound::{Outbound, OutboundError};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::report;
use crate::aws;
use crate::cli::why::{Output, Why};

/// How long the gateway may take: another program may have its port, and say nothing.
const LIMIT: Duration = Duration::from_secs(5);

/// Why nothing is said of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HereError {
    /// No gateway is asked.
    #[error(
        "no gateway answers at {url} ({reason}): start one with `keygate`, name its --api-gateway-port, or a deployed --stack"
    )]
    NoGateway {
        /// Where it was looked for.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// The gateway does not know it.
    #[error("{0}")]
    NoRequest(String),
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

#[derive(Deserialize)]
struct Refused {
    message: String,
}

/// What the running gateway tells of a request, as it is printed.
pub(super) async fn told(outbound: &Outbound, options: &Why) -> Result<String, HereError> {
    let url = aws::address(options.api_gateway_port);
    let none = |reason: String| HereError::NoGateway {
        url: url.clone(),
        reason,
    };
    let mut address = Url::parse(&url).map_err(|error| none(error.to_string()))?;
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.extend(["_keygate", "requests", &options.request_id]);
    }
    let client = outbound.client(&address)?;
    let answer = client.get(address).timeout(LIMIT).send().await;
    let answer = answer.map_err(|error| none(error.without_url().to_string()))?;
    let status = answer.status();
    let body = answer.bytes().await;
    let body = body.map_err(|error| none(error.without_url().to_string()))?;
    if status == StatusCode::NOT_FOUND
        && let Ok(refused) = serde_json::from_slice::<Refused>(&body)
    {
        return Err(HereError::NoRequest(refused.message));
    }
    let trip: Trip = serde_json::from_slice(&body).map_err(|_| {
        none(format!(
            "what listens there answers {status}, and is no keygate"
        ))
    })?;
    Ok(match options.output {
        Output::Text => report::text(&trip),
        Output::Json => report::json(&trip),
    })
}
