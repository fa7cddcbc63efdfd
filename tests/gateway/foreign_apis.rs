//! What a SAM template may say of its API without knowing of Keygate: preflights, keys in a header,
//! throttles, stage variables.

use keygate_tests::project::Project;
use keygate_tests::target::Target;
use reqwest::Method;

keygate_tests::tests! { for Target:
    preflights_are_answered_by_the_gateway_itself needs "python", "own-gateway";
    a_usage_key_of_the_template_comes_in_a_header needs "python", "own-gateway";
    a_method_takes_no_more_than_its_stage_lets_it needs "python", "own-gateway";
    an_open_api_document_says_what_is_served needs "python", "own-gateway";
    a_document_whose_function_api_gateway_may_not_call_is_not_served needs "own-gateway";
    what_means_nothing_here_is_named_once_and_passed_over needs "python", "own-gateway";
    samconfig_gives_the_parameters_of_an_environment needs "python", "own-gateway";
    a_request_that_its_model_or_its_parameters_refuse_reaches_no_function needs "python", "own-gateway";
}

/// It answers each event with the event.
pub(crate) const ECHO: &str = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as event:
        invocation = event.headers["Lambda-Runtime-Aws-Request-Id"]
        body = event.read().decode()
    answer = {"statusCode": 200, "body": body}
    urlopen(Request(f"{api}/{invocation}/response", json.dumps(answer).encode())).close()
"#;

/// A project whose function `Fn` answers events with themselves.
pub(crate) fn echoing(template: &str) -> Project {
    Project::new(template).with_executable("src/bootstrap", ECHO)
}

/// A shop with two methods of one function; `api` are properties, `more` resources.
pub(crate) fn shop(api: &str, more: &str) -> Project {
    echoing(&format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Variables: {{tableOf: books}}
{api}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Events:
        List:
          Type: Api
          Properties: {{RestApiId: !Ref Shop, Path: /books, Method: get}}
        Add:
          Type: Api
          Properties: {{RestApiId: !Ref Shop, Path: /books, Method: post}}
{more}"
    ))
}

fn preflights_are_answered_by_the_gateway_itself(target: &Target) {
    let cors = "      Cors: {AllowOrigin: \"'https://app.example'\", MaxAge: \"'600'\"}\n      Auth: \
                {ApiKeyRequired: true, AddApiKeyRequiredToCorsPreflight: false}";
    let project = shop(cors, "");
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let preflight = own.call(Method::OPTIONS, "/books").send().expect(200);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-allow-methods", "GET,OPTIONS,POST"),
        ("access-control-max-age", "600"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(preflight.header(name), Some(value), "{name}");
    }
    assert_eq!(preflight.body, "{}\n");
    let other_type = own.call(Method::OPTIONS, "/books");
    other_type
        .header("content-type", "text/plain")
        .send()
        .expect(500);
    own.get("/books").send().expect(403);
}

fn a_usage_key_of_the_template_comes_in_a_header(target: &Target) {
    let plan = "  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages:
        - {ApiId: !Ref Shop, Stage: !Ref Shop.Stage, Throttle: {/books/POST: {RateLimit: 0.001, BurstLimit: 1}}}
      Throttle: {RateLimit: 0.001, BurstLimit: 3}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true, Value: a-key-of-twenty-letters}}
  Spare: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: false, Value: another-of-twenty-letters}}
  OnPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
  SpareOnPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Spare, KeyType: API_KEY, UsagePlanId: !Ref Plan}
";
    let project = shop(
        "      ApiKeySourceType: HEADER\n      Auth: {ApiKeyRequired: true}",
        plan,
    );
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let said = gateway.stdout();
    assert!(
        said.contains("public, with a usage key in x-api-key"),
        "{said}"
    );
    assert!(!said.contains("curl"), "{said}");
    let status = |method: &Method, key: &str| {
        let call = own.call(method.clone(), "/books");
        call.header("x-api-key", key).send().status
    };
    own.get("/books").send().expect(403);
    for wrong in ["", "a-key", "another-of-twenty-letters"] {
        assert_eq!(status(&Method::GET, wrong), 403, "{wrong}");
    }
    let key = "a-key-of-twenty-letters";
    let event = own.get("/books").header("x-api-key", key).send();
    let identity = event.expect(200).json()["requestContext"]["identity"].clone();
    assert_eq!(identity["apiKey"], key);
    assert!(identity["apiKeyId"].is_string(), "{identity}");
    let statuses =
        |method, times| -> Vec<u16> { (0..times).map(|_| status(&method, key)).collect() };
    assert_eq!(statuses(Method::POST, 2), [200, 429]);
    assert_eq!(statuses(Method::GET, 3), [200, 200, 429]);
}

