//! The access log: a line of JSON for each request, and no credential in it or anywhere else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::keys::{issue, text};
use crate::tokens::list;
use keygate_tests::call::Reply;
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    each_request_has_one_line_that_says_what_became_of_it needs "access-log", "own-gateway";
    no_log_holds_a_credential needs "access-log", "own-gateway";
}

/// The line of a request; there may be a moment between the answer and its line.
#[track_caller]
pub(crate) fn line_of(gateway: &Keygate, reply: &Reply) -> Value {
    let id = reply.must_header("x-amzn-requestid");
    let lines = wait_for(|| {
        let printed = gateway.stdout();
        let lines = printed.lines().filter(|line| line.contains(id));
        let lines: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect();
        (!lines.is_empty()).then_some(lines)
    });
    let lines = lines.expect("the request has a line");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["requestId"], id);
    lines[0].clone()
}

fn each_request_has_one_line_that_says_what_became_of_it(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "reader"), ("scope", "books:read keys:admin")]);
    let key = issue(&own, &token, &["books:read"]).json();

    let served = list(&own, &format!("Bearer {token}")).expect(200);
    let line = line_of(&gateway, &served);
    assert_eq!(line["method"], "GET");
    assert_eq!(line["resourcePath"], "/books");
    assert_eq!(line["path"], "/dev/books");
    assert_eq!(line["status"], "200");
    assert_eq!(line["principal"], "reader");
    assert_eq!(line["clientId"], "reader");
    assert_eq!(line["credential"], "jwt");

    let by_key = list(&own, &format!("ApiKey {}", text(&key, "key"))).expect(200);
    let line = line_of(&gateway, &by_key);
    assert_eq!(line["credential"], "api_key");
    assert_eq!(line["keyId"], key["id"]);
    assert_eq!(line["principal"], "reader");

    let read = own.get("/books/7?status=404").bearer(&token);
    let read = read.send().expect(404);
    let line = line_of(&gateway, &read);
    assert_eq!(line["resourcePath"], "/books/{id}");
    assert_eq!(line["status"], "404");

    for (reply, status, kind) in [
        (own.get("/books").send(), "401", "UNAUTHORIZED"),
        (list(&own, "Bearer x"), "401", "UNAUTHORIZED"),
        (
            own.post("/books").bearer(&token).json(&json!({})).send(),
            "403",
            "ACCESS_DENIED",
        ),
    ] {
        let line = line_of(&gateway, &reply);
        assert_eq!(line["status"], status);
        assert_eq!(line["errorType"], kind);
    }
    for path in ["/nothing", "/problems"] {
        let reply = own.get(path).send();
        let line = line_of(&gateway, &reply);
        assert_eq!(line["status"], reply.status.to_string());
    }
    // What a client writes cannot break the line.
    let call = own.get("/books").bearer(&token);
    let reply = call.header("user-agent", "a\"b\\c{}").send().expect(200);
    line_of(&gateway, &reply);
}

fn no_log_holds_a_credential(target: &Target) {
    let (gateway, own) = target.own(&["--parameter", "LogLevel=TRACE"]);
    let token = own.token();
    let issued = issue(&own, &token, &["books:read"]).json();
    let key = text(&issued, "key").to_owned();
    let expired = own.token_with(&[("lifetime", "-3600")]);
    let narrow = own.token_with(&[("scope", "something:else")]);
    let mut mistyped = key.clone();
    mistyped.truncate(key.len() - 1);
    let unreadable = "AWS4-HMAC-SHA256 Credential=leaked-credential-value";
    let mut last = None;
    for authorization in [
        format!("Bearer {token}"),
        format!("Bearer {expired}"),
        format!("Bearer {narrow}"),
        format!("ApiKey {key}"),
        format!("ApiKey {mistyped}"),
        format!("ApiKey {key}zz"),
        format!("Basic {key}"),
        unreadable.to_owned(),
        "Bearer leaked-credential-value".to_owned(),
    ] {
        for (method, path) in [
            (Method::GET, "/books"),
            (Method::POST, "/keys"),
            (Method::GET, "/nothing"),
        ] {
            let call = own.call(method, path).authorization(&authorization);
            last = Some(call.send());
        }
    }
    let rotate = own.post(&format!("/keys/{}/rotate", text(&issued, "id")));
    let rotated = rotate.bearer(&token).send().expect(200).json();
    line_of(&gateway, &last.unwrap());

    let secret_of = |key: &str| key.rsplit('_').next().unwrap()[..32].to_owned();
    let parts = [&token, &expired, &narrow]
        .into_iter()
        .flat_map(|token| token.split('.').skip(1));
    let mut secrets: Vec<String> = parts.map(ToOwned::to_owned).collect();
    secrets.extend([secret_of(&key), secret_of(text(&rotated, "key"))]);
    secrets.push("leaked-credential-value".to_owned());
    for (log, text) in [("stdout", gateway.stdout()), ("stderr", gateway.stderr())] {
        for secret in &secrets {
            let line = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} is in {log}");
        }
    }
}
