//! The line for a person that each request has on a terminal, and where the access log goes meanwhile.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use keygate_tests::call::Reply;
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;
use reqwest::Method;

use crate::foreign_apis::shop;
use crate::keys::{issue, text};
use crate::tokens::list;

keygate_tests::tests! { for Target:
    on_a_terminal_a_request_has_one_line_with_each_step needs "own-gateway";
    a_refusal_says_why_beside_its_status needs "own-gateway";
    what_a_stage_refuses_says_why_too needs "python", "own-gateway";
    a_terminal_without_colour_is_given_none needs "own-gateway";
    the_access_log_goes_to_the_file_that_is_named needs "own-gateway";
    an_access_log_that_cannot_be_is_refused needs "own-gateway";
    for_a_program_the_whole_log_is_json needs "own-gateway";
}

/// The line of a request on the terminal, or wherever the first part of its id is.
#[track_caller]
fn line_of(text: impl Fn() -> String, reply: &Reply) -> String {
    let id = &reply.must_header("x-amzn-requestid")[..8];
    let line = wait_for(|| {
        let shown = text();
        let mut lines = shown.split_inclusive('\n');
        // Those of functions begin with their names.
        let line =
            lines.find(|line| line.contains(id) && line.ends_with('\n') && !line.starts_with('['));
        line.map(|line| line.trim_end().to_owned())
    });
    line.expect("the request has a line")
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once('m'));
    rest.fold(first.to_owned(), |text, (_, part)| text + part)
}

fn on_a_terminal_a_request_has_one_line_with_each_step(target: &Target) {
    let gateway = target.build().start_on_terminal(&[], &[]);
    let own = target.reaching(&gateway);
    let token = own.token_with(&[("client_id", "reader"), ("scope", "books:read")]);
    let bearer = format!("Bearer {token}");
    let said = || gateway.stdout();

    let called = list(&own, &bearer).expect(200);
    let line = line_of(said, &called);
    assert!(line.contains("\u{1b}[32m200\u{1b}[0m"), "{line:?}");
    let line = plain(&line);
    assert!(line.contains("Z 200 GET /dev/books "), "{line}");
    assert!(line.contains(" ms  (AuthorizerFunction "), "{line}");
    assert!(line.contains(" ms, usage plan "), "{line}");
    assert!(line.contains(" ms, ProbeFunction "), "{line}");
    assert!(line.contains(" ms)  reader  "), "{line}");

    let cached = plain(&line_of(said, &list(&own, &bearer).expect(200)));
    assert!(
        cached.contains("(AuthorizerFunction cached, usage plan "),
        "{cached}"
    );
    let id = called.must_header("x-amzn-requestid");
    assert!(
        !said().contains(&format!("\"requestId\":\"{id}\"")),
        "the access log is there too"
    );
    assert!(!said().contains(&token));
}

fn a_refusal_says_why_beside_its_status(target: &Target) {
    let gateway = target
        .build()
        .start_on_terminal(&["--parameter", "QuotaLimit=1"], &[]);
    let own = target.reaching(&gateway);
    let reader = own.token_with(&[("scope", "books:read")]);
    let late = own.token_with(&[("lifetime", "-3600")]);
    let issued = issue(&own, &own.token(), &["books:read"]).json();
    let key = format!("ApiKey {}", text(&issued, "key"));
    let said = || gateway.stdout();
    for (reply, status, reasons) in [
        (
            own.get("/books").send(),
            "401",
            ["there is no header Authorization", ""],
        ),
        (
            list(&own, "Bearer x"),
            "401",
            ["does not have three parts", "(token-malformed)"],
        ),
        (
            list(&own, &format!("Bearer {late}")),
            "401",
            ["exp", "(token-expired)"],
        ),
        (
            own.post("/books").bearer(&reader).json(&json!({})).send(),
            "403",
            [
                "it needs the scope books:write",
                "the caller has books:read",
            ],
        ),
        (list(&own, &key).expect(200), "200", ["", ""]),
        (
            list(&own, &key),
            "429",
            ["the quota of the caller's usage plan", ""],
        ),
    ] {
        let line = plain(&line_of(said, &reply));
        assert!(line.contains(&format!("Z {status} ")), "{line}");
        for reason in reasons {
            assert!(line.contains(reason), "{reason}: {line}");
        }
    }
}

