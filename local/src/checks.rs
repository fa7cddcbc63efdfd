//! The checks behind an authorizer's answer, for who looks on: the authorizer's own code goes through the
//! event once more, as `keygate explain` does. An authorizer that is another program has none to tell.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use authorizer::{Authorizer, Prepared};
use keygate_builds::package;
use keygate_gateway::trip::{CheckMade, CheckState};
use keygate_gateway::trips::{ToCheck, Trips};
use keygate_model::{Application, Build, Function};
use keygate_outbound::Outbound;
use keygate_settings::Settings;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::aws;

/// How many events wait at most. What comes while they do has no checks told.
pub(crate) const MAX_WAITING: usize = 32;
/// After each the requests themselves have their turn.
const PAUSE: Duration = Duration::from_millis(5);
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The binary that is our authorizer.
const CARGO_NAME: &str = "authorizer";

/// What the template's authorizer is started from.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    settings: Settings,
    dynamodb: String,
}

impl Checked {
    /// Our authorizer among a template's functions, where it is there.
    pub(crate) fn of(application: &Application, template: &Path, dynamodb: &str) -> Option<Self> {
        let mut authorizers = application.api.authorizers.values();
        let function = authorizers.find_map(|authorizer| {
            let function = application.functions.get(&authorizer.function)?;
            is_ours(function).then_some(function)
        })?;
        let environment = package::environment(function, package::home(template));
        Some(Self {
            settings: environment.into_iter().collect(),
            dynamodb: dynamodb.to_owned(),
        })
    }

    async fn start(self) -> Option<Authorizer> {
        let outbound = Outbound::new(&self.settings).ok()?;
        let client = aws::dynamodb(&outbound, &self.dynamodb);
        let prepared = Prepared::read(self.settings).ok()?;
        prepared.start_with(client).await.ok()
    }
}

fn is_ours(function: &Function) -> bool {
    matches!(&function.build, Build::Cargo(name) if name == CARGO_NAME)
}

/// Goes through the events that come, with the authorizer that there is then.
pub(crate) async fn follow(
    mut events: mpsc::Receiver<ToCheck>,
    mut checked: watch::Receiver<Option<Checked>>,
    trips: Arc<Trips>,
) {
    let mut authorizer = None;
    while let Some(ToCheck { request_id, event }) = events.recv().await {
        if authorizer.is_none() || checked.has_changed().unwrap_or(false) {
            let current = checked.borrow_and_update().clone();
            authorizer = match current {
                Some(current) => current.start().await,
                None => None,
            };
        }
        let Some(authorizer) = &authorizer else {
            continue;
        };
        let Ok(event) = serde_json::from_slice::<Value>(&event) else {
            continue;
        };
        let report = tokio::time::timeout(PATIENCE, authorizer.explain_event(&event)).await;
        if let Ok(Ok(report)) = report {
            trips.keep_checks(&request_id, report.checks().map(made).collect());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn made(check: authorizer::CheckShown<'_>) -> CheckMade {
    let state = match (check.is_made, check.failure) {
        (false, _) => CheckState::NotMade,
        (true, None) => CheckState::Passed,
        (true, Some(_)) => CheckState::Failed,
    };
    CheckMade {
        name: check.name.to_owned(),
        state,
        found: check.found.to_owned(),
        expected: check.expected.map(ToOwned::to_owned),
        failure: check
            .failure
            .map(|(code, reason)| (code.to_owned(), reason.to_owned())),
    }
}
