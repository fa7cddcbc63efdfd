//! What others recorded of API Gateway: the paths, headers and bodies of events.

use serde_json::{Value, json};

use keygate_tests::project::Project;
use keygate_tests::raw::{Answer, ask, converse};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    slashes_around_a_path_make_no_other_resource needs "python", "own-gateway";
    names_of_headers_come_to_the_function_as_they_were_sent needs "python", "own-gateway";
    requests_on_one_connection_keep_each_its_own_spelling needs "python", "own-gateway";
    a_function_never_sees_the_headers_of_the_connection needs "python", "own-gateway";
    an_event_says_what_api_gateway_says_of_a_request needs "python", "own-gateway";
    bodies_are_binary_by_their_media_type needs "python", "own-gateway";
    a_trace_comes_to_the_function_and_back needs "python", "own-gateway";
    two_variables_beside_each_other_are_refused_by_line needs "own-gateway";
    a_credential_and_an_origin_count_however_their_names_are_spelled needs "own-gateway";
}

/// Answers with the event, or with the body of a request to `/answer`.
const ECHO: &str = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as response:
        invocation = response.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(response)
    answer = event["body"] if event["path"] == "/answer" else json.dumps({"body": json.dumps(event)})
    urlopen(Request(f"{api}/{invocation}/response", answer.encode())).close()
"#;

/// An API of that function, with more properties and events.
fn template(properties: &str, events: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: stage
      BinaryMediaTypes: [image~1png]
{properties}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Events:
        Test: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: /test, Method: ANY}}}}
        Hardcoded: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: /hardcoded, Method: GET}}}}
        Proxy: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: '/files/{{proxy+}}', Method: ANY}}}}
        Answer: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: /answer, Method: POST}}}}
{events}"
    )
}

/// A gateway of that API, for a test with its address.
pub(crate) fn with_echo(target: &Target, properties: &str, test: impl FnOnce(&str)) {
    let template = template(properties, "");
    let project = Project::new(&template).with_executable("src/bootstrap", ECHO);
    let (_gateway, own) = target.own(&["--template", &project.template()]);
    test(&own.url);
}

pub(crate) const HOST: &str = "Host: localhost";

/// The event of a request.
#[track_caller]
fn event(url: &str, request_line: &str, headers: &[&str], body: &str) -> Value {
    let answer = ask(url, request_line, &[&[HOST], headers].concat(), body);
    assert_eq!(answer.status, 200, "{answer:#?}");
    answer.json()
}

/// What becomes of an answer of the function.
pub(crate) fn answered(url: &str, headers: &[&str], answer: &Value) -> Answer {
    let headers = [&[HOST], headers].concat();
    ask(url, "POST /stage/answer", &headers, &answer.to_string())
}

fn slashes_around_a_path_make_no_other_resource(target: &Target) {
    with_echo(target, "", |url| {
        for (sent, resource, path, proxy) in [
            ("/stage/test/", "/test", "/test/", Value::Null),
            ("/stage//hardcoded", "/hardcoded", "/hardcoded", Value::Null),
            (
                "/stage///hardcoded/",
                "/hardcoded",
                "/hardcoded/",
                Value::Null,
            ),
            (
                "/stage/files/proxy-value/",
                "/files/{proxy+}",
                "/files/proxy-value/",
                json!({"proxy": "proxy-value"}),
            ),
            (
                "/stage/files/a//test%2Balias@example.com/b+c",
                "/files/{proxy+}",
                "/files/a//test%2Balias@example.com/b+c",
                json!({"proxy": "a//test%2Balias@example.com/b+c"}),
            ),
        ] {
            let event = event(url, &format!("GET {sent}"), &[], "");
            assert_eq!(event["resource"], resource, "{sent}");
            assert_eq!(event["path"], path, "{sent}");
            assert_eq!(event["pathParameters"], proxy, "{sent}");
            assert_eq!(event["requestContext"]["path"], sent);
        }
        let missing = ask(url, "GET /stage/files/", &[HOST], "");
        assert_eq!(missing.status, 403, "{missing:#?}");
    });
}

fn names_of_headers_come_to_the_function_as_they_were_sent(target: &Target) {
    with_echo(target, "", |url| {
        let sent = [
            "tEsT-HEADeR: aValUE",
            "x-lower: 1",
            "X-Many: 1",
            "x-many: 2",
            "ACCEPT: */*",
        ];
        let event = event(url, "GET /stage/test", &sent, "");
        for (name, value) in [
            ("tEsT-HEADeR", "aValUE"),
            ("x-lower", "1"),
            ("ACCEPT", "*/*"),
        ] {
            assert_eq!(event["headers"][name], value, "{event:#}");
            assert_eq!(event["multiValueHeaders"][name], json!([value]));
        }
        assert_eq!(event["headers"]["X-Many"], "2");
        assert_eq!(event["multiValueHeaders"]["X-Many"], json!(["1", "2"]));
        assert_eq!(event["headers"].get("x-many"), None);
        assert_eq!(event["headers"].get("accept"), None);
    });
}

