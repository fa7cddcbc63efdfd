//! What changes no answer here: dropped before it is resolved, and named once.

use std::fs;
use std::path::Path;

use super::{changed, load, problem, with};
use crate::{Parameters, application, yaml};

/// The small template with more properties of its function.
fn of_function(properties: &str) -> String {
    let indented = properties.replace('\n', "\n      ");
    changed(
        "      Environment:",
        &format!("      {indented}\n      Environment:"),
    )
}

fn passed_over(text: &str) -> String {
    load(text, &[]).unwrap().passed_over.to_string()
}

#[test]
fn properties_and_types_without_a_meaning_here_are_named_by_type_and_once() {
    let text = of_function(
        "VpcConfig: {SubnetIds: [a], SecurityGroupIds: [b]}
DeadLetterQueue: {Type: SQS, TargetArn: x}
ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}
Description: for people
LoggingConfig: {LogGroup: !Ref Logs}",
    )
    .replacen(
        "      StageName:",
        "      DisableExecuteApiEndpoint: true\n      StageName:",
        1,
    ) + "  Logs: {Type: AWS::Logs::LogGroup}\n  More: {Type: AWS::Logs::LogGroup}\n";
    assert_eq!(
        passed_over(&text),
        "AWS::Logs::LogGroup; AWS::Serverless::Api (DisableExecuteApiEndpoint); \
         AWS::Serverless::Function (DeadLetterQueue, LogGroup, ProvisionedConcurrencyConfig, VpcConfig)"
    );
    let of_all = changed(
        "Conditions:",
        "Globals: {Function: {Tracing: Active, Tags: {a: b}}}\nConditions:",
    );
    assert_eq!(passed_over(&of_all), "AWS::Serverless::Function (Tracing)");
    assert_eq!(passed_over(super::SMALL), "");
}

#[test]
fn a_domain_that_asks_for_certificates_of_clients_is_refused() {
    let with_domain = |domain: &str| {
        super::SMALL.replacen(
            "      StageName:",
            &format!("      Domain: {domain}\n      StageName:"),
            1,
        )
    };
    assert!(load(&with_domain("{DomainName: a.example}"), &[]).is_ok());
    for domain in [
        "{DomainName: a.example, MutualTlsAuthentication: {TruststoreUri: 's3://a/b'}}",
        "!If [IsDev, {MutualTlsAuthentication: {TruststoreUri: 's3://a/b'}}, !Ref AWS::NoValue]",
    ] {
        let refused = load(&with_domain(domain), &[]).unwrap_err().join("; ");
        assert!(refused.contains("Domain"), "{refused}");
    }
}

#[test]
fn what_is_dropped_need_not_be_known_here() {
    for properties in [
        "Policies: [{Statement: [{Effect: Allow, Action: 's3:*', Resource: !GetAtt Bucket.WebsiteURL}]}]",
        "Policies: ['{{resolve:ssm:/policy}}']",
        "Description: '{{resolve:ssm:/d}}'\nDeadLetterQueue: {Type: SQS, TargetArn: '{{resolve:ssm:/d}}'}",
        "VpcConfig: {SubnetIds: !Split [',', !ImportValue subnets]}",
        "VpcConfig: {SubnetIds: [!Sub '${Group.VpcId}', !Ref Group]}",
        "LoggingConfig: {LogGroup: !ImportValue logs}",
    ] {
        let text = of_function(properties)
            + "  Bucket: {Type: AWS::S3::Bucket}\n  Group: {Type: AWS::EC2::SecurityGroup}\n";
        assert!(
            load(&text, &[]).is_ok(),
            "{properties}: {:?}",
            load(&text, &[])
        );
    }
    let of_all = changed(
        "Conditions:",
        "Globals: {Function: {VpcConfig: {SubnetIds: [!ImportValue a]}}}\nConditions:",
    );
    assert!(load(&of_all, &[]).is_ok());
    let stream = with(
        "        Changes: {Type: DynamoDB, Properties: {Stream: !GetAtt Books.StreamArn}}
  Books:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
",
    );
    assert_eq!(load(&stream, &[]).unwrap().ignored.len(), 1);
    let role = with(
        "  Own: {Type: AWS::IAM::Role, Properties: {Policies: [!GetAtt Bucket.WebsiteURL]}}
  Bucket: {Type: AWS::S3::Bucket}
Outputs: {Page: {Value: !GetAtt Bucket.WebsiteURL}}
",
    );
    assert!(load(&role, &[]).is_ok());
}

