//! `keygate why`: what became of a request that has passed, here and at a deployed stack.

use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Method;
use serde_json::{Value, json};

use keygate_tests::keygate::wait_for;
use keygate_tests::target::Target;

use crate::invoke::{served, worker};
use crate::tokens::list;

keygate_tests::tests! { for Target:
    a_request_that_has_passed_is_told_step_by_step needs "own-gateway";
    what_lambda_says_of_a_request_is_told_with_it needs "python", "own-gateway";
    a_request_that_nobody_knows_is_said_to_be_unknown needs "own-gateway";
    a_page_in_a_browser_is_told_nothing needs "own-gateway";
    a_request_at_a_deployed_stack_is_told_from_its_logs needs "own-gateway";
    a_stack_that_is_not_there_is_named needs "own-gateway";
}

fn port_of(target: &Target, address: &str) -> String {
    assert!(target.url.starts_with("http://127.0.0.1"));
    address.rsplit(':').next().unwrap().to_owned()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn a_request_that_has_passed_is_told_step_by_step(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let port = port_of(&own, &gateway.ready.api_gateway);
    let why = |id: &str, more: &[&str]| {
        let arguments = ["why", id, "--api-gateway-port", &port];
        target.build().run(&[&arguments, more].concat(), &[])
    };
    let token = own.token_with(&[("client_id", "reader"), ("scope", "books:read")]);
    let served = list(&own, &format!("Bearer {token}")).expect(200);
    let id = served.must_header("x-amzn-requestid");
    let told = said(&why(id, &[]));
    let mut words = vec!["GET /dev/books was answered 200 in ", id];
    words.extend([
        "\n  route       /books\n",
        "\n  authorizer  AuthorizerFunction took ",
    ]);
    words.extend([
        "\n  caller      reader, credential jwt",
        "scopes books:read\n",
    ]);
    words.extend([
        "\n  usage plan  counted for ",
        "\n  handler     ProbeFunction answered 200 in ",
    ]);
    for word in words {
        assert!(told.contains(word), "{word}: {told}");
    }
    // The authorizer's own line comes by another way than its answer.
    let line = "  log         [AuthorizerFunction] {";
    assert!(wait_for(|| said(&why(id, &[])).contains(line).then_some(())).is_some());
    assert!(!said(&why(id, &[])).contains(&token));

    let refused = own.post("/books").bearer(&token).json(&json!({})).send();
    let id = refused.must_header("x-amzn-requestid");
    let told = said(&why(&id[..8], &[]));
    assert!(
        told.starts_with("POST /dev/books was answered 403 (ACCESS_DENIED)"),
        "{told}"
    );
    let because = "\n  because     it needs the scope books:write; the caller has books:read\n";
    assert!(told.contains(because), "{told}");
    assert!(
        told.contains("AuthorizerFunction had answered before (cached)"),
        "{told}"
    );
    let told: Value = serde_json::from_str(&said(&why(id, &["--output", "json"]))).unwrap();
    assert_eq!(told["status"], 403);
    assert_eq!(told["authorizer"]["is_called"], false);

    let outside = own
        .absolute(Method::GET, &own.url.replace("/dev", "/books"))
        .send();
    let told = said(&why(outside.must_header("x-amzn-requestid"), &[]));
    let because = "because     it is outside the stage: every path here begins with /dev\n";
    assert!(told.contains(because), "{told}");
}

fn what_lambda_says_of_a_request_is_told_with_it(target: &Target) {
    let (gateway, own) = served(target, &worker("      Timeout: 1\n"), &[]);
    let port = port_of(&own, &gateway.ready.api_gateway);
    let late = own.get("/greeting?sleep=5&print=going%20to%20sleep").send();
    let id = late.expect(502).must_header("x-amzn-requestid").to_owned();
    let arguments = ["why", &id, "--api-gateway-port", &port];
    // Unlike those of other processes, what an ended one wrote is there before its answer.
    let told = said(&target.build().run(&arguments, &[]));
    let task = format!("Z {id} Task timed out after 1.00 seconds\n");
    let report = format!("[Greeting] REPORT RequestId: {id}\t");
    for words in [
        "because     Task timed out after 1.00 seconds\n",
        "handler     Greeting ",
        "[Greeting] going to sleep\n",
        &task,
        &report,
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

fn a_request_that_nobody_knows_is_said_to_be_unknown(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let port = port_of(&own, &gateway.ready.api_gateway);
    let id = "00000000-0000-4000-8000-000000000000";
    let other = port_of(&own, &gateway.ready.issuer);
    for (id, port, code, words) in [
        (id, port.as_str(), 1, "knows no request 00000000-"),
        (id, other.as_str(), 1, "is no keygate"),
        (id, "1", 1, "no gateway answers at http://127.0.0.1:1 "),
        (
            "a\"b c d e f g",
            port.as_str(),
            64,
            "an id has 8 to 128 letters",
        ),
    ] {
        let arguments = ["why", id, "--api-gateway-port", port];
        let output = target.build().run(&arguments, &[]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(words), "{error}");
    }
}

fn a_page_in_a_browser_is_told_nothing(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let id = own.get("/books").send();
    let id = id.must_header("x-amzn-requestid");
    let url = format!("{}/_keygate/requests/{id}", gateway.ready.api_gateway);
    let ask = || own.absolute(Method::GET, &url);
    ask().send().expect(200);
    ask()
        .header("Origin", "http://127.0.0.1:1")
        .send()
        .expect(403);
    ask().header("Host", "evil.example").send().expect(403);
}

/// Log groups with their lines, and what was asked of them.
type Logs = Arc<Mutex<(Vec<(&'static str, Value)>, Vec<Value>)>>;

/// CloudWatch Logs as far as its documentation says of two calls: a page at a time, and an empty one
/// first.
async fn answer(State(logs): State<Logs>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let signature = header("authorization");
    assert!(
        signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{signature}"
    );
    assert!(
        signature.contains("/eu-west-1/logs/aws4_request"),
        "{signature}"
    );
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let mut logs = logs.lock().unwrap();
    logs.1.push(asked.clone());
    let (groups, _) = &*logs;
    let page = match header("x-amz-target").as_str() {
        "Logs_20140328.DescribeLogGroups" => {
            let prefix = asked["logGroupNamePrefix"].as_str().unwrap();
            let names = groups.iter().filter(|(name, _)| name.starts_with(prefix));
            let names: Vec<Value> = names
                .map(|(name, _)| json!({"logGroupName": name}))
                .collect();
            json!({"logGroups": names})
        }
        "Logs_20140328.FilterLogEvents" if asked.get("nextToken").is_none() => {
            json!({"events": [], "nextToken": "more"})
        }
        "Logs_20140328.FilterLogEvents" => {
            let pattern = asked["filterPattern"].as_str().unwrap();
            let mut group = groups
                .iter()
                .filter(|(name, _)| asked["logGroupName"] == *name);
            let message = group.next().unwrap().1.to_string();
            let words = pattern.split('?').map(|word| word.trim().trim_matches('"'));
            let has = words
                .filter(|word| !word.is_empty())
                .any(|word| message.contains(word));
            json!({"events": has.then(|| json!({"message": message, "timestamp": 1})).as_slice()})
        }
        other => panic!("{other} is called"),
    };
    (StatusCode::OK, page.to_string())
}

/// The address of logs that hold a refused request of the stack `shop-dev`.
fn logs() -> (String, Logs) {
    let groups = vec![
        (
            "/aws/apigateway/shop-dev/access",
            json!({"requestId": "request-1", "method": "GET", "path": "/dev/books", "status": "401",
                "authorizerRequestId": "call-of-authorizer", "integrationRequestId": "-"}),
        ),
        (
            "/aws/lambda/shop-dev-authorizer",
            json!({"decision": "unauthorized", "reason": "token-expired", "detail": "it is over",
                "request_id": "call-of-authorizer"}),
        ),
        (
            "/aws/lambda/shop-dev-keys",
            json!({"request_id": "another"}),
        ),
        (
            "/aws/lambda/shop-develop",
            json!({"request_id": "call-of-authorizer"}),
        ),
    ];
    let logs: Logs = Arc::new(Mutex::new((groups, Vec::new())));
    let router = Router::new()
        .route("/", post(answer))
        .with_state(Arc::clone(&logs));
    (serve(router), logs)
}

/// Serves on a port of loopback for as long as the suite runs, and gives its address.
fn serve(router: Router) -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    url
}

fn at_stack(target: &Target, url: &str, arguments: &[&str]) -> Output {
    let variables = [
        ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test"),
    ];
    target.build().run(arguments, &variables)
}

fn a_request_at_a_deployed_stack_is_told_from_its_logs(target: &Target) {
    let (url, logs) = logs();
    let arguments = ["why", "request-1", "--stack", "shop-dev", "--hours", "2"];
    let told = said(&at_stack(target, &url, &arguments));
    assert!(
        told.starts_with("GET /dev/books was answered 401\n"),
        "{told}"
    );
    assert!(
        told.contains("\n  because     it is over (token-expired)\n"),
        "{told}"
    );
    assert!(
        told.contains("\n  log         [shop-dev-authorizer] {"),
        "{told}"
    );
    assert!(
        !told.contains("shop-develop") && !told.contains("another"),
        "{told}"
    );
    let (_, asked) = &*logs.lock().unwrap();
    let since: Vec<i64> = asked
        .iter()
        .filter_map(|asked| asked["startTime"].as_i64())
        .collect();
    let now = jiff::Timestamp::now().as_millisecond();
    let hour = 3_600_000;
    assert!(
        since
            .iter()
            .all(|since| (now - 3 * hour..=now - 2 * hour).contains(since))
    );
    assert!(!since.is_empty());
}

fn a_stack_that_is_not_there_is_named(target: &Target) {
    let (url, _logs) = logs();
    for (id, stack, words) in [
        (
            "request-1",
            "shop-prod",
            "no log group /aws/apigateway/shop-prod/access",
        ),
        (
            "request-2",
            "shop-dev",
            "no log of shop-dev has the request request-2",
        ),
    ] {
        let output = at_stack(target, &url, &["why", id, "--stack", stack]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(words), "{error}");
    }
}
