//! What others recorded of API Gateway's management API.

use std::io::Write as _;

use aws_sdk_apigateway::config::http::HttpResponse;
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use tempfile::NamedTempFile;

use super::{client_of, code, create, start};

const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /, Method: GET}}}
  Told:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]
      Description: For partners
      Tags: [{Key: team, Value: shop}]
  Apart: {Type: AWS::ApiGateway::UsagePlan, Properties: {UsagePlanName: apart}}
";

/// The message of the error that a call is answered with.
fn message<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> String
where
    E: ProvideErrorMetadata,
{
    let Err(error) = answer else {
        panic!("it is not refused")
    };
    error.message().unwrap().to_owned()
}

#[tokio::test]
async fn texts_that_are_too_long_are_refused_in_api_gateways_words() {
    let (client, _) = start().await;
    let new_key = || client.create_api_key();
    for (call, words) in [
        (
            new_key().value("short"),
            "API Key value should be at least 20 characters",
        ),
        (
            new_key().value("é".repeat(129)),
            "API Key value exceeds maximum size of 128 characters",
        ),
        (
            new_key().name("a".repeat(1025)),
            "Invalid API Key name, can be at most 1024 characters.",
        ),
        (
            new_key().description("a".repeat(125_001)),
            "Invalid API Key description specified.",
        ),
    ] {
        assert_eq!(message(call.send().await), words);
    }
    let longest = new_key().value("é".repeat(128)).name("a".repeat(1024));
    let longest = longest.description("a".repeat(125_000)).send();
    assert_eq!(longest.await.unwrap().description().unwrap().len(), 125_000);
}

#[tokio::test]
async fn what_is_empty_is_not_there() {
    let (client, _) = start().await;
    let empty = client.create_api_key().name("").value("").description("");
    let made = empty.send().await.unwrap();
    assert_eq!(
        (made.name(), made.description(), made.tags()),
        (None, None, None)
    );
    assert!(made.value().unwrap().len() >= 20);
    let put = client
        .create_usage_plan_key()
        .usage_plan_id("partnerusageplan")
        .key_id(made.id().unwrap())
        .key_type("API_KEY");
    assert_eq!(put.send().await.unwrap().name(), None);
}

#[tokio::test]
async fn a_limit_that_no_page_can_have_is_none_and_a_plan_that_is_not_there_has_no_keys() {
    let (client, _) = start().await;
    for name in ["one", "two"] {
        create(&client, name).await;
    }
    let expected = client.get_api_keys().send().await.unwrap();
    assert!(expected.items().len() >= 2);
    for limit in [-1, 0, 501] {
        let page = client.get_api_keys().limit(limit).send().await.unwrap();
        assert_eq!(page.items(), expected.items(), "{limit}");
    }
    let keys = client.get_usage_plan_keys().usage_plan_id("nope");
    assert!(keys.send().await.unwrap().items().is_empty());
    let plan = client.get_usage_plan().usage_plan_id("nope").send().await;
    assert_eq!(message(plan), "Invalid Usage Plan ID specified");
}

#[tokio::test]
async fn a_plan_is_shown_with_what_it_has_and_nothing_else() {
    let mut template = NamedTempFile::new().unwrap();
    template.write_all(TEMPLATE.as_bytes()).unwrap();
    let (client, ..) = client_of(template.path(), &[]).await;
    let plan = async |id: &str| {
        let plan = client.get_usage_plan().usage_plan_id(id);
        plan.send().await.unwrap()
    };
    let told = plan("told").await;
    assert_eq!(told.description(), Some("For partners"));
    assert_eq!(told.tags().unwrap()["team"], "shop");
    assert_eq!(told.api_stages()[0].stage(), Some("dev"));
    let apart = plan("apart").await;
    assert_eq!(apart.name(), Some("apart"));
    assert_eq!((apart.description(), apart.tags()), (None, None));
    assert!(apart.api_stages().is_empty());
    assert!(apart.throttle().is_none() && apart.quota().is_none());

    let key = client.create_api_key().name("one").send().await.unwrap();
    let put = || {
        let put = client.create_usage_plan_key().usage_plan_id("apart");
        put.key_id(key.id().unwrap()).key_type("API_KEY").send()
    };
    put().await.unwrap();
    assert_eq!(code(put().await), "ConflictException");
}