fn requests_on_one_connection_keep_each_its_own_spelling(target: &Target) {
    with_echo(target, "", |url| {
        let chunks = "GET /stage/test HTTP/1.1\r\nNEVER: 1\r\n\r\n";
        let sent = format!(
            "GET /stage/test HTTP/1.1\r\n{HOST}\r\nONE: 1\r\n\r\n\
             POST /stage/test HTTP/1.1\r\n{HOST}\r\noNe: 2\r\nContent-LENGTH: {length}\r\n\r\n{chunks}\
             POST /stage/test HTTP/1.1\r\n{HOST}\r\nOne: 3\r\ntransfer-encoding: CHUNKED\r\n\r\n\
             {length:x};extension=1\r\n{chunks}\r\n1\r\n.\r\n0\r\nAfter: 1\r\n\r\n\
             GET /stage/test HTTP/1.1\r\n{HOST}\r\nonE: 4\r\nConnection: close\r\n\r\n",
            length = chunks.len(),
        );
        let answers = converse(url, sent.as_bytes());
        assert_eq!(answers.len(), 4, "{answers:#?}");
        let bodies = [
            Value::Null,
            json!(chunks),
            json!(format!("{chunks}.")),
            Value::Null,
        ];
        let names = [("ONE", "1"), ("oNe", "2"), ("One", "3"), ("onE", "4")];
        for ((answer, (name, value)), body) in answers.iter().zip(names).zip(bodies) {
            let event = answer.json();
            assert_eq!(event["headers"][name], value, "{event:#}");
            assert_eq!(event["body"], body);
        }
    });
}

fn a_function_never_sees_the_headers_of_the_connection(target: &Target) {
    with_echo(target, "", |url| {
        let sent = [
            "Content-MD5: a",
            "Expect: 100-continue",
            "Max-Forwards: 1",
            "Proxy-Authenticate: a",
            "Server: a",
            "TE: trailers",
            "Trailer: a",
            "Upgrade: a",
            "WWW-Authenticate: a",
            "X-Forwarded-For: 198.51.100.1",
            "x-forwarded-proto: gopher",
            "user-agent: curl",
        ];
        let event = event(url, "POST /stage/test", &sent, "a body");
        assert_eq!(event["body"], "a body");
        let names = event["headers"].as_object().unwrap().keys();
        let expected = [
            "Host",
            "User-Agent",
            "X-Amzn-Trace-Id",
            "X-Forwarded-For",
            "X-Forwarded-Port",
            "X-Forwarded-Proto",
        ];
        assert_eq!(names.collect::<Vec<_>>(), expected);
        let headers = &event["headers"];
        assert_eq!(headers["X-Forwarded-For"], "198.51.100.1, 127.0.0.1");
        assert_eq!(headers["X-Forwarded-Proto"], "http");
        let port = reqwest::Url::parse(url).unwrap().port().unwrap();
        let port = port.to_string();
        assert_eq!(headers["X-Forwarded-Port"], port, "whatever Host says");
        assert_eq!(headers["User-Agent"], "curl");
        assert_eq!(event["requestContext"]["identity"]["userAgent"], "curl");
    });
}

fn an_event_says_what_api_gateway_says_of_a_request(target: &Target) {
    with_echo(target, "", |url| {
        let answer = ask(url, "GET /stage/test", &[HOST], "");
        let event = answer.json();
        let context = &event["requestContext"];
        assert!(!context["deploymentId"].as_str().unwrap().is_empty());
        assert_eq!(context["requestId"], answer.header("x-amzn-requestid"));
        assert_eq!(
            context["extendedRequestId"],
            answer.header("x-amz-apigw-id")
        );
        assert_ne!(context["extendedRequestId"], context["requestId"]);
        let identity = context["identity"].as_object().unwrap();
        for absent in ["apiKey", "apiKeyId"] {
            assert_eq!(identity.get(absent), None);
        }
        assert_eq!(identity["caller"], Value::Null);
        assert_eq!(context.get("authorizer"), None);
        for null in [
            "body",
            "pathParameters",
            "queryStringParameters",
            "stageVariables",
        ] {
            assert_eq!(event.get(null), Some(&Value::Null), "{null}");
        }
    });
}

