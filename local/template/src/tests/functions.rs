//! What runs a function, and what it finds beside itself.

use keygate_model::{Build, Runtime};

use super::{changed, load, problem, with};

#[test]
fn a_runtime_and_its_handler_are_read() {
    let cargo = "    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: fn}}\n";
    let with = |lines: &str| {
        let text = changed(cargo, "");
        text.replacen(
            "      Environment:",
            &format!("{lines}      Environment:"),
            1,
        )
    };
    for (runtime, handler, expected) in [
        ("provided.al2023", "bootstrap", Runtime::Provided),
        ("provided.al2040", "bootstrap", Runtime::Provided),
        (
            "python3.14",
            "app.handler",
            Runtime::Python("3.14".to_owned()),
        ),
        (
            "nodejs24.x",
            "dist/app.handler",
            Runtime::Node("24".to_owned()),
        ),
    ] {
        let lines = format!("      Runtime: {runtime}\n      Handler: {handler}\n");
        let function = load(&with(&lines), &[]).unwrap().functions["Fn"].clone();
        assert_eq!((function.runtime, function.build), (expected, Build::None));
        assert_eq!(function.handler.as_deref(), Some(handler));
    }
    for runtime in [
        "python2.7",
        "python3.x",
        "python3",
        "nodejs.x",
        "nodejs24",
        "providedx",
        "go1.x",
        "dotnet8",
    ] {
        let lines = format!("      Runtime: {runtime}\n      Handler: a.b\n");
        let problem = problem(&with(&lines));
        assert!(
            problem.contains(&format!("Fn.Runtime: `{runtime}` is not supported")),
            "{problem}"
        );
    }
    // The Globals of this repository have a handler for executables.
    for handler in ["      Handler: bootstrap\n", "      Handler: app.\n", ""] {
        let problem = problem(&with(&format!("      Runtime: python3.14\n{handler}")));
        assert!(
            problem.contains("Fn.Handler:") && problem.contains("FILE.FUNCTION"),
            "{problem}"
        );
    }
}

#[test]
fn a_layer_that_is_to_be_built_is_refused_by_name() {
    let layer = "  Deps:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.14}
    Properties: {ContentUri: deps}
";
    let problem = problem(&with(layer));
    assert!(problem.contains("Deps.Metadata.BuildMethod"), "{problem}");
}

/// What `sam init` writes for a first function, shortened.
const HELLO: &str = "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 3, LoggingConfig: {LogFormat: JSON}}
  Api: {TracingEnabled: true}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello_world/
      Handler: app.lambda_handler
      Runtime: python3.13
      Architectures: [x86_64]
      Events:
        Hello:
          Type: Api
          Properties: {Path: /hello, Method: get}
  ApplicationResourceGroup:
    Type: AWS::ResourceGroups::Group
    Properties: {Name: !Sub 'ApplicationInsights-SAM-${AWS::StackName}'}
  Insights:
    Type: AWS::ApplicationInsights::Application
    Properties: {ResourceGroupName: !Ref ApplicationResourceGroup}
Outputs:
  Url:
    Value: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/hello/'
  Arn: {Value: !GetAtt Hello.Arn}
  Role: {Value: !GetAtt HelloRole.Arn}
";

#[test]
fn events_that_name_no_api_have_the_one_that_sam_makes() {
    let application = load(HELLO, &[]).unwrap();
    assert_eq!(application.api.stage, "Prod");
    let route = &application.api.routes[0];
    let (path, line) = (route.path.as_str(), route.line);
    assert_eq!(
        (path, route.function().unwrap(), line),
        ("/hello", "Hello", 17)
    );
    assert_eq!(route.authorizer, None);
    assert_eq!(application.ignored.len(), 2);

    // What is asked of it in the Globals holds, and it is one API beside the other.
    let refused = problem(&HELLO.replacen("TracingEnabled: true", "Cors: x", 1));
    assert!(refused.contains("ServerlessRestApi.Cors"), "{refused}");
    let two = problem(&changed("            RestApiId: !Ref Api\n", ""));
    let expected = "line 27: ServerlessRestApi: the local gateway serves one API, which is Api; SAM \
                    makes another for an event without RestApiId, such as !Ref Api";
    assert_eq!(two, expected);
}

#[test]
fn a_functions_name_is_what_references_to_it_give() {
    let text = changed("VALUE: '#value'", "NAME: !Ref Fn, ARN: !GetAtt Fn.Arn");
    for (name, lines) in [
        ("Fn", ""),
        (
            "things-dev",
            "      FunctionName: !Sub things-${Stage}\n      AutoPublishAlias: live\n",
        ),
    ] {
        let text = text.replacen(
            "      Environment:",
            &format!("{lines}      Environment:"),
            1,
        );
        let application = load(&text, &[]).unwrap();
        let function = &application.functions["Fn"];
        assert_eq!(function.name, name);
        assert_eq!(function.environment["NAME"], name);
        let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
        assert_eq!(function.environment["ARN"], arn);
        let alias = (!lines.is_empty()).then_some("live");
        assert_eq!(function.alias.as_deref(), alias);
        // By which the authorizer is found too.
        assert_eq!(application.api.authorizers["Credential"].function, "Fn");
    }
    for (name, words) in [
        ("''", "must be 1 to 64"),
        ("a b", "must be 1 to 64"),
        ("Other", "two functions are named `Other`"),
    ] {
        let other = "  Other: {Type: AWS::Serverless::Function}\n";
        let text = with(other).replacen(
            "      Environment:",
            &format!("      FunctionName: {name}\n      Environment:"),
            1,
        );
        let problem = problem(&text);
        assert!(problem.contains(words), "{problem}");
    }
}

#[test]
fn a_functions_reserved_concurrency_is_a_number() {
    let with = |value: &str| {
        let lines = format!("      ReservedConcurrentExecutions: {value}\n      Environment:");
        changed("      Environment:", &lines)
    };
    for (value, expected) in [("0", 0), ("25", 25)] {
        let application = load(&with(value), &[]).unwrap();
        let reserved = application.functions["Fn"].reserved_concurrency;
        assert_eq!(reserved, Some(expected));
    }
    for value in ["-1", "many"] {
        let problem = problem(&with(value));
        assert!(
            problem.contains("Fn.ReservedConcurrentExecutions:"),
            "{problem}"
        );
    }
}

#[test]
fn an_authorizer_and_an_integration_may_name_a_functions_alias() {
    let by_alias = changed("FunctionArn: !GetAtt Fn.Arn", "FunctionArn: !Ref Fn.Alias");
    let with_alias = by_alias.replacen(
        "      Environment:",
        "      AutoPublishAlias: !Sub 'li${Ve}'\n      Environment:",
        1,
    );
    let with_alias = with_alias.replacen(
        "Parameters:",
        "Parameters:\n  Ve: {Type: String, Default: ve}",
        1,
    );
    let of_all = by_alias.replacen(
        "Resources:",
        "Globals: {Function: {AutoPublishAlias: live}}\nResources:",
        1,
    );
    for text in [with_alias, of_all] {
        let application = load(&text, &[]).unwrap();
        assert_eq!(application.functions["Fn"].alias.as_deref(), Some("live"));
        assert_eq!(application.api.authorizers["Credential"].function, "Fn");
    }
    let problem = problem(&by_alias);
    assert!(
        problem.contains("`Fn` has no AutoPublishAlias"),
        "{problem}"
    );
}
