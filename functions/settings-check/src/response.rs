//! What CloudFormation is answered (CloudFormation user guide, "Custom resource response objects"), at
//! the presigned address that it gave.

use std::collections::BTreeMap;
use std::time::Duration;

use keygate_outbound::{Outbound, OutboundError};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use url::Url;

use crate::fingerprint::fingerprints;
use crate::request::Request;

/// How often an answer is sent.
const ATTEMPTS: usize = 4;
/// How long one attempt may take.
const LIMIT: Duration = Duration::from_millis(2500);
/// How long after the first failure the next attempt is made; twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(250);

/// An answer. Each member that stands for the request is the request's own.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response<'r> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same for all requests of a resource: with another one CloudFormation would take an update for
    /// a replacement.
    physical_resource_id: String,
    stack_id: &'r str,
    request_id: &'r str,
    logical_resource_id: &'r str,
    /// The attributes of the resource. A refusal needs none, and could name functions at any length.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: BTreeMap<String, String>,
}

/// An answer that did not arrive. Nothing of the address is in it: whoever has that may answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the answer cannot be written: {0}")]
    Document(#[from] serde_json::Error),
    #[error("the address of the answer cannot be reached: {0}")]
    Call(reqwest::Error),
    #[error("the address of the answer refused it with status {0}")]
    Refused(u16),
}

impl<'r> Response<'r> {
    /// The settings are good, or are gone; or else the reason why they are refused.
    pub(crate) fn new(request: &'r Request, refused: Option<String>) -> Self {
        let member = |name| request.text(name).unwrap_or_default();
        let (stack_id, logical_resource_id) = (member("StackId"), member("LogicalResourceId"));
        let former = member("PhysicalResourceId");
        let data = if refused.is_some() || member("RequestType") == "Delete" {
            BTreeMap::new()
        } else {
            fingerprints(request.properties())
        };
        Self {
            status: if refused.is_some() {
                "FAILED"
            } else {
                "SUCCESS"
            },
            reason: refused,
            physical_resource_id: if former.is_empty() {
                let (_, stack) = stack_id.rsplit_once('/').unwrap_or_default();
                format!("settings-{stack}")
            } else {
                former.to_owned()
            },
            stack_id,
            request_id: member("RequestId"),
            logical_resource_id,
            data,
        }
    }

    /// Sends the answer, and again where that may help, by each of these `ways` in turn.
    pub(crate) async fn send(&self, url: &Url, ways: [&Outbound; 2]) -> Result<(), NotSent> {
        let document = serde_json::to_vec(self)?;
        let mut pause = PAUSE;
        let mut ways = ways.into_iter().cycle().take(ATTEMPTS).peekable();
        while let Some(way) = ways.next() {
            let Err(failure) = put(url, document.clone(), way).await else {
                break;
            };
            if ways.peek().is_none() || !failure.may_pass() {
                return Err(failure);
            }
            tracing::warn!(error = %failure, "the answer was not sent");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }
}

impl NotSent {
    /// Whether another attempt may succeed: S3 refuses an address that is no longer good each time.
    fn may_pass(&self) -> bool {
        match self {
            Self::Call(_) | Self::Outbound(_) => true,
            Self::Refused(status) => *status >= 500 || *status == 429,
            Self::Document(_) => false,
        }
    }
}

async fn put(url: &Url, document: Vec<u8>, outbound: &Outbound) -> Result<(), NotSent> {
    let request = outbound.client(url)?.put(url.clone()).timeout(LIMIT);
    // The address is signed for no type, as CloudFormation's own module `cfn-response` has it.
    let request = request.header(CONTENT_TYPE, HeaderValue::from_static(""));
    let answer = request.body(document).send().await;
    let answer = answer.map_err(|error| NotSent::Call(error.without_url()))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(NotSent::Refused(answer.status().as_u16()))
    }
}
