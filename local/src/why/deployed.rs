//! A deployed stack: its access log, and what its functions logged for the request.

use jiff::{SignedDuration, Timestamp};
use keygate_functions::with_metrics_summed_up;
use keygate_outbound::Outbound;
use serde::Serialize;
use serde_json::{Map, Value};

use super::log_service::{LogService, LogServiceError};
use super::report;
use crate::cli::why::{Output, Why};

/// Fields of the access log that name the request in the functions' logs, as the repository's template
/// has them.
const OTHER_IDS: [&str; 2] = ["authorizerRequestId", "integrationRequestId"];

/// Why nothing is said of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeployedError {
    /// The logs cannot be read.
    #[error(transparent)]
    Logs(#[from] LogServiceError),
    /// The stack has no such log.
    #[error("there is no log group {0}: is --stack the stack's name, and AWS_REGION its region?")]
    NoGroup(String),
    /// The request is in none of the logs.
    #[error(
        "no log of {stack} has the request {id} within the last {hours} h: a line may take a minute to arrive, and --hours looks further back"
    )]
    NoRequest {
        /// The stack.
        stack: String,
        /// The request.
        id: String,
        /// How far back it was looked for.
        hours: u32,
    },
}

/// What a stack's logs have of a request.
#[derive(Debug, Serialize)]
struct Found {
    /// The access log's lines: one, unless a client chose the id of another request.
    access: Vec<Map<String, Value>>,
    lines: Vec<FoundLine>,
}

#[derive(Debug, Serialize)]
struct FoundLine {
    log_group: String,
    timestamp: i64,
    message: String,
}

/// What the logs of a stack tell of a request, as it is printed.
pub(super) async fn told(
    outbound: &Outbound,
    options: &Why,
    stack: &str,
) -> Result<String, DeployedError> {
    let service = LogService::connect(outbound).await?;
    let back = SignedDuration::from_hours(options.hours.into());
    let since = Timestamp::now() - back;
    let since = since.as_millisecond();
    let id = options.request_id.as_str();
    let access_group = format!("/aws/apigateway/{stack}/access");
    let functions = format!("/aws/lambda/{stack}-");
    if service.groups(&access_group).await?.is_empty() {
        return Err(DeployedError::NoGroup(access_group));
    }
    let lines = service.lines(&access_group, &[id], since).await?;
    let access: Vec<Map<String, Value>> = lines.iter().map(|line| fields(&line.message)).collect();
    let others = access.iter().flat_map(|line| {
        let ids = OTHER_IDS
            .iter()
            .filter_map(|name| line.get(*name)?.as_str());
        ids.filter(|id| *id != "-")
    });
    let mut ids: Vec<&str> = std::iter::once(id).chain(others).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut lines = Vec::new();
    for group in service.groups(&functions).await? {
        for line in service.lines(&group, &ids, since).await? {
            lines.push(FoundLine {
                log_group: group.clone(),
                timestamp: line.timestamp,
                message: line.message,
            });
        }
    }
    lines.sort_by_key(|line| line.timestamp);
    if access.is_empty() && lines.is_empty() {
        return Err(DeployedError::NoRequest {
            stack: stack.to_owned(),
            id: id.to_owned(),
            hours: options.hours,
        });
    }
    let found = Found { access, lines };
    Ok(match options.output {
        Output::Json => report::json(&found),
        Output::Text => text(id, &found),
    })
}

/// A line of the access log by its names; a format that is no JSON has one.
fn fields(line: &str) -> Map<String, Value> {
    let whole = || Map::from_iter([("line".to_owned(), Value::from(line))]);
    serde_json::from_str(line).unwrap_or_else(|_| whole())
}

/// For a person: what became of it, why, and what the functions wrote.
fn text(id: &str, found: &Found) -> String {
    let mut text = String::new();
    for line in &found.access {
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or("-");
        let [method, path, status] = ["method", "path", "status"].map(field);
        let outcome = [method, " ", path, " was answered ", status].concat();
        text += &keygate_visible::line(&outcome);
        text.push('\n');
    }
    if found.access.is_empty() {
        text += &[id, " is in the functions' logs alone\n"].concat();
    }
    for reason in found.lines.iter().filter_map(|line| reason(&line.message)) {
        report::entry(&mut text, "because", &reason);
    }
    for (name, value) in found.access.iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        if value != "-" {
            report::entry(&mut text, "access log", &format!("{name}: {value}"));
        }
    }
    for line in &found.lines {
        let function = line.log_group.rsplit('/').next().unwrap_or_default();
        let message = with_metrics_summed_up(&line.message);
        report::logged(&mut text, "log", function, &message);
    }
    text
}

/// The reason that a line of an authorizer's decision gives, where it refused.
fn reason(line: &str) -> Option<String> {
    let line: Map<String, Value> = serde_json::from_str(line).ok()?;
    let field = |name: &str| line.get(name).and_then(Value::as_str);
    if field("decision")? == "allow" {
        return None;
    }
    let code = field("reason")?;
    Some(field("detail").map_or_else(|| code.to_owned(), |detail| format!("{detail} ({code})")))
}
