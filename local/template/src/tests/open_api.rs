//! `DefinitionBody`: OpenAPI documents of both versions.

use keygate_model::{
    Api, AuthorizerEvents, IdentitySource, Integration, KeySource, ParameterPlace,
};

use super::{load, problem};

/// The URI by which API Gateway calls the function.
const URI: &str = "!Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/\
                   ${Fn.Arn}/invocations'";

fn template(document: &str) -> String {
    let document: Vec<String> = document
        .replace("URI", URI)
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      DefinitionBody:
{}  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Events:
        Unlisted: {{Type: Api, Properties: {{RestApiId: !Ref Api, Path: /unlisted, Method: GET}}}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {{Action: lambda:InvokeFunction, FunctionName: !Ref Fn, Principal: apigateway.amazonaws.com}}
",
        document.concat()
    )
}

const OLD: &str = r#"swagger: "2.0"
info: {title: Books, version: "1"}
x-amazon-apigateway-api-key-source: AUTHORIZER
x-amazon-apigateway-binary-media-types: [image/png]
x-amazon-apigateway-request-validators:
  all: {validateRequestBody: true, validateRequestParameters: true}
x-amazon-apigateway-gateway-responses:
  UNAUTHORIZED:
    statusCode: 418
    responseParameters: {gatewayresponse.header.X-Why: "'no'"}
    responseTemplates: {application/json: '{}'}
securityDefinitions:
  Caller:
    type: apiKey
    name: Authorization
    in: header
    x-amazon-apigateway-authtype: custom
    x-amazon-apigateway-authorizer:
      type: request
      authorizerUri: URI
      authorizerResultTtlInSeconds: 60
      identitySource: method.request.header.Authorization, context.identity.sourceIp
  Key: {type: apiKey, name: x-api-key, in: header}
definitions:
  Title: {type: string, maxLength: 3}
paths:
  /books:
    parameters: [{in: header, name: X-Shop, required: true, type: string}]
    post:
      x-amazon-apigateway-request-validator: all
      parameters:
        - {in: body, name: book, schema: {type: object, properties: {title: {$ref: '#/definitions/Title'}}}}
      security: [{Caller: []}, {Key: []}]
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: AWS_PROXY, httpMethod: POST, uri: URI}
    options:
      x-amazon-apigateway-integration:
        type: mock
        passthroughBehavior: never
        requestTemplates: {application/json: '{"statusCode": 204}'}
        responses:
          default: {statusCode: 500}
          2\d\d:
            statusCode: 201
            responseParameters: {method.response.header.Allow: "'POST'"}
            responseTemplates: {text/plain: no body}
"#;

const NEW: &str = r"openapi: 3.0.1
paths:
  /{proxy+}:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-request-validator: bodies
      requestBody:
        content:
          Application/JSON: {schema: {$ref: '#/components/schemas/Title'}}
      security: [{Caller: []}]
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: URI}
x-amazon-apigateway-request-validators:
  bodies: {validateRequestBody: true}
components:
  schemas:
    Title: {type: string, maxLength: 3}
  securitySchemes:
    Caller:
      type: apiKey
      name: X-Token
      in: header
      x-amazon-apigateway-authtype: custom
      x-amazon-apigateway-authorizer: {type: token, authorizerUri: URI, identityValidationExpression: a+}
";

fn api(document: &str) -> Api {
    load(&template(document), &[]).unwrap().api
}

#[test]
fn a_document_of_version_2_says_what_is_served() {
    let api = api(OLD);
    let keys: Vec<String> = api.routes.iter().map(keygate_model::Route::key).collect();
    assert_eq!(
        keys,
        ["/books/POST", "/books/OPTIONS"],
        "events serve nothing here"
    );
    assert_eq!(api.key_source, KeySource::Authorizer);
    assert_eq!(api.binary_media_types, ["image/png"]);
    let response = &api.gateway_responses["UNAUTHORIZED"];
    assert_eq!(
        (response.status, response.headers["X-Why"].as_str()),
        (Some(418), "'no'")
    );
    let [post, options] = api.routes.as_slice() else {
        panic!("two routes")
    };
    assert_eq!(post.function(), Some("Fn"));
    assert_eq!(
        (post.authorizer.as_deref(), post.api_key_required),
        (Some("Caller"), true)
    );
    let shop = (ParameterPlace::Header, "X-Shop".to_owned());
    assert_eq!(post.validation.parameters, [shop].into());
    let schema = &post.validation.bodies["application/json"];
    assert!(
        schema
            .first_error(&serde_json::json!({"title": "abc"}))
            .is_none()
    );
    assert!(
        schema
            .first_error(&serde_json::json!({"title": "abcd"}))
            .is_some()
    );
    let Integration::Mock(mock) = &options.integration else {
        panic!("a mock")
    };
    assert_eq!(
        (mock.status, mock.body.as_str(), mock.refuses_others),
        (201, "no body", true)
    );
    let headers: Vec<_> = mock.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["content-type", "allow"]);
    assert_eq!(
        (options.authorizer.as_deref(), options.api_key_required),
        (None, false)
    );
    let caller = &api.authorizers["Caller"];
    assert_eq!(
        (caller.function.as_str(), caller.result_ttl.as_secs()),
        ("Fn", 60)
    );
    let AuthorizerEvents::Request { sources } = &caller.events else {
        panic!("REQUEST")
    };
    let address = IdentitySource::Context(IdentitySource::SOURCE_ADDRESS.into());
    assert_eq!(
        sources,
        &[IdentitySource::Header("Authorization".into()), address]
    );
}