#[test]
fn a_reference_to_nothing_is_a_problem_even_where_its_value_is_not() {
    for properties in [
        "Policies: [{Statement: [{Resource: !GetAtt Nothing.Arn}]}]",
        "Policies: [{Statement: [{Resource: !Sub '${Api}${Nothing.Arn}'}]}]",
        "VpcConfig: {SubnetIds: [!If [IsDev, !Ref Nothing, !Ref Other]]}",
        "DeadLetterQueue: {TargetArn: {'Fn::GetAtt': [Nothing, Arn]}}",
    ] {
        let problem = problem(&of_function(properties));
        assert!(problem.contains("`Nothing` is no parameter"), "{problem}");
        assert!(problem.starts_with("line 22: Fn."), "{problem}");
    }
    // SAM makes resources of such names.
    let made =
        "Policies: [{Statement: [{Resource: !Sub '${FnRole.Arn}${!Nothing}${FnAliaslive}'}]}]";
    assert!(load(&of_function(made), &[]).is_ok());
}

#[test]
fn a_value_for_a_reference_that_means_nothing_here_is_no_mistake() {
    let text = of_function("DeadLetterQueue: {TargetArn: '{{resolve:ssm:/d}}'}");
    assert!(load(&text, &[("resolve:ssm:/d", "x")]).is_ok());
    assert!(load(&text, &[("resolve:ssm:/other", "x")]).is_err());
}

#[test]
fn names_of_samconfig_that_the_template_does_not_know_are_left_out() {
    let mut parameters = Parameters::default();
    parameters.configured.values = [("Old", "1"), ("Stage", "prod")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let root = yaml::parse(super::SMALL).unwrap();
    let application = application(&root, Path::new(""), &parameters).unwrap();
    assert_eq!(application.api.stage, "prod");
    assert_eq!(application.configured.unknown, ["Old"]);
}

#[test]
fn a_nested_stack_is_passed_over_where_it_serves_nothing_and_refused_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    let nested = folder.path().join("alarms.yaml");
    let stack = "  Alarms:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      \
                 TemplateURL: alarms.yaml\n      Parameters: {Function: !Ref Fn}\n";
    fs::write(&template, with(stack)).unwrap();
    let loaded =
        || crate::load(&template, &Parameters::default()).map_err(|error| error.to_string());
    let refused = |why: &str| {
        let error = loaded().unwrap_err();
        assert!(error.contains("Alarms: ") && error.contains(why), "{error}");
    };
    refused("cannot be read: ");

    let watches = "Resources:\n  Faults: {Type: AWS::CloudWatch::Alarm}\n  Log: {Type: AWS::Logs::LogGroup}\n";
    fs::write(&nested, watches).unwrap();
    let passed_over = loaded().unwrap().passed_over.to_string();
    assert_eq!(passed_over, "AWS::CloudFormation::Stack");

    for kind in [
        "AWS::Serverless::Function",
        "AWS::ApiGateway::Method",
        "AWS::CloudFormation::Stack",
    ] {
        let serves = format!("{watches}  Route: {{Type: {kind}}}\n");
        fs::write(&nested, serves).unwrap();
        refused(&format!("has Route ({kind})"));
    }
    fs::write(&template, with(&stack.replace("alarms.yaml", "!Ref Url"))).unwrap();
    refused("TemplateURL names no file");
    let at_s3 = stack.replace("alarms.yaml", "https://s3.amazonaws.com/bucket/alarms.yaml");
    fs::write(&template, with(&at_s3)).unwrap();
    refused("cannot be read: ");
}