fn a_method_takes_no_more_than_its_stage_lets_it(target: &Target) {
    let settings = "      MethodSettings:
        - {ResourcePath: /~1books, HttpMethod: GET, ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2}";
    let project = shop(settings, "");
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let first = own.get("/books").send().expect(200).json();
    assert_eq!(first["stageVariables"]["tableOf"], "books");
    own.get("/books").send().expect(200);
    let refused = own.get("/books").send().expect(429);
    assert_eq!(refused.json()["message"], "Too Many Requests");
    for _ in 0..3 {
        own.post("/books").send().expect(200);
    }
}

fn a_request_that_its_model_or_its_parameters_refuse_reaches_no_function(target: &Target) {
    let models = "      Models: {Order: {type: object, required: [book], properties: {book: {type: string}, \
                  count: {type: integer, maximum: 9}}}}
      GatewayResponses:
        BAD_REQUEST_BODY:
          StatusCode: 422
          ResponseTemplates: {application/json: '{\"message\": $context.error.messageString, \"why\": \
                  \"$context.error.validationErrorString\"}'}";
    let order = "        Order:
          Type: Api
          Properties:
            RestApiId: !Ref Shop
            Path: /orders/{shop}
            Method: post
            RequestModel: {Model: Order, ValidateBody: true, ValidateParameters: true}
            RequestParameters:
              - method.request.header.X-Customer: {Required: true}
              - method.request.querystring.lang: {Required: true}
              - method.request.querystring.page
";
    let project = shop(models, order);
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let missing = own.post("/orders/a").body("{}").send().expect(400);
    assert_eq!(
        missing.json()["message"],
        "Missing required request parameters: [X-Customer, lang]"
    );
    let order = |body: &str| {
        let call = own.post("/orders/a?lang=en").header("x-customer", "a");
        call.header("content-type", "application/json")
            .body(body.to_owned())
            .send()
    };
    for refused in ["", "{", r#"{"book": 7}"#, r#"{"book": "a", "count": 10}"#] {
        let reply = order(refused).expect(422).json();
        assert_eq!(reply["message"], "Invalid request body", "{refused}");
        assert!(
            reply["why"].as_str().is_some_and(|why| why.len() > 2),
            "{reply}"
        );
    }
    let taken = r#"{"book": "a", "count": 9}"#;
    assert_eq!(order(taken).expect(200).json()["body"], taken);
}

/// A document whose one authorizer is a function that lets everybody in by the name of `somebody`.
const DOCUMENTED: &str = r#"Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      DefinitionBody:
        openapi: 3.0.1
        info: {title: Shop, version: "1"}
        paths:
          /books/{id}:
            get:
              security: [{Caller: []}]
              x-amazon-apigateway-integration: &fn
                type: aws_proxy
                httpMethod: POST
                uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations
          /status:
            get:
              x-amazon-apigateway-integration:
                type: mock
                passthroughBehavior: never
                requestTemplates: {application/json: '{"statusCode": 203}'}
                responses:
                  default:
                    statusCode: 203
                    responseParameters: {method.response.header.X-Shop: "'open'"}
                    responseTemplates: {application/json: '{"open": true}'}
        components:
          securitySchemes:
            Caller:
              type: apiKey
              name: Authorization
              in: header
              x-amazon-apigateway-authtype: custom
              x-amazon-apigateway-authorizer:
                type: request
                identitySource: method.request.querystring.who
                authorizerUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Who.Arn}/invocations
  Fn: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Runtime: provided.al2023}}
  Who: {Type: AWS::Serverless::Function, Properties: {CodeUri: who, Runtime: provided.al2023}}
  FnPermission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Fn, Principal: apigateway.amazonaws.com}
  WhoPermission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !GetAtt Who.Arn, Principal: apigateway.amazonaws.com}
"#;

