//! The checks behind an authorizer's answer, for who looks on: the authorizer's own code goes through the
//! event once more, as `keygate explain` does. An authorizer that is another program has none to tell.

use std::collections::HashMap;
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

/// What an authorizer of the template is started from.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    settings: Settings,
    dynamodb: String,
}

impl Checked {
    /// Those of a template's authorizers that are ours, by the logical ids of their functions.
    pub(crate) fn all(
        application: &Application,
        template: &Path,
        dynamodb: &str,
    ) -> HashMap<String, Self> {
        let authorizers = application.api.authorizers.values();
        let ours = authorizers.filter_map(|authorizer| {
            let id = &authorizer.function;
            let function = application.functions.get(id)?;
            let environment = is_ours(function)
                .then(|| package::environment(function, package::home(template)))?;
            let checked = Self {
                settings: environment.into_iter().collect(),
                dynamodb: dynamodb.to_owned(),
            };
            Some((id.clone(), checked))
        });
        ours.collect()
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

/// Goes through the events that come, each with the authorizer that it was for, as that is then.
pub(crate) async fn follow(
    mut events: mpsc::Receiver<ToCheck>,
    mut checked: watch::Receiver<HashMap<String, Checked>>,
    trips: Arc<Trips>,
) {
    let mut authorizers = HashMap::new();
    while let Some(asked) = events.recv().await {
        if checked.has_changed().unwrap_or(false) {
            checked.mark_unchanged();
            authorizers.clear();
        }
        let ToCheck {
            function,
            request_id,
            event,
        } = asked;
        if !authorizers.contains_key(&function) {
            let ours = checked.borrow().get(&function).cloned();
            let Some(ours) = ours else {
                continue;
            };
            let Some(started) = ours.start().await else {
                continue;
            };
            authorizers.insert(function.clone(), started);
        }
        let Some(authorizer) = authorizers.get(&function) else {
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

#[cfg(test)]
mod tests {
    use std::fs;

    use keygate_template::{self as template, Parameters};
    use tempfile::TempDir;

    use super::*;

    const SEVERAL: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        Authorizers:
          First: {FunctionArn: !GetAtt Gate.Arn}
          Second: {FunctionArn: !GetAtt Strict.Arn}
          Third: {FunctionArn: !GetAtt Lenient.Arn}
  Gate:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Runtime: provided.al2023}
  Strict:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: authorizer}}
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Environment: {Variables: {IT_IS: strict}}
  Lenient:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: authorizer}}
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Environment: {Variables: {IT_IS: lenient}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Events:
        Any: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: /books, Method: get}}
";

    #[test]
    fn each_authorizer_that_is_ours_is_checked_with_its_own_settings_and_no_other_is() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("template.yaml");
        fs::write(&path, SEVERAL).unwrap();
        let application = template::load(&path, &Parameters::default()).unwrap();
        let all = Checked::all(&application, &path, "http://127.0.0.1:1");
        let setting = |id: &str| {
            all.get(id)
                .and_then(|of| of.settings.optional("IT_IS").unwrap())
        };
        assert_eq!(all.len(), 2);
        assert_eq!(setting("Strict"), Some("strict"));
        assert_eq!(setting("Lenient"), Some("lenient"));
        assert_eq!(setting("Gate"), None);
    }
}
