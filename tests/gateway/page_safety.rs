//! What the page keeps to itself, and the form, which sends with a credential.

use reqwest::Method;
use serde_json::json;

use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::project::Project;
use keygate_tests::raw::{self, Answer};
use keygate_tests::target::Target;

use crate::page::{Events, has_all, read, text, trip};

keygate_tests::tests! { for Target:
    no_credential_is_shown_wherever_it_stood needs "own-gateway";
    no_credential_in_an_error_is_kept needs "python", "own-gateway";
    the_form_sends_with_each_credential needs "own-gateway";
    the_form_sends_nowhere_else needs "own-gateway";
    other_hosts_origins_and_users_see_nothing needs "own-gateway";
}

fn no_credential_is_shown_wherever_it_stood(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let key = gateway.ready.api_key.clone();
    let token = own.token();
    // The handler answers all that it is given.
    let body = json!({
        "note": format!("my key is {key}"),
        "nested": {"access_token": "opaque-one", "list": [token]},
        "text": json!({"client_secret": "opaque-two"}).to_string(),
    });
    for credential in [format!("ApiKey {key}"), format!("Bearer {token}")] {
        let path = format!("/books?access_token=opaque-three&q={key}");
        let reply = own.post(&path).authorization(&credential);
        let reply = reply.header("cookie", "session=opaque-four; a=b");
        let reply = reply.header("x-other", &credential).json(&body).send();
        let shown = trip(&gateway, &own, &reply.expect(200));
        has_all(&shown, &["[struck out]", "my key is", "x-other"]);
        let all = [
            shown,
            read(&gateway, &own, ""),
            read(&gateway, &own, "send"),
        ];
        for page in all {
            for secret in [&key[16..], &token[token.len() - 40..], "opaque-"] {
                assert!(!page.contains(secret), "{secret}: {page}");
            }
        }
    }
}

/// An authorizer and a handler in one, each of which fails with the credential that it was sent.
const FAILING: &str = r#"#!/usr/bin/env python3
import json, os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as response:
        invocation = response.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(response)
    headers = {name.lower(): value for name, value in event["headers"].items()}
    key = headers["x-api-key"]
    answer, kind = {"errorType": "ValueError", "errorMessage": f"bad key {key}" + " long" * 4000}, "error"
    if "methodArn" in event and "refused" not in event["path"]:
        statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        context = {"client_id": f"of {key}"}
        answer, kind = {"principalId": key, "policyDocument": policy, "context": context}, "response"
    urlopen(Request(f"{api}/{invocation}/{kind}", json.dumps(answer).encode())).close()
"#;

const OF_FAILING: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: Gate
        Authorizers:
          Gate:
            FunctionArn: !GetAtt Gate.Arn
            FunctionPayloadType: REQUEST
            Identity: {Headers: [X-Api-Key], ReauthorizeEvery: 0}
  Gate:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src, Runtime: provided.al2023}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Runtime: provided.al2023
      Events:
        Any: {Type: Api, Properties: {RestApiId: !Ref Shop, Path: '/{proxy+}', Method: get}}
";

fn no_credential_in_an_error_is_kept(target: &Target) {
    let project = Project::new(OF_FAILING).with_executable("src/bootstrap", FAILING);
    let (gateway, own) = target.own(&["--template", &project.template(), "--log", "json"]);
    let mut events = Events::open(&gateway, "live");
    let port = gateway.ready.api_gateway.rsplit(':').next().unwrap();
    let of_the_form = "kg_0123456789ab_opaqueGHIJKLMNOPQRSTUVWXYZabcdef123456";
    for key in [of_the_form, "opaque-credential"] {
        for (path, status, failed) in [
            ("failing", 502, "Fn gave no answer that can be used"),
            ("refused", 500, "Gate was called. It answered:"),
        ] {
            let reply = own.get(&format!("/{path}/{key}"));
            let reply = reply.header("x-api-key", key).send();
            let reply = reply.expect(status);
            let id = reply.must_header("x-amzn-requestid");
            let shown = trip(&gateway, &own, &reply);
            has_all(
                &text(&shown),
                &[failed, "bad key [struck out] long", "bytes more]"],
            );
            let why = ["why", id, "--api-gateway-port", port];
            let why = target.build().run(&why, &[]);
            let why = String::from_utf8(why.stdout).unwrap();
            has_all(&why, &["[struck out]"]);
            let rows = events.next("rows", id);
            let line = wait_for(|| {
                let lines = gateway.stderr();
                let is_it = |line: &&str| line.contains("\"request\":{") && line.contains(id);
                let line = lines.lines().find(is_it);
                line.map(ToOwned::to_owned)
            });
            let line = line.expect("the request has a line");
            for told in [shown, why, rows, line, read(&gateway, &own, "")] {
                assert!(told.contains(path), "{path} is not in {told}");
                assert!(!told.contains("opaque"), "{told}");
                assert!(told.len() < 200_000, "{} bytes", told.len());
            }
        }
    }
}