fn bodies_are_binary_by_their_media_type(target: &Target) {
    with_echo(target, "", |url| {
        let body = |kind: &str| {
            let event = event(url, "POST /stage/test", &[kind], "hi");
            (event["body"].clone(), event["isBase64Encoded"].clone())
        };
        let encoded = (json!("aGk="), json!(true));
        let plain = (json!("hi"), json!(false));
        assert_eq!(body("Content-Type: image/png; a=b"), encoded);
        assert_eq!(body("Content-Type: text/plain"), plain);
        assert_eq!(body("X-Other: image/png"), plain);

        let answer = json!({"body": "aGk=", "isBase64Encoded": true});
        for (accept, body) in [
            ("Accept: image/png, text/html", "hi"),
            ("Accept: text/html, image/png", "aGk="),
            ("Accept: image/*", "aGk="),
            ("Accept: */*", "aGk="),
            ("X-Other: 1", "aGk="),
        ] {
            let answer = answered(url, &[accept], &answer);
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, body),
                "{accept}"
            );
        }
    });
}

fn a_trace_comes_to_the_function_and_back(target: &Target) {
    with_echo(target, "", |url| {
        let trace = |headers: &[&str]| {
            let answer = ask(url, "GET /stage/test", &[&[HOST], headers].concat(), "");
            let told = answer.json()["headers"]["X-Amzn-Trace-Id"].clone();
            let told = told.as_str().unwrap().to_owned();
            (told, answer.header("x-amzn-trace-id"))
        };
        let (told, answered) = trace(&[]);
        assert!(told.starts_with("Root=1-"), "{told}");
        assert!(
            answered.starts_with(&format!("{told};Parent=")),
            "{answered}"
        );
        let root = "Root=1-3152b799-8954dae64eda91bc9a23a7e8";
        let (told, answered) = trace(&[&format!("x-amzn-trace-id: {root}")]);
        assert_eq!(told, root);
        assert!(
            answered.starts_with(&format!("{root};Parent=")),
            "{answered}"
        );
        let whole = format!("{root};Parent=7fa8c0f79203be72;Sampled=1");
        let (told, answered) = trace(&[&format!("X-AMZN-Trace-Id: {whole}")]);
        assert_eq!((told, answered), (whole.clone(), whole));
    });
}

fn two_variables_beside_each_other_are_refused_by_line(target: &Target) {
    for (path, other) in [("/files/{id}", "{proxy+}"), ("/files/{other+}", "{proxy+}")] {
        let event = format!(
            "        Other: {{Type: Api, Properties: {{RestApiId: !Ref Shop, Path: '{path}', Method: GET}}}}\n"
        );
        let text = template("", &event);
        let place = text.lines().position(|line| line.contains("Other:"));
        let line = format!("line {}:", place.unwrap() + 1);
        let project = Project::new(&text).with_executable("src/bootstrap", ECHO);
        let Err((_, said)) = target
            .build()
            .try_start(&["--template", &project.template()])
        else {
            panic!("{path} is served");
        };
        assert!(
            said.contains(&line) && said.contains(path) && said.contains(other),
            "{said}"
        );
    }
}

fn a_credential_and_an_origin_count_however_their_names_are_spelled(target: &Target) {
    for events in ["AuthorizerEvents=TOKEN", "AuthorizerEvents=REQUEST"] {
        let (_gateway, own) = target.own(&["--parameter", events]);
        count_however_they_are_spelled(&own);
    }
}

fn count_however_they_are_spelled(own: &Target) {
    const ORIGIN: &str = "http://localhost:5173";
    let (url, token) = (own.url.as_str(), own.token());
    for (authorization, origin) in [
        ("Authorization", "Origin"),
        ("AUTHORIZATION", "oRIGIN"),
        ("authorization", "origin"),
    ] {
        let authorization = format!("{authorization}: Bearer {token}");
        let origin = format!("{origin}: {ORIGIN}");
        let headers = [HOST, &authorization, &origin];
        let listed = ask(url, "GET /dev/keys", &headers, "");
        assert_eq!(listed.status, 200, "{listed:#?}");
        assert_eq!(listed.header("access-control-allow-origin"), ORIGIN);
        let asked = [HOST, &origin, "ACCESS-control-REQUEST-method: GET"];
        let preflight = ask(url, "OPTIONS /dev/keys", &asked, "");
        assert_eq!(preflight.header("access-control-allow-origin"), ORIGIN);
        let allowed = preflight.header("access-control-allow-methods");
        assert!(allowed.contains("GET"), "{preflight:#?}");
        // As API Gateway, the functions take no other path for one with a slash at its end.
        let preflight = ask(url, "OPTIONS /dev/keys/", &asked, "");
        let same = preflight.header("access-control-allow-methods");
        assert_eq!(same, allowed);
        let unserved = ask(url, "PATCH /dev/keys/", &headers, "");
        assert_eq!(unserved.status, 405, "{unserved:#?}");
        assert!(unserved.header("allow").contains("POST"), "{unserved:#?}");
        let unserved = ask(url, "GET /dev/nothing", &headers, "");
        assert_eq!(unserved.status, 404, "{unserved:#?}");
        assert_eq!(unserved.header("access-control-allow-origin"), ORIGIN);
    }
}
