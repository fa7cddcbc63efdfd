//! The two calls of Amazon CloudWatch Logs that are needed, signed by the SDK's own signer: the SDK's
//! client of the service has more than a hundred others, and all of them would be compiled.

use std::time::Duration;

use aws_config::SdkConfig;
use keygate_aws::Unsigned;
use keygate_outbound::{Outbound, OutboundError};
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The service's own variable for its endpoint.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS";
/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How many pages of one answer are read: a page may be empty, and have another behind it.
const MAX_PAGES: usize = 100;

/// Why the logs cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogServiceError {
    /// There is no region.
    #[error("no region: set AWS_REGION, or AWS_PROFILE to a profile that has one")]
    Region,
    /// There are no credentials.
    #[error("there are no AWS credentials: {0}")]
    Credentials(#[from] Unsigned),
    /// A call cannot be made.
    #[error("CloudWatch Logs at {url} cannot be called: {reason}")]
    Call {
        /// Where.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// A call is refused.
    #[error("CloudWatch Logs refuses {operation}: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// What it said.
        reason: String,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Line {
    #[serde(default)]
    pub(super) message: String,
    /// In milliseconds of the epoch.
    #[serde(default)]
    pub(super) timestamp: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    #[serde(default)]
    log_groups: Vec<Group>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lines {
    #[serde(default)]
    events: Vec<Line>,
    next_token: Option<String>,
}

/// The logs of an account in a region.
pub(super) struct LogService<'o> {
    outbound: &'o Outbound,
    config: SdkConfig,
    url: Url,
}

impl<'o> LogService<'o> {
    /// The account and region of the standard AWS settings.
    pub(super) async fn connect(outbound: &'o Outbound) -> Result<Self, LogServiceError> {
        let config = keygate_aws::sdk_config(outbound).await;
        let region = config.region().ok_or(LogServiceError::Region)?.to_string();
        let own = std::env::var(ENDPOINT).ok().filter(|url| !url.is_empty());
        let url = own.or_else(|| config.endpoint_url().map(str::to_owned));
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let url = url.unwrap_or_else(|| format!("https://logs.{region}.amazonaws.com{suffix}"));
        let parsed = Url::parse(&url).map_err(|error| LogServiceError::Call {
            url,
            reason: error.to_string(),
        })?;
        Ok(Self {
            outbound,
            config,
            url: parsed,
        })
    }

    /// The names of the log groups that begin so.
    pub(super) async fn groups(&self, prefix: &str) -> Result<Vec<String>, LogServiceError> {
        let mut names = Vec::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let mut body = json!({"logGroupNamePrefix": prefix});
            if let Some(token) = next {
                body["nextToken"] = Value::String(token);
            }
            let page: Groups = self.call("DescribeLogGroups", &body).await?;
            names.extend(
                page.log_groups
                    .into_iter()
                    .map(|group| group.log_group_name),
            );
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// The lines of a group since a time, in milliseconds of the epoch, that have one of these words.
    pub(super) async fn lines(
        &self,
        group: &str,
        words: &[&str],
        since: i64,
    ) -> Result<Vec<Line>, LogServiceError> {
        let pattern: Vec<String> = words.iter().map(|word| format!("?\"{word}\"")).collect();
        let mut lines = Vec::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let mut body = json!({
                "logGroupName": group, "filterPattern": pattern.join(" "), "startTime": since,
            });
            if let Some(token) = next {
                body["nextToken"] = Value::String(token);
            }
            let page: Lines = self.call("FilterLogEvents", &body).await?;
            lines.extend(page.events);
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        Ok(lines)
    }

    /// AWS JSON 1.1, signed.
    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        body: &Value,
    ) -> Result<T, LogServiceError> {
        let failed = |reason: String| LogServiceError::Call {
            url: self.url.to_string(),
            reason,
        };
        let body = body.to_string();
        let target = format!("Logs_20140328.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        let signature = keygate_aws::signature(&self.config, "logs", &self.url, &headers, &body);
        let signature = signature.await?;
        let client = self.outbound.client(&self.url)?;
        let mut request = client.post(self.url.clone()).timeout(LIMIT);
        let signature = signature
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in headers.into_iter().chain(signature) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await;
        let answer = answer.map_err(|error| failed(error.without_url().to_string()))?;
        let status = answer.status();
        let bytes = answer.bytes().await;
        let bytes = bytes.map_err(|error| failed(error.without_url().to_string()))?;
        if !status.is_success() {
            return Err(LogServiceError::Refused {
                operation,
                reason: reason(&bytes, status),
            });
        }
        serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
    }
}

/// What a refusal says: its kind, and a message where it has one.
fn reason(body: &[u8], status: reqwest::StatusCode) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let kind = text("__type").map_or(status.as_str(), |kind| {
        kind.rsplit('#').next().unwrap_or(kind)
    });
    match text("message").or_else(|| text("Message")) {
        Some(message) => format!("{kind}: {message}"),
        None => kind.to_owned(),
    }
}