#[test]
fn a_document_of_version_3_has_its_schemes_and_schemas_among_the_components() {
    let api = api(NEW);
    let [any] = api.routes.as_slice() else {
        panic!("one route")
    };
    assert_eq!(
        (any.key().as_str(), any.authorizer.as_deref()),
        ("/{proxy+}/ANY", Some("Caller"))
    );
    let schema = &any.validation.bodies["application/json"];
    assert!(schema.first_error(&serde_json::json!("abcd")).is_some());
    let AuthorizerEvents::Token { header, expression } = &api.authorizers["Caller"].events else {
        panic!("TOKEN")
    };
    assert_eq!(header, "X-Token");
    assert!(expression.as_ref().unwrap().is_match("aa"));
}

#[test]
fn what_of_a_document_is_not_served_is_named_with_its_line() {
    for (document, from, to, expected) in [
        (
            NEW,
            "3.0.1",
            "3.1.0",
            "line 8: Api.DefinitionBody: must be an OpenAPI document",
        ),
        (
            NEW,
            "paths:\n",
            "security: []\npaths:\n",
            "line 9: Api.DefinitionBody.security",
        ),
        (
            NEW,
            "aws_proxy",
            "http_proxy",
            "integrations of type http_proxy",
        ),
        (
            NEW,
            "httpMethod: POST, uri: URI",
            "uri: 'arn:x'",
            "calls no function of this template",
        ),
        (
            NEW,
            "[{Caller: []}]",
            "[{Caler: []}]",
            "`Caler`, which is no scheme",
        ),
        (
            NEW,
            "type: token",
            "type: cognito_user_pools",
            "no authorizers of type cognito_user_pools",
        ),
        (
            NEW,
            "validator: bodies",
            "validator: body",
            "`body` is none of the request validators",
        ),
        (
            NEW,
            "{type: string, maxLength: 3}",
            "{type: word}",
            "is no JSON schema of draft 4",
        ),
        (
            NEW,
            "type: apiKey",
            "type: oauth2",
            "`oauth2` is not supported",
        ),
        (
            OLD,
            "no body}",
            "$input.body}",
            "`$input.body` is of the Velocity template language",
        ),
        (
            OLD,
            "'{\"statusCode\": 204}'",
            "'{\"statusCode\": $x}'",
            "line 47: Api.DefinitionBody.paths./books.options.x-amazon-apigateway-integration.requestTemplates: `$x` is of",
        ),
        (
            OLD,
            "'{\"statusCode\": 204}'",
            "'{}'",
            "a number `statusCode`",
        ),
        (OLD, "2\\d\\d:", "3\\d\\d:", ""),
        (
            OLD,
            "\"'POST'\"",
            "integration.response.header.Allow",
            "from a text in single quotes",
        ),
    ] {
        assert!(document.contains(from), "{from}");
        let text = template(&document.replacen(from, to, 1));
        if expected.is_empty() {
            let api = load(&text, &[]).unwrap().api;
            let Integration::Mock(mock) = &api.routes[1].integration else {
                panic!("a mock")
            };
            assert_eq!(mock.status, 500, "the default");
            continue;
        }
        let problem = problem(&text);
        assert!(problem.contains(expected), "{to}: {problem}");
    }
}

#[test]
fn sams_own_properties_are_written_into_the_document() {
    let document = NEW.replace("      security: [{Caller: []}]\n", "");
    let text = template(&document).replace(
        "      StageName: dev\n",
        "      StageName: dev\n      Cors: \"'*'\"\n      Auth: {DefaultAuthorizer: Own, \
         AddDefaultAuthorizerToCorsPreflight: false, Authorizers: {Own: {FunctionArn: !GetAtt Fn.Arn}}}\n",
    );
    let api = load(&text, &[]).unwrap().api;
    let authorizers: Vec<_> = api
        .routes
        .iter()
        .map(|route| route.authorizer.as_deref())
        .collect();
    assert_eq!(authorizers, [Some("Own"), None]);
    assert_eq!(api.routes[1].key(), "/{proxy+}/OPTIONS");
}
