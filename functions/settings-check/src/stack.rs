//! Whether the stack goes back to what it had.
//!
//! A refused update is rolled back, and CloudFormation then sends the resource its former properties as
//! one more Update. An answer of FAILED to that leaves the stack in `UPDATE_ROLLBACK_FAILED`, from which
//! only a person gets it out (AWS re:Post, "best practices for custom resources"): so if an issuer is
//! down, the rollback would fail for the same reason as the update. The request does not say that it is
//! one of a rollback; the stack does.

use std::time::Duration;

use keygate_outbound::{Outbound, OutboundError};
use keygate_settings::Settings;
use url::Url;
use url::form_urlencoded::Serializer;

/// The service's own variable for its endpoint.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_CLOUDFORMATION";
/// The version of the service's API, the only one.
const API: &str = "2010-05-15";
/// How long one call may take, and how long after it the next is made. With the check and its answer they
/// must end within the function's timeout, 30 s in the templates.
const LIMIT: Duration = Duration::from_millis(1500);
const PAUSE: Duration = Duration::from_millis(500);
/// The status of a stack that goes back.
const ROLLBACK: &str = "UPDATE_ROLLBACK_IN_PROGRESS";

/// Why the stack's status is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StackError {
    #[error("{0} is no address")]
    Endpoint(String),
    #[error("the call cannot be signed: {0}")]
    Unsigned(#[from] keygate_aws::Unsigned),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("CloudFormation cannot be called: {0}")]
    Call(#[from] reqwest::Error),
    #[error("CloudFormation answered with status {0}")]
    Status(u16),
}

/// Whether the stack of this ARN is being rolled back: asked by one of these `ways`, then by the other and
/// once more by the first, as no answer would be taken for no rollback.
pub(crate) async fn is_rolling_back(
    stack: &str,
    ways: [&Outbound; 2],
    own: &Settings,
) -> Result<bool, StackError> {
    let [first, second] = ways;
    let mut answer = asked(stack, first, own).await;
    for way in [second, first] {
        let Err(error) = &answer else { break };
        tracing::warn!(%error, "the stack's status was not told");
        tokio::time::sleep(PAUSE).await;
        answer = asked(stack, way, own).await;
    }
    answer
}

async fn asked(stack: &str, outbound: &Outbound, own: &Settings) -> Result<bool, StackError> {
    let config = keygate_aws::sdk_config(outbound).await;
    let region = config.region().map_or("", AsRef::as_ref);
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let endpoint = keygate_aws::endpoint_override(own, ENDPOINT)
        .unwrap_or_else(|| format!("https://cloudformation.{region}.amazonaws.com{suffix}/"));
    let url = Url::parse(&endpoint).map_err(|_| StackError::Endpoint(endpoint))?;
    let body = Serializer::new(String::new())
        .append_pair("Action", "DescribeStacks")
        .append_pair("Version", API)
        .append_pair("StackName", stack)
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let signature = keygate_aws::signature(&config, "cloudformation", &url, &headers, &body);
    let mut request = outbound.client(&url)?.post(url.clone()).timeout(LIMIT);
    for (name, value) in &signature.await? {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await;
    let answer = answer.map_err(reqwest::Error::without_url)?;
    if !answer.status().is_success() {
        return Err(StackError::Status(answer.status().as_u16()));
    }
    let document = answer.text().await.map_err(reqwest::Error::without_url)?;
    Ok(status(&document) == Some(ROLLBACK))
}

/// The status of the one stack in the answer, an XML document. It is one of CloudFormation's words, so
/// nothing in it is escaped.
fn status(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("<StackStatus>")?;
    let (status, _) = rest.split_once("</StackStatus>")?;
    Some(status.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_stack_s() {
        let document = "<Stacks><member><StackName>a</StackName>\n<StackStatus>UPDATE_IN_PROGRESS</StackStatus>\
                        <StackStatusReason>x</StackStatusReason></member></Stacks>";
        assert_eq!(status(document), Some("UPDATE_IN_PROGRESS"));
        for other in ["", "<StackStatus>", "<StackStatus/>"] {
            assert_eq!(status(other), None, "{other}");
        }
    }
}
