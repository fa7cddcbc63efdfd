//! A corpus: credentials, each with the reason for which it must be refused.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use keygate_tests::authorizer::{Authorizer, event};
use keygate_tests::build::{Build, output_with_input};
use keygate_tests::function::ROUTES;
use keygate_tests::issuer::AUDIENCE;
use keygate_tests::table::Table;
use serde_json::Value;
use tempfile::NamedTempFile;

/// The built authorizer.
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| Build::find().directory.join("authorizer"));

pub(crate) fn binary() -> &'static str {
    BINARY.to_str().unwrap()
}

/// Settings of an authorizer that has its key table at `url`, and `more`. The issuer is nowhere, as
/// no token is sent.
pub(crate) fn settings_of_keys_at<'a>(
    url: &'a str,
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut settings = vec![
        ("OAUTH_ISSUER", "http://127.0.0.1:9"),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("KEY_TABLE", Table::NAME),
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
    ];
    settings.extend(more);
    settings
}

/// One bad credential.
pub(crate) struct Case {
    /// What is wrong with it.
    pub(crate) what: String,
    pub(crate) event: Value,
    /// The reason code of docs/decisions.md.
    pub(crate) reason: &'static str,
}

impl Case {
    /// A TOKEN event with this `Authorization`.
    pub(crate) fn new(what: impl Into<String>, authorization: &str, reason: &'static str) -> Self {
        Self {
            what: what.into(),
            event: event(authorization),
            reason,
        }
    }

    pub(crate) fn bearer(what: impl Into<String>, token: &str, reason: &'static str) -> Self {
        Self::new(what, &format!("Bearer {token}"), reason)
    }
}

/// Sends every case to one authorizer, which must refuse each for its reason and still accept
/// `good` afterwards.
#[track_caller]
pub(crate) fn refuse_all(settings: &[(&str, &str)], cases: &[Case], good: &str) {
    let authorizer = Authorizer::start(binary(), settings);
    let mut wrong = Vec::new();
    for case in cases {
        let message = authorizer.invoke(case.event.clone()).error_message();
        if message != "Unauthorized" {
            wrong.push(format!("{}: {message}", case.what));
        }
    }
    let answer = authorizer.authorize(good).response();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    let reasons = authorizer.reasons();
    assert_eq!(reasons.len(), cases.len() + 1, "a line for each decision");
    for (case, reason) in cases.iter().zip(&reasons) {
        if case.reason != reason {
            wrong.push(format!("{}: {reason}, not {}", case.what, case.reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A template whose authorizer has no settings of its own.
const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      ApiKeySourceType: AUTHORIZER
      Auth:
        DefaultAuthorizer: Credential
        ApiKeyRequired: true
        Authorizers: {Credential: {FunctionArn: !GetAtt Authorizer.Arn}}
  Authorizer:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: .}
";

/// What `keygate explain` says of a credential to an authorizer with these settings: its report, and
/// whether it ended as for an accepted one.
pub(crate) fn explain(settings: &[(&str, &str)], credential: &str) -> (String, bool) {
    let template = NamedTempFile::new().unwrap();
    fs::write(&template, TEMPLATE).unwrap();
    let mut keygate = Command::new(BINARY.with_file_name("keygate"));
    keygate
        .arg("explain")
        .arg("--template")
        .arg(template.path());
    for (name, value) in settings.iter().chain(&[("ROUTES", ROUTES)]) {
        keygate.arg("--set").arg(format!("{name}={value}"));
    }
    let output = output_with_input(&mut keygate, credential);
    let said = [output.stdout, output.stderr].concat();
    let report = String::from_utf8(said).unwrap();
    (report, output.status.success())
}