fn an_open_api_document_says_what_is_served(target: &Target) {
    let echo = r#"{"statusCode": 200, "body": body}"#;
    let policy = r#"{"principalId": "somebody", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": json.loads(body)["methodArn"]}]}}"#;
    assert!(ECHO.contains(echo));
    let project = echoing(DOCUMENTED).with_executable("who/bootstrap", &ECHO.replace(echo, policy));
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    let status = own.get("/status").send().expect(203);
    assert_eq!(
        (status.body.as_str(), status.header("x-shop")),
        ("{\"open\": true}", Some("open"))
    );
    let text = own.get("/status").header("content-type", "text/plain");
    text.send().expect(415);
    own.get("/books/7").send().expect(401);
    let event = own.get("/books/7?who=me").send().expect(200).json();
    assert_eq!(event["resource"], "/books/{id}");
    assert_eq!(event["pathParameters"]["id"], "7");
    assert_eq!(
        event["requestContext"]["authorizer"]["principalId"],
        "somebody"
    );
}

fn a_document_whose_function_api_gateway_may_not_call_is_not_served(target: &Target) {
    let (without, _) = DOCUMENTED.split_once("  FnPermission:").unwrap();
    let project = Project::new(without);
    let arguments = ["--template", &project.template()];
    let (status, said) = target.build().try_start(&arguments).err().unwrap();
    assert_eq!(status.code(), Some(64));
    for words in [
        "line 13: Shop.DefinitionBody.paths./books/{id}.get: API Gateway may not call Fn here",
        "API Gateway may not call Who as an authorizer and would answer 500",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

fn what_means_nothing_here_is_named_once_and_passed_over(target: &Target) {
    let more =
        "      VpcConfig: {SubnetIds: [!ImportValue subnets], SecurityGroupIds: [!Ref Group]}
      Policies: [{Statement: [{Effect: Allow, Action: 's3:*', Resource: !GetAtt Pages.WebsiteURL}]}]
      Description: '{{resolve:ssm:/description}}'
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: a}}
  Pages: {Type: AWS::S3::Bucket}
  Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {}}}
";
    let project = shop("      DisableExecuteApiEndpoint: true", more);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    own.get("/books").send().expect(200);
    let said = gateway.stderr();
    let passed_over = "keygate: these do nothing here: AWS::Serverless::Api (DisableExecuteApiEndpoint); \
                       AWS::Serverless::Function (Policies, VpcConfig)";
    assert_eq!(said.matches(passed_over).count(), 1, "{said}");
    assert!(
        said.contains("Group (AWS::EC2::SecurityGroup, line "),
        "{said}"
    );
}

fn samconfig_gives_the_parameters_of_an_environment(target: &Target) {
    let parameters = "Transform: AWS::Serverless-2016-10-31
Parameters:
  Shelf: {Type: String}
  Room: {Type: String, Default: none}
Globals: {Api: {Variables: {shelf: !Ref Shelf, room: !Ref Room}}}";
    let project = shop("", "");
    let text = std::fs::read_to_string(project.template()).unwrap();
    let text = text.replacen("Transform: AWS::Serverless-2016-10-31", parameters, 1);
    let project = project.with("template.yaml", &text).with(
        "samconfig.toml",
        "[default.deploy.parameters]\nparameter_overrides = ['Shelf=oak', 'Room=hall', 'Former=1']\n\
         [test.deploy.parameters]\nparameter_overrides = 'Shelf=\"two words\"'\n",
    );
    let template = project.template();
    for (more, shelf, room) in [
        (&["--parameter", "Room=attic"][..], "oak", "attic"),
        (&["--config-env", "test"][..], "two words", "none"),
    ] {
        let has_former = shelf == "oak";
        let arguments: Vec<&str> = ["--template", &template]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let (gateway, own) = target.own(&arguments);
        let variables = own.get("/books").send().expect(200).json()["stageVariables"].clone();
        assert_eq!(
            (&variables["shelf"], &variables["room"]),
            (&shelf.into(), &room.into())
        );
        let said = gateway.stderr();
        assert!(said.contains("samconfig.toml ["), "{said}");
        let former = "gives Former too, which the template has no parameter for";
        assert_eq!(said.contains(former), has_former, "{said}");
        assert!(
            !said.contains("oak") && !said.contains("two words"),
            "{said}"
        );
    }
    let unknown = ["--template", &template, "--config-env", "prod"];
    let (status, said) = target.build().try_start(&unknown).err().unwrap();
    assert_eq!(status.code(), Some(64));
    assert!(
        said.contains("no such environment; it has default, test"),
        "{said}"
    );
}
