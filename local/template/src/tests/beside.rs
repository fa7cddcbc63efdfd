//! References to resources beside the API.

use super::{load, problem, with};

/// The small template with a resource, and one variable that is this.
fn referring(resource: &str, value: &str) -> String {
    let text = with(&format!("  Beside: {resource}\n"));
    text.replacen("'#value'", value, 1)
}

#[test]
fn a_reference_to_what_is_beside_the_api_has_the_form_that_aws_gives_it() {
    for (kind, reference, expected) in [
        ("CloudWatch::Alarm", "!Ref Beside", "NAME"),
        (
            "CloudWatch::Alarm",
            "!GetAtt Beside.Arn",
            "arn:aws:cloudwatch:HERE:alarm:NAME",
        ),
        (
            "CloudWatch::CompositeAlarm",
            "!GetAtt Beside.Arn",
            "arn:aws:cloudwatch:HERE:alarm:NAME",
        ),
        ("Events::EventBus", "!Ref Beside", "NAME"),
        (
            "Events::EventBus",
            "!GetAtt Beside.Arn",
            "arn:aws:events:HERE:event-bus/NAME",
        ),
        (
            "Events::Rule",
            "!GetAtt Beside.Arn",
            "arn:aws:events:HERE:rule/NAME",
        ),
        (
            "IAM::ManagedPolicy",
            "!Ref Beside",
            "arn:aws:iam::123456789012:policy/NAME",
        ),
        ("KinesisFirehose::DeliveryStream", "!Ref Beside", "NAME"),
        (
            "KinesisFirehose::DeliveryStream",
            "!GetAtt Beside.Arn",
            "arn:aws:firehose:HERE:deliverystream/NAME",
        ),
        ("SSM::Parameter", "!Ref Beside", "NAME"),
        (
            "Kinesis::Stream",
            "!GetAtt Beside.Arn",
            "arn:aws:kinesis:HERE:stream/NAME",
        ),
        (
            "StepFunctions::StateMachine",
            "!Ref Beside",
            "arn:aws:states:HERE:stateMachine:NAME",
        ),
        (
            "SNS::Topic",
            "!GetAtt Beside.TopicArn",
            "arn:aws:sns:HERE:NAME",
        ),
    ] {
        let text = referring(&format!("{{Type: AWS::{kind}}}"), reference);
        let application = load(&text, &[]).unwrap();
        let here = expected.replace("HERE", "us-east-1:123456789012");
        let value = &application.functions["Fn"].environment["VALUE"];
        assert_eq!(
            *value,
            here.replace("NAME", "keygate-local-Beside"),
            "{kind} {reference}"
        );
    }
}

#[test]
fn a_reference_whose_form_is_not_known_is_refused_with_its_line() {
    for (resource, reference, words) in [
        (
            "{Type: AWS::SNS::Subscription}",
            "!Ref Beside",
            "no `Ref` of AWS::SNS::Subscription",
        ),
        (
            "{Type: AWS::SNS::Topic}",
            "!GetAtt Beside.Arn",
            "no attribute `Arn` of AWS::SNS::Topic",
        ),
        (
            "{Type: AWS::CloudWatch::Dashboard}",
            "!GetAtt Beside.Arn",
            "no attribute `Arn`",
        ),
        (
            "{Type: AWS::Events::Rule, Properties: {EventBusName: other}}",
            "!GetAtt Beside.Arn",
            "no attribute `Arn`",
        ),
        (
            "{Type: AWS::IAM::ManagedPolicy, Properties: {Path: /team/}}",
            "!Ref Beside",
            "no `Ref` of",
        ),
    ] {
        let refused = problem(&referring(resource, reference));
        assert!(
            refused.contains(words) && refused.contains("line 22"),
            "{words}: {refused}"
        );
    }
}

#[test]
fn what_aws_makes_up_is_made_up_here_in_its_form_and_stays_the_same() {
    for (resource, reference, form) in [
        (
            "{Type: AWS::SecretsManager::Secret}",
            "!Ref Beside",
            r"arn:aws:secretsmanager:us-east-1:123456789012:secret:keygate-local-Beside-[0-9a-f]{6}",
        ),
        (
            "{Type: AWS::KMS::Key, Properties: {KeyPolicy: {}}}",
            "!GetAtt Beside.Arn",
            r"arn:aws:kms:us-east-1:123456789012:key/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        ),
        (
            "{Type: AWS::Cognito::UserPool}",
            "!Ref Beside",
            "us-east-1_[0-9a-f]{9}",
        ),
        (
            "{Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Stage}}",
            "!GetAtt Beside.Value",
            "dev",
        ),
    ] {
        let text = referring(resource, reference);
        let value = || {
            let application = load(&text, &[]).unwrap();
            application.functions["Fn"].environment["VALUE"].clone()
        };
        let form = regex::Regex::new(&format!("^{form}$")).unwrap();
        assert!(form.is_match(&value()), "{}", value());
        assert_eq!(value(), value());
    }
}

#[test]
fn networks_names_and_stores_beside_the_api_are_ignored_by_name() {
    for kind in [
        "AWS::EC2::SecurityGroup",
        "AWS::Route53::RecordSet",
        "AWS::RDS::DBInstance",
    ] {
        let text = with(&format!("  Beside: {{Type: '{kind}'}}\n"));
        let ignored = load(&text, &[]).unwrap().ignored;
        assert_eq!(ignored[0].to_string(), format!("Beside ({kind}, line 31)"));
    }
}

/// The function that makes a custom resource for CloudFormation, and the resource.
const PROVIDED: &str = "  Provider:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: provider}}
    Properties: {AutoPublishAlias: made}
  Made:
    Type: Custom::Thing
    Properties: {ServiceToken: !GetAtt Provider.Arn, Code: !Ref Provider.Version, Of: !GetAtt Nothing.Known}
";

#[test]
fn a_function_that_cloudformation_alone_calls_is_left_out_with_the_resource_that_it_makes() {
    let text = with(PROVIDED).replacen(
        "    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: fn}}",
        "    DependsOn: Made\n    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: fn}}",
        1,
    );
    let application = load(&text, &[]).unwrap();
    assert_eq!(Vec::from_iter(application.functions.keys()), ["Fn"]);
    let ignored = application.ignored.iter().map(ToString::to_string);
    assert_eq!(
        Vec::from_iter(ignored),
        [
            "Provider (AWS::Serverless::Function, line 32)",
            "Made (Custom::Thing, line 36)"
        ]
    );
}

#[test]
fn a_function_that_the_api_calls_too_is_served() {
    for token in ["!GetAtt Fn.Arn", "!GetAtt [Fn, Arn]"] {
        for kind in ["Custom::Thing", "AWS::CloudFormation::CustomResource"] {
            let made =
                format!("  Made: {{Type: '{kind}', Properties: {{ServiceToken: {token}}}}}\n");
            let application = load(&with(&made), &[]).unwrap();
            assert_eq!(Vec::from_iter(application.functions.keys()), ["Fn"]);
        }
    }
    let token = "!Sub 'arn:aws:lambda:${AWS::Region}:123456789012:function:elsewhere'";
    let made =
        format!("  Made: {{Type: 'Custom::Thing', Properties: {{ServiceToken: {token}}}}}\n");
    assert_eq!(load(&with(&made), &[]).unwrap().functions.len(), 1);
}
