//! Resources and their properties: honoured, of no meaning here, or refused by name.

use std::time::Duration;

use super::{SMALL, changed, load, problem, with};

#[test]
fn a_property_that_is_not_supported_is_named_with_its_resource_and_line() {
    assert_eq!(
        problem(&changed(
            "      ApiKeySource",
            "      MinimumCompressionSize: 0\n      ApiKeySource"
        )),
        "line 12: Api.MinimumCompressionSize: the local gateway does not support this property"
    );
}

#[test]
fn binary_media_types_are_read_with_sams_spelling_of_the_slash() {
    let template = changed(
        "      ApiKeySource",
        "      BinaryMediaTypes: [image~1png, '*/*']\n      ApiKeySource",
    );
    let types = load(&template, &[]).unwrap().api.binary_media_types;
    assert_eq!(types, ["image/png", "*/*"]);
}

#[test]
fn every_property_of_an_api_that_cannot_be_honoured_is_one_problem() {
    let cases = [
        ("StageName: !Ref Stage", "StageName: a/b", "StageName `a/b`"),
        (
            "StageName: !Ref Stage",
            "CanarySetting: {}\n      StageName: !Ref Stage",
            "Api.CanarySetting",
        ),
        (
            "StageName: !Ref Stage",
            "CacheClusterEnabled: true\n      StageName: x",
            "CacheCluster",
        ),
        (
            "!GetAtt Fn.Arn",
            "!GetAtt Fn.Arn\n            FunctionPayloadType: OTHER",
            "OTHER",
        ),
        (
            "!GetAtt Fn.Arn",
            "arn:aws:lambda:x",
            "is no function of this template",
        ),
        (
            "ReauthorizeEvery: 60",
            "ReauthorizeEvery: 3601",
            "from 0 to 3600",
        ),
        ("'Bearer .+'", "'(?=x)'", "look-around"),
    ];
    for (from, to, expected) in cases {
        let problem = problem(&changed(from, to));
        assert!(problem.contains(expected), "{to}: {problem}");
    }
}

#[test]
fn every_property_of_a_function_that_cannot_be_honoured_is_one_problem() {
    let cases = [
        (
            "BuildProperties: {Binary: fn}",
            "BuildProperties: {}",
            "Binary is required",
        ),
        (
            "Binary: fn",
            "Binary: fn, Flags: x",
            "Fn.Metadata.BuildProperties.Flags",
        ),
        ("rust-cargolambda", "esbuild", "`esbuild` is not supported"),
        (
            "BuildMethod: rust-cargolambda, BuildProperties: {Binary: fn}",
            "BuildMethod: makefile, WorkingDirectory: ../",
            "Fn.Metadata.WorkingDirectory",
        ),
        (
            "Environment:",
            "Timeout: 0\n      Environment:",
            "from 1 to 900",
        ),
        (
            "Environment:",
            "Runtime: java21\n      Environment:",
            "line 22: Fn.Runtime: `java21` is not supported",
        ),
        (
            "Environment:",
            "Runtime: python3.14\n      Handler: a.b\n      Environment:",
            "Fn.Runtime: what cargo builds runs on a provided runtime",
        ),
        (
            "Environment:",
            "Layers: [x]\n      Environment:",
            "Fn.Layers",
        ),
        (
            "Path: /things/{id}",
            "Path: things",
            "must begin with a slash",
        ),
        ("Method: GET", "Method: FETCH", "`FETCH` is no method"),
        (
            "RestApiId: !Ref Api",
            "RestApiId: other",
            "names no AWS::Serverless::Api",
        ),
        (
            "RestApiId: !Ref Api",
            "TimeoutInMillis: 100\n            RestApiId: !Ref Api",
            "TimeoutInMillis",
        ),
        (
            "Authorizer: Credential",
            "Authorizer: Nothing",
            "no authorizer `Nothing`",
        ),
        (
            "Authorizer: Credential",
            "Authorizer: NONE",
            "SAM refuses it",
        ),
        (
            "ApiKeyRequired: true",
            "ApiKeyRequired: false",
            "SAM refuses it",
        ),
        (
            "ApiKeyRequired: true",
            "ApiKeyRequired: maybe",
            "true or false",
        ),
        ("Type: Api\n", "Type: HttpApi\n", "events of type HttpApi"),
        (
            "AWS::Serverless-2016-10-31",
            "AWS::LanguageExtensions",
            "Transform",
        ),
        (
            "Conditions:",
            "Hooks: {}\nConditions:",
            "does not support this section",
        ),
        (
            "Conditions:",
            "Globals: {Topic: {}}\nConditions:",
            "Globals.Topic",
        ),
    ];
    for (from, to, expected) in cases {
        let problem = problem(&changed(from, to));
        assert!(problem.contains(expected), "{to}: {problem}");
    }
}