fn what_a_stage_refuses_says_why_too(target: &Target) {
    let api = "      Cors: \"'*'\"
      ApiKeySourceType: HEADER
      Models: {Any: {type: object}}
      MethodSettings:
        - {ResourcePath: /~1books, HttpMethod: GET, ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1}";
    let events = "        Keyed:
          Type: Api
          Properties: {RestApiId: !Ref Shop, Path: /keyed, Method: get, Auth: {ApiKeyRequired: true}}
        Checked:
          Type: Api
          Properties:
            RestApiId: !Ref Shop
            Path: /checked
            Method: get
            RequestModel: {Model: Any, ValidateParameters: true}
            RequestParameters: [method.request.querystring.lang: {Required: true}]
";
    let project = shop(api, events);
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let preflight = own.call(Method::OPTIONS, "/books");
    for (reply, status, reason) in [
        (own.get("/books").send(), 200, " ms)  "),
        (
            own.get("/books").send(),
            429,
            "the rate and burst that the stage has for GET /books are used up",
        ),
        (
            own.get("/keyed").send(),
            403,
            "the route asks for a usage key, and there is no header x-api-key",
        ),
        (
            own.get("/keyed").header("x-api-key", "of-nobody").send(),
            403,
            "the usage key in the header x-api-key is on no plan of this stage",
        ),
        (
            own.get("/checked").send(),
            400,
            "request validation: Missing required request parameters: [lang]",
        ),
        (
            preflight.header("content-type", "text/plain").send(),
            500,
            "the mock has no request template for this content type",
        ),
    ] {
        let line = line_of(|| gateway.stdout(), &reply.expect(status));
        assert!(line.contains(&format!("Z {status} ")), "{line}");
        assert!(line.contains(reason), "{reason}: {line}");
    }
}

fn a_terminal_without_colour_is_given_none(target: &Target) {
    let gateway = target.build().start_on_terminal(&[], &[("NO_COLOR", "1")]);
    let own = target.reaching(&gateway);
    let line = line_of(|| gateway.stdout(), &own.get("/books").send());
    assert!(line.contains("Z 401 GET /dev/books "), "{line}");
    assert!(!gateway.stdout().contains('\u{1b}'), "{}", gateway.stdout());
}

fn the_access_log_goes_to_the_file_that_is_named(target: &Target) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("access.log");
    let (gateway, own) = target.own(&["--access-log", path.to_str().unwrap()]);
    let reply = own.get("/books").send();
    let logged = line_of(|| fs::read_to_string(&path).unwrap(), &reply);
    let logged: Value = serde_json::from_str(&logged).unwrap();
    assert_eq!(logged["requestId"], reply.must_header("x-amzn-requestid"));
    assert_eq!(logged["status"], "401");
    let line = line_of(|| gateway.stdout(), &reply);
    assert!(line.contains("Z 401 GET /dev/books "), "{line}");
    assert!(!line.contains('\u{1b}'), "{line}");
    assert!(gateway.stop().success());

    let gateway = target
        .build()
        .start_on_terminal(&["--access-log", "-"], &[]);
    let own = target.reaching(&gateway);
    let reply = own.get("/books").send();
    let logged = line_of(|| gateway.stdout(), &reply);
    let logged: Value = serde_json::from_str(&logged).unwrap();
    assert_eq!(logged["status"], "401");
}

fn an_access_log_that_cannot_be_is_refused(target: &Target) {
    let build = target.build();
    let refused = |arguments: &[&str]| match build.try_start(arguments) {
        Ok(_) => panic!("keygate starts with {arguments:?}"),
        Err((_, said)) => said,
    };
    let said = refused(&["--access-log", "/nonexistent/access.log"]);
    assert!(
        said.contains("--access-log: /nonexistent/access.log"),
        "{said}"
    );
    let format = "AccessLogSetting:";
    let template = build.template_with(format, "# ");
    let text = fs::read_to_string(&template).unwrap();
    let (before, after) = text.split_once("# \n").unwrap();
    let end = after.find("\n      M").unwrap_or_default();
    fs::write(&template, format!("{before}{}", &after[end..])).unwrap();
    let path = template.path().to_str().unwrap();
    let said = refused(&["--access-log", "-", "--template", path]);
    assert!(
        said.contains("--access-log: the template says no format"),
        "{said}"
    );
}

/// What a gateway has logged, each line read as JSON.
fn log_of(gateway: &Keygate) -> Vec<Value> {
    let said = gateway.stderr();
    let lines = said
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    lines.collect()
}

fn for_a_program_the_whole_log_is_json(target: &Target) {
    let (gateway, own) = target.own(&["--log", "json"]);
    let reply = list(&own, "Bearer x");
    let id = reply.must_header("x-amzn-requestid");
    let record = wait_for(|| {
        let log = log_of(&gateway);
        let mut requests = log
            .into_iter()
            .filter(|line| line["request"]["request_id"] == id);
        requests.next()
    });
    let request = &record.expect("the request is in the log")["request"];
    assert_eq!(request["status"], 401);
    assert_eq!(request["authorizer"]["function"], "AuthorizerFunction");
    assert!(
        request["reason"]
            .as_str()
            .unwrap()
            .contains("(token-malformed)")
    );
    let log = log_of(&gateway);
    let mut decisions = log.iter().filter(|line| line["record"]["request_id"] == id);
    let decision = decisions.next().expect("the function's own line is there");
    assert_eq!(decision["function"], "AuthorizerFunction");
    let said = gateway.stdout();
    let first: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(first["ready"]["url"], gateway.ready.url);
    // The access log keeps its place and its format.
    let access = wait_for(|| {
        let said = gateway.stdout();
        let mut lines = said.lines().skip(1);
        lines.any(|line| line.contains(id)).then_some(())
    });
    assert!(access.is_some(), "{}", gateway.stdout());
}
