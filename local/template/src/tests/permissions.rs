//! Whether API Gateway may call the functions that an OpenAPI document names.

use super::load;

const OF_METHOD: &str = "API Gateway may not call Fn here and would answer 500";
const OF_AUTHORIZER: &str = "API Gateway may not call Who as an authorizer and would answer 500";

/// A document with one method and an authorizer, and these resources besides.
fn template(method: &str, authorizer: &str, more: &str) -> String {
    let uri = |function: &str| {
        format!(
            "'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations'"
        )
    };
    let (of_function, of_authorizer) = (uri("Fn"), uri("Who"));
    format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DefinitionBody:
        openapi: 3.0.1
        components:
          securitySchemes:
            Caller:
              type: apiKey
              name: Authorization
              in: header
              x-amazon-apigateway-authorizer: {{type: token, authorizerUri: !Sub {of_authorizer}{authorizer}}}
        paths:
          /books/{{id}}:
            get:
              security: [{{Caller: []}}]
              x-amazon-apigateway-integration: {{type: aws_proxy, httpMethod: POST, uri: !Sub {of_function}{method}}}
  Who: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: .}}}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
{more}"
    )
}

fn problems(method: &str, authorizer: &str, more: &str) -> Vec<String> {
    let text = template(method, authorizer, more);
    load(&text, &[]).err().unwrap_or_default()
}

fn permission(function: &str, properties: &str) -> String {
    format!(
        "  Let{function}:
    Type: AWS::Lambda::Permission
    Properties: {{Action: lambda:InvokeFunction, FunctionName: !Ref {function}, Principal: apigateway.amazonaws.com{properties}}}
"
    )
}

#[test]
fn a_function_that_api_gateway_may_not_call_is_refused_by_the_line_of_what_calls_it() {
    let [of_authorizer, of_method] = problems("", "", "").try_into().unwrap();
    assert!(
        of_authorizer.starts_with(&format!(
            "line 15: Api.DefinitionBody.components.securitySchemes.Caller.x-amazon-apigateway-authorizer: {OF_AUTHORIZER}"
        )),
        "{of_authorizer}"
    );
    assert!(
        of_method.starts_with(&format!(
            "line 19: Api.DefinitionBody.paths./books/{{id}}.get: {OF_METHOD}"
        )),
        "{of_method}"
    );
}

#[test]
fn a_role_an_event_and_a_permission_each_let_it() {
    let role = ", credentials: 'arn:aws:iam::1:role/a'";
    let authorizer_role = ", authorizerCredentials: 'arn:aws:iam::1:role/a'";
    assert_eq!(problems(role, authorizer_role, ""), [""; 0]);

    let event = |path: &str, method: &str| {
        format!(
            "      Events: {{Get: {{Type: Api, Properties: {{RestApiId: !Ref Api, Path: '{path}', Method: {method}}}}}}}\n"
        )
    };
    assert_eq!(
        problems("", authorizer_role, &event("/books/{id}", "get")),
        [""; 0]
    );
    assert_eq!(
        problems("", authorizer_role, &event("/books/{other}", "any")),
        [""; 0]
    );
    for (path, method) in [
        ("/books/{id}", "post"),
        ("/books", "get"),
        ("/other/{id}", "get"),
    ] {
        let problems = problems("", authorizer_role, &event(path, method));
        assert!(
            problems[0].contains(OF_METHOD),
            "{path} {method}: {problems:?}"
        );
    }

    for source in [
        "",
        ", SourceArn: !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*'",
    ] {
        let both = permission("Fn", source) + &permission("Who", source);
        assert_eq!(problems("", "", &both), [""; 0], "{source}");
    }
    let of_one =
        ", SourceArn: !Sub 'arn:aws:execute-api:us-east-1:123456789012:${Api}/dev/GET/books/*'";
    assert_eq!(
        problems("", authorizer_role, &permission("Fn", of_one)),
        [""; 0]
    );
    for other in [
        of_one.replace("/dev/", "/prod/"),
        of_one.replace("GET", "PUT"),
        of_one.replace("${Api}", "other"),
    ] {
        let problems = problems("", authorizer_role, &permission("Fn", &other));
        assert!(problems[0].contains(OF_METHOD), "{other}: {problems:?}");
    }
}

#[test]
fn a_permission_for_another_service_is_none_for_the_api_and_is_passed_over() {
    let role = ", authorizerCredentials: 'arn:aws:iam::1:role/a'";
    let other = permission("Fn", ", SourceArn: !GetAtt Bucket.WebsiteURL")
        .replace("apigateway.", "s3.")
        + "  Bucket: {Type: AWS::S3::Bucket}\n";
    let problems = problems("", role, &other);
    assert!(
        problems.len() == 1 && problems[0].contains(OF_METHOD),
        "{problems:?}"
    );
    let text = template(", credentials: x", role, &other);
    let passed_over = load(&text, &[]).unwrap().passed_over.to_string();
    assert_eq!(passed_over, "AWS::Lambda::Permission");
}

#[test]
fn an_authorizer_of_sams_has_a_permission_unless_it_says_not_to() {
    let without =
        "FunctionArn: !GetAtt Fn.Arn\n            DisableFunctionDefaultPermissions: true";
    let text = super::changed("FunctionArn: !GetAtt Fn.Arn", without);
    let refused = super::problem(&text);
    assert!(
        refused.starts_with(
            "line 16: Api.Auth.Authorizers.Credential: API Gateway may not call Fn as"
        )
    );
    let role = text.replace(
        "Permissions: true",
        "Permissions: true\n            FunctionInvokeRole: arn:x",
    );
    assert!(load(&role, &[]).is_ok());
    assert!(load(&(text + &permission("Fn", "")), &[]).is_ok());
}