#[test]
fn resources_of_other_types_and_attributes_are_refused_by_name() {
    let firewall = problem(&with("  Wall: {Type: AWS::WAFv2::WebACLAssociation}\n"));
    assert!(firewall.contains(
        "Wall: the local gateway does not support resources of type AWS::WAFv2::WebACLAssociation"
    ));
    let attribute = problem(&with(
        "  Logs: {Type: AWS::Logs::LogGroup, CreationPolicy: {}}\n",
    ));
    assert!(attribute.contains("Logs.CreationPolicy"), "{attribute}");
    let property = problem(&with(
        "  Logs: {Type: AWS::Logs::LogGroup, Properties: {Retention: 1}}\n",
    ));
    assert!(property.contains("Logs.Retention:"), "{property}");
    let second = problem(&with(
        "  Two: {Type: AWS::Serverless::Api, Properties: {StageName: x}}\n",
    ));
    assert!(second.contains("serves one API, which is Api"), "{second}");
}

#[test]
fn what_is_beside_the_api_is_ignored_and_named_with_its_line() {
    let text = with("  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub '${AWS::StackName}-q', KmsMasterKeyId: !GetAtt Nothing.Arn}
  Topic: {Type: AWS::SNS::Topic, CreationPolicy: {}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {X: !Base64 y}}
  Unmade: {Type: AWS::CloudWatch::Alarm, Condition: IsProd}
")
    .replacen("  IsDev:", "  IsProd: !Equals [!Ref Stage, prod]\n  IsDev:", 1)
    .replacen(
        "'#value'",
        "!Join [' ', [!Ref Queue, !GetAtt Queue.Arn, !GetAtt Queue.QueueName, !Ref Topic, !Ref Bucket, !GetAtt Bucket.Arn]]",
        1,
    )
    .replacen(
        "      Events:\n",
        "      Events:\n        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}\n",
        1,
    );
    let application = load(&text, &[]).unwrap();
    let ignored: Vec<String> = application
        .ignored
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        ignored,
        [
            "Fn.Events.Nightly (Schedule, line 25)",
            "Queue (AWS::SQS::Queue, line 33)",
            "Topic (AWS::SNS::Topic, line 36)",
            "Bucket (AWS::S3::Bucket, line 37)",
        ]
    );
    assert_eq!(
        application.functions["Fn"].environment["VALUE"],
        "https://sqs.us-east-1.amazonaws.com/123456789012/keygate-local-q \
         arn:aws:sqs:us-east-1:123456789012:keygate-local-q keygate-local-q \
         arn:aws:sns:us-east-1:123456789012:keygate-local-Topic keygate-local-Bucket \
         arn:aws:s3:::keygate-local-Bucket"
    );
    let unknown = problem(&text.replacen("!GetAtt Queue.Arn", "!GetAtt Queue.Depth", 1));
    assert!(
        unknown.contains("no attribute `Depth` of AWS::SQS::Queue `Queue`"),
        "{unknown}"
    );
}

#[test]
fn all_problems_are_reported_together_in_the_order_of_their_lines() {
    let text = changed(
        "StageName: !Ref Stage",
        "StageName: !Ref Stage\n      Cors: x\n      Policy: {}",
    );
    let problems = load(
        &with("  Wall: {Type: AWS::WAFv2::WebACLAssociation}\n").replace(SMALL, &text),
        &[],
    )
    .unwrap_err();
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| problem.split(':').next().unwrap())
        .collect();
    assert_eq!(lines, ["line 12", "line 13", "line 33"], "{problems:#?}");
}

#[test]
fn a_resource_whose_condition_does_not_hold_is_not_read() {
    let wall = "  Wall: {Type: AWS::WAFv2::WebACLAssociation, Condition: IsDev}\n";
    assert!(load(&with(wall), &[]).is_err());
    assert!(load(&with(wall), &[("Stage", "prod")]).is_ok());
}