/// Sends the form as the page's own does.
#[track_caller]
fn submit(gateway: &Keygate, fields: &[(&str, &str)]) -> Answer {
    let link = &gateway.ready.page;
    let host = link
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    submit_as(
        gateway,
        fields,
        &format!("Host: {host}"),
        &format!("Origin: http://{host}"),
    )
}

#[track_caller]
fn submit_as(gateway: &Keygate, fields: &[(&str, &str)], host: &str, origin: &str) -> Answer {
    let link = &gateway.ready.page;
    let secret = link.trim_end_matches('/').rsplit('/').next().unwrap();
    let encoded: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace(':', "%3A")))
        .collect();
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let sent = [host, origin, kind];
    let request_line = format!("POST /{secret}/send");
    raw::ask(link, &request_line, &sent, &encoded.join("&"))
}

fn the_form_sends_with_each_credential(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let path = ("path", "/books?from=page");
    for (fields, words) in [
        (
            vec![("method", "GET"), ("credential", "key")],
            vec!["200 GET /dev/books", "Credential api_key", "Sent."],
        ),
        (
            vec![
                ("method", "POST"),
                ("credential", "token"),
                ("client", "tester"),
                ("scope", "books:read"),
                ("scope", "books:write"),
                ("body", "x"),
                ("content_type", "text/plain"),
            ],
            vec!["200 POST /dev/books", "Principal tester", "text/plain"],
        ),
        (
            vec![
                ("method", "POST"),
                ("credential", "token"),
                ("scope", "books:read"),
            ],
            vec!["403 POST /dev/books", "it needs the scope books:write"],
        ),
        (
            vec![
                ("method", "GET"),
                ("credential", "token"),
                ("expired", "yes"),
            ],
            vec!["401 GET /dev/books", "token-expired"],
        ),
        (
            vec![("method", "GET"), ("credential", "nonsense")],
            vec!["401 GET /dev/books"],
        ),
        (
            vec![("method", "GET"), ("credential", "none")],
            vec!["401 GET /dev/books", "there is no header Authorization"],
        ),
    ] {
        let sent = submit(&gateway, &[&fields[..], &[path]].concat());
        assert_eq!(sent.status, 303, "{sent:?}");
        let shown = read(&gateway, &own, &sent.header("location"));
        has_all(&text(&shown), &words);
        assert!(!shown.contains(&gateway.ready.api_key[16..]), "{shown}");
    }
}

fn the_form_sends_nowhere_else(target: &Target) {
    let (gateway, own) = target.own(&[]);
    for path in ["books", "@127.0.0.1:1/", "http://127.0.0.1:1/", ""] {
        let fields = [("method", "GET"), ("credential", "key"), ("path", path)];
        let answer = submit(&gateway, &fields);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert!(answer.body.contains("begins with a slash"), "{answer:?}");
    }
    let odd = [("method", "GET"), ("credential", "all"), ("path", "/books")];
    assert_eq!(submit(&gateway, &odd).status, 400);
    assert!(!read(&gateway, &own, "").contains("<tr id=\"r-"));
}

fn other_hosts_origins_and_users_see_nothing(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let link = gateway.ready.page.clone();
    let host = link
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let mut call = own.absolute(Method::GET, &format!("http://{host}{path}"));
        for (name, value) in headers {
            call = call.header(name, value);
        }
        call.send()
    };
    let path = link.split_once(host).unwrap().1;
    let own_origin = format!("http://{host}");
    for (path, headers, status) in [
        (path, vec![], 200),
        (path, vec![("Origin", own_origin.as_str())], 200),
        (path, vec![("Host", "rebound.example")], 421),
        (path, vec![("Host", "127.0.0.1:1")], 421),
        (path, vec![("Origin", "http://other.example")], 403),
        (path, vec![("Origin", "null")], 403),
        (path, vec![("Sec-Fetch-Site", "cross-site")], 403),
        ("/", vec![], 403),
        ("/send", vec![], 403),
        ("/x/trip", vec![], 403),
        ("/metrics", vec![], 200),
        ("/metrics", vec![("Host", "rebound.example")], 421),
        ("/metrics", vec![("Origin", "http://other.example")], 403),
    ] {
        let reply = ask(path, &headers);
        assert_eq!(reply.status, status, "{path} {headers:?}");
        assert!(
            status == 200 || !reply.body.contains("dev/"),
            "{}",
            reply.body
        );
        let policy = reply.must_header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.must_header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    let fields = [("method", "GET"), ("credential", "key"), ("path", "/books")];
    let own_host = format!("Host: {host}");
    for origin in ["Origin: http://other.example", "Origin: null", "X-None: 1"] {
        let answer = submit_as(&gateway, &fields, &own_host, origin);
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
    }
    // None of it was sent.
    assert!(!read(&gateway, &own, "").contains("<tr id=\"r-"));
}
