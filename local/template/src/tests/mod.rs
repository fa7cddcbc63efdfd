//! Whole templates, small ones and the repository's own.

mod alone;
mod authorizers;
mod beside;
mod bounds;
mod cors;
mod edges;
mod functions;
mod intrinsics;
mod method_settings;
mod open_api;
mod passed_over;
mod permissions;
mod properties;
mod repository;
mod request_validation;
mod rules;
mod settings;
mod syntax;
mod tables;
mod transformed;
mod usage_plans;
mod watched;

use std::path::Path;

use keygate_model::{Application, AuthorizerEvents};

use crate::{Parameters, application, yaml};

/// A template that loads: one API with an authorizer, one function, one route.
const SMALL: &str = "
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      ApiKeySourceType: AUTHORIZER
      Auth:
        Authorizers:
          Credential:
            FunctionArn: !GetAtt Fn.Arn
            Identity: {ValidationExpression: 'Bearer .+', ReauthorizeEvery: 60}
  Fn:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: fn}}
    Properties:
      Environment: {Variables: {VALUE: '#value'}}
      Events:
        Get:
          Type: Api
          Properties:
            RestApiId: !Ref Api
            Path: /things/{id}
            Method: GET
            Auth: {Authorizer: Credential, ApiKeyRequired: true}
";

/// Loads a text as if it lay in the repository; problems as the lines that a person reads.
fn load(text: &str, parameters: &[(&str, &str)]) -> Result<Application, Vec<String>> {
    let given = parameters.iter();
    let given = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let parameters = Parameters {
        given: given.collect(),
        ..Parameters::default()
    };
    let root = yaml::parse(text).unwrap();
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    application(&root, folder, &parameters)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The small template with one thing written in another way.
fn changed(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replacen(from, to, 1)
}

/// The small template with more resources.
fn with(resources: &str) -> String {
    format!("{SMALL}{resources}")
}

/// The one problem of a template.
fn problem(text: &str) -> String {
    let problems = load(text, &[]).expect_err("it should not load");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.into_iter().next().unwrap()
}

#[test]
fn a_small_template_loads() {
    let application = load(SMALL, &[]).unwrap();
    let route = &application.api.routes[0];
    assert_eq!(application.api.id, "local");
    assert_eq!(application.api.stage, "dev");
    assert_eq!(
        (route.path.as_str(), route.function().unwrap()),
        ("/things/{id}", "Fn")
    );
    assert_eq!(route.authorizer.as_deref(), Some("Credential"));
    assert!(route.api_key_required);
    let authorizer = &application.api.authorizers["Credential"];
    let AuthorizerEvents::Token { header, expression } = &authorizer.events else {
        panic!("{authorizer:?}")
    };
    let expression = expression.as_ref().unwrap();
    assert!(expression.is_match("Bearer x"));
    assert!(
        !expression.is_match("A Bearer x\n"),
        "API Gateway matches the whole value"
    );
    assert_eq!(header, "Authorization");
    let function = &application.functions["Fn"];
    assert_eq!((function.timeout.as_secs(), function.memory_mib), (3, 128));
}

#[test]
fn a_file_that_is_not_there_names_the_flag() {
    let path = Path::new("/nonexistent/template.yaml");
    let error = crate::load(path, &Parameters::default()).unwrap_err();
    assert!(error.to_string().contains("--template"), "{error}");
}