#[test]
fn two_routes_with_one_method_and_path_are_an_error() {
    let twice = problem(&with(
        "        Again:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: '/things/{id}', Method: get}
",
    ));
    assert!(
        twice.contains("GET /things/{id} is defined by Fn.Events.Get.Properties too"),
        "{twice}"
    );
}

#[test]
fn globals_are_merged_under_the_function() {
    let text = changed(
        "Conditions:",
        "Globals: {Function: {Timeout: 9, Environment: {Variables: {VALUE: global, MORE: global}}}}
Conditions:",
    );
    let application = load(&text, &[]).unwrap();
    let function = &application.functions["Fn"];
    assert_eq!(function.timeout, Duration::from_secs(9));
    assert_eq!(function.environment["VALUE"], "#value");
    assert_eq!(function.environment["MORE"], "global");
    let wrong = problem(&changed(
        "Conditions:",
        "Globals: {Function: {Layers: [x]}}\nConditions:",
    ));
    assert!(wrong.contains("Fn.Layers"), "{wrong}");
}

#[test]
fn defaults_of_auth_apply_as_sam_applies_them() {
    let text = changed(
        "      Auth:\n",
        "      Auth:
        DefaultAuthorizer: Credential
        AddDefaultAuthorizerToCorsPreflight: false
        ApiKeyRequired: true
        AddApiKeyRequiredToCorsPreflight: false
",
    ) + "        Options:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /, Method: OPTIONS}
        Open:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /, Method: ANY, Auth: {Authorizer: NONE, ApiKeyRequired: false}}
        Default:
          Type: Api
          Properties: {RestApiId: !Ref Api, Path: /, Method: GET}
";
    let application = load(&text, &[]).unwrap();
    let auth = |index: usize| {
        let route = &application.api.routes[index];
        (route.authorizer.as_deref(), route.api_key_required)
    };
    assert_eq!(auth(1), (None, false));
    assert_eq!(auth(2), (None, false));
    assert_eq!(auth(3), (Some("Credential"), true));
}

#[test]
fn gateway_responses_are_read_and_checked() {
    let response = |text: &str| {
        let from = "      ApiKeySourceType";
        changed(from, &format!("      GatewayResponses: {text}\n{from}"))
    };
    let text = "{THROTTLED: {StatusCode: 429, ResponseParameters: {Headers: {Retry-After: \"'1'\"}}, \
                ResponseTemplates: {application/json: '$context.requestId'}}}";
    let application = load(&response(text), &[]).unwrap();
    let throttled = &application.api.gateway_responses["THROTTLED"];
    assert_eq!(throttled.status, Some(429));
    assert_eq!(throttled.headers["Retry-After"], "'1'");
    assert_eq!(
        throttled.templates["application/json"],
        "$context.requestId"
    );

    let cases = [
        ("{THROTTLE: {}}", "is no gateway response type"),
        ("{THROTTLED: {StatusCode: 42}}", "from 200 to 599"),
        (
            "{THROTTLED: {ResponseParameters: {Headers: {Vary: Origin}}}}",
            "literal in single quotes",
        ),
        (
            "{THROTTLED: {ResponseParameters: {Paths: {a: b}}}}",
            "ResponseParameters.Paths",
        ),
        (
            "{THROTTLED: {ResponseTemplates: {a/b: '#set($x = 1)'}}}",
            "`#set`",
        ),
    ];
    for (text, expected) in cases {
        let problem = problem(&response(text));
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

#[test]
fn what_sam_does_not_take_for_all_is_a_problem() {
    for (globals, expected) in [
        (
            "{Function: {Policies: []}}",
            "Globals.Function.Policies: SAM does not take",
        ),
        (
            "{Api: {StageName: x}}",
            "Globals.Api.StageName: SAM does not take",
        ),
        (
            "{Api: {DefinitionBody: {}}}",
            "Globals.Api.DefinitionBody: SAM does not take",
        ),
    ] {
        let text = changed("Conditions:", &format!("Globals: {globals}\nConditions:"));
        let problems = load(&text, &[]).unwrap_err();
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{problems:?}"
        );
    }
    let others = changed("Conditions:", "Globals: {HttpApi: {Auth: {}}}\nConditions:");
    assert!(load(&others, &[]).is_ok());
}
