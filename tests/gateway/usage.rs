//! How often keys and clients were used: what the gateway counted, and what is said of it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use crate::faulty::{ALWAYS, Fault, REFUSED, THROTTLED, UNAVAILABLE};
use crate::keys::{issue, text};
use crate::keys_function::KeysFunction;
use crate::operator::{run, said};
use crate::services::{management, put, set};
use crate::tokens::list;
use keygate_tests::call::Reply;
use keygate_tests::event::Event;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    requests_are_counted_by_day_and_what_is_left_is_said needs "usage-plans", "own-gateway";
    a_registered_client_s_requests_are_counted_too needs "usage-plans", "own-gateway";
    usage_goes_with_the_usage_key needs "usage-plans", "own-gateway";
    days_of_which_there_can_be_no_usage_are_refused;
    an_operator_reads_what_is_said_over_http needs "usage-plans", "own-gateway";
    a_list_says_when_each_key_was_last_used needs "usage-plans", "own-gateway";
    a_list_is_answered_without_api_gateway needs "own-gateway";
    usage_that_api_gateway_does_not_say_is_no_usage needs "own-gateway";
    without_usage_plans_nothing_is_asked_of_api_gateway needs "own-gateway";
    with_10_000_keys_each_request_reads_as_little_as_with_one needs "own-gateway";
    a_list_gives_a_plan_up_that_has_too_many_usage_keys needs "own-gateway";
}

/// The exit code of a command line that cannot be right.
const USAGE: i32 = 64;

fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

fn days_ago(days: i32) -> String {
    today().saturating_sub(Span::new().days(days)).to_string()
}

/// Sends so many requests with a credential.
fn send(target: &Target, credential: &str, requests: usize) {
    for _ in 0..requests {
        list(target, credential).expect(200);
    }
}

fn usage(target: &Target, token: &str, path: &str, query: &str) -> Reply {
    let path = format!("{path}/usage{query}");
    target.get(&path).bearer(token).send()
}

fn requests_are_counted_by_day_and_what_is_left_is_said(target: &Target) {
    let (_gateway, own) = target.own(&["--parameter", "QuotaLimit=5"]);
    let token = own.token();
    let key = issue(&own, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    let credential = format!("ApiKey {}", text(&key, "key"));
    let before = usage(&own, &token, &path, "").expect(200).json();
    assert_eq!(before["requests"], 0);
    assert_eq!(before["remaining"], 5);
    assert_eq!(before["from"], days_ago(29));
    assert_eq!(before["to"], days_ago(0));
    assert_eq!(before["usage_plan"], "standard");
    let days = before["days"].as_array().unwrap();
    assert_eq!(days.len(), 30);
    assert_eq!(days[0], json!({"date": days_ago(29), "requests": 0}));

    send(&own, &credential, 3);
    // What is refused is not counted: a route outside its scopes, a wrong credential.
    let refused = own.post("/books").authorization(&credential).send();
    refused.gateway_problem(403, "insufficient-scope");
    list(&own, &format!("{credential}x")).expect(401);
    let used = usage(&own, &token, &path, "").expect(200).json();
    assert_eq!(
        (&used["requests"], &used["remaining"]),
        (&json!(3), &json!(2))
    );
    let days = used["days"].as_array().unwrap();
    assert_eq!(days[29], json!({"date": days_ago(0), "requests": 3}));

    send(&own, &credential, 2);
    list(&own, &credential).problem(429, "quota-exceeded");
    let query = format!("?from={}&to={}", days_ago(1), days_ago(0));
    let spent = usage(&own, &token, &path, &query).expect(200).json();
    assert_eq!(
        (&spent["requests"], &spent["remaining"]),
        (&json!(5), &json!(0))
    );
    let by_day = json!([
        {"date": days_ago(1), "requests": 0}, {"date": days_ago(0), "requests": 5},
    ]);
    assert_eq!(spent["days"], by_day);
    let query = format!("?to={}", days_ago(1));
    let yesterday = usage(&own, &token, &path, &query).expect(200).json();
    assert_eq!(
        (&yesterday["requests"], &yesterday["remaining"]),
        (&json!(0), &json!(5))
    );
}

fn a_registered_client_s_requests_are_counted_too(target: &Target) {
    let (_gateway, own) = target.own(&["--parameter", "PartnerQuotaLimit=9"]);
    let token = own.token();
    let call = own.post("/clients").bearer(&token);
    let body = json!({"client_id": "https://a.example/b", "usage_plan": "partner"});
    call.json(&body).send().expect(201);
    let of_client = own.token_with(&[("client_id", "https://a.example/b")]);
    send(&own, &format!("Bearer {of_client}"), 2);
    let path = "/clients/https%3A%2F%2Fa.example%2Fb";
    let used = usage(&own, &token, path, "").expect(200).json();
    assert_eq!(
        (&used["requests"], &used["remaining"]),
        (&json!(2), &json!(7))
    );
    assert_eq!(used["usage_plan"], "partner");
    let nobody = usage(&own, &token, "/clients/nobody", "");
    nobody.problem(404, "not-found");
}

fn usage_goes_with_the_usage_key(target: &Target) {
    let (_gateway, own) = target.own(&[]);
    let token = own.token();
    let key = issue(&own, &token, &["books:read"]).json();
    let path = format!("/keys/{}", text(&key, "id"));
    send(&own, &format!("ApiKey {}", text(&key, "key")), 1);
    own.delete(&path).bearer(&token).send().expect(204);
    let gone = usage(&own, &token, &path, "").problem(404, "not-found");
    assert!(text(&gone, "detail").contains("is deleted"), "{gone}");
    let page = own.get("/keys").bearer(&token).send().expect(200).json();
    assert_eq!(page["items"][0].get("last_used"), None);
}

fn days_of_which_there_can_be_no_usage_are_refused(target: &Target) {
    let token = target.token();
    let tomorrow = days_ago(-1);
    let long_ago = days_ago(200);
    for (query, word) in [
        ("from=yesterday".to_owned(), "from must be a date"),
        ("to=2026-02-30".to_owned(), "to must be a date"),
        ("from=".to_owned(), "from must be a date"),
        (
            format!("from={}&to={}", days_ago(1), days_ago(2)),
            "must not be after to",
        ),
        (format!("to={tomorrow}"), "future"),
        (format!("from={long_ago}"), "90 days"),
    ] {
        for path in ["/keys/000000000000", "/clients/nobody"] {
            let refused = usage(target, &token, path, &format!("?{query}"));
            let problem = refused.problem(400, "bad-request");
            assert!(text(&problem, "detail").contains(word), "{problem}");
        }
    }
}

fn an_operator_reads_what_is_said_over_http(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let key = issue(&own, &token, &["books:read"]).json();
    let id = text(&key, "id");
    send(&own, &format!("ApiKey {}", text(&key, "key")), 2);
    let over_http = usage(&own, &token, &format!("/keys/{id}"), "");
    assert_eq!(
        run(target, &gateway, &["usage", id]),
        over_http.expect(200).json()
    );
    let from = days_ago(0);
    let output = target
        .build()
        .keys(&gateway, &["usage", id, "--from", &from]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Vec<&str>> = printed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let expected = [
        ["DAY", "REQUESTS"],
        [from.as_str(), "2"],
        ["all", "2"],
        ["left", "99998"],
    ];
    assert_eq!(lines, expected, "{}", said(&output));

    let listed = target.build().keys(&gateway, &["list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let line = listed.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line.ends_with(&from), "{listed}");

    let created = target.build().clients(&gateway, &["create", "mobile"]);
    assert!(created.status.success(), "{}", said(&created));
    let output = target.build().clients(&gateway, &["usage", "mobile"]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("100000"), "{printed}{}", said(&output));

    run(target, &gateway, &["revoke", id]);
    for (arguments, code, word) in [
        (&["usage", id][..], 1, "deleted"),
        (&["usage", "000000000000"], 1, "there is no key"),
        (
            &["usage", id, "--from", "x"],
            USAGE,
            "--from must be a date",
        ),
        (&["usage", id, "--to", "2001-01-01"], USAGE, "90 days"),
    ] {
        let output = target.build().keys(&gateway, arguments);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(word), "{}", said(&output));
        assert_eq!(said(&output).lines().count(), 1);
    }
}

fn a_list_says_when_each_key_was_last_used(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token();
    let [used, unused, shared] = [(); 3].map(|()| issue(&own, &token, &["books:read"]).json());
    send(&own, &format!("ApiKey {}", text(&used, "key")), 1);
    // Whoever shares a usage key with others is not counted by itself.
    let value = json!({"S": "keygate-usage-unregistered-keygate-local"});
    set(&own, &gateway, text(&shared, "id"), "usage_key", &value);
    let page = own.get("/keys").bearer(&token).send().expect(200).json();
    assert_eq!(page["last_used_since"], days_ago(29));
    let listed = |key: &Value| {
        let mut items = page["items"].as_array().unwrap().iter();
        items.find(|item| item["id"] == key["id"]).unwrap()
    };
    assert_eq!(listed(&used)["last_used"], days_ago(0));
    assert_eq!(listed(&unused).get("last_used"), Some(&Value::Null));
    assert_eq!(listed(&shared).get("last_used"), None);
}

/// What a list of `me` says.
fn listed(keys: &KeysFunction) -> Value {
    keys.answer(Event::new("GET", "/keys")).expect(200).body
}

fn a_list_is_answered_without_api_gateway(target: &Target) {
    let mut keys = KeysFunction::start(target);
    let id = keys.issue();
    for fault in [
        UNAVAILABLE,
        THROTTLED,
        REFUSED,
        Fault::Hangs,
        Fault::Endless,
    ] {
        keys.api_gateway.fail("GetUsage", fault, ALWAYS);
        let page = listed(&keys);
        assert_eq!(page["last_used_since"], Value::Null, "{fault:?}");
        assert_eq!(page["items"][0]["id"], json!(id), "{fault:?}");
        assert_eq!(page["items"][0].get("last_used"), None, "{fault:?}");
        keys.api_gateway.recover();
        // Which it remembers for a minute.
        keys.restart();
    }
    let page = listed(&keys);
    assert_eq!(page["last_used_since"], days_ago(29));
    assert_eq!(page["items"][0].get("last_used"), Some(&Value::Null));
}

fn usage_that_api_gateway_does_not_say_is_no_usage(target: &Target) {
    let keys = KeysFunction::start(target);
    let id = keys.issue();
    let body = json!({"client_id": "mobile"});
    keys.answer(Event::new("POST", "/clients").json(&body))
        .expect(201);
    for (fault, slug) in [
        (UNAVAILABLE, "service-unavailable"),
        (THROTTLED, "service-unavailable"),
        (REFUSED, "internal-error"),
        (Fault::Endless, "internal-error"),
    ] {
        keys.api_gateway.fail("GetUsage", fault, ALWAYS);
        keys.usage("keys", &id).problem(slug);
        keys.usage("clients", "mobile").problem(slug);
        keys.api_gateway.recover();
    }
    keys.usage("keys", &id).expect(200);
    // A usage key in use that is not there is a fault, which the sweep mends.
    let usage_key = keys.usage_key_of(&id).unwrap();
    let path = format!("/apikeys/{}", usage_key.id);
    let delete = reqwest::Method::DELETE;
    management(&keys.own, &keys.gateway, delete, &path, &Value::Null).expect(202);
    keys.usage("keys", &id).problem("service-unavailable");
}

fn without_usage_plans_nothing_is_asked_of_api_gateway(target: &Target) {
    let keys = KeysFunction::with(target, &[]);
    let id = keys.issue();
    keys.usage("keys", &id).problem("not-found");
    let page = listed(&keys);
    assert_eq!(page["last_used_since"], Value::Null);
    assert_eq!(page["items"][0].get("last_used"), None);
    assert_eq!(keys.api_gateway.calls(), [""; 0]);
}

/// Puts so many keys of `me` into the table, as if they had been issued a second after each other.
fn fill(keys: &KeysFunction, count: usize) {
    let item = |number: usize| {
        json!({
            "pk": {"S": format!("key#{number:012}")}, "status": {"S": "active"},
            "secret_sha256": {"S": "0".repeat(64)}, "owner": {"S": "me"},
            "created_at": {"N": number.to_string()},
            "usage_key": {"S": format!("keygate-usage-{number:012}")},
            "usage_key_id": {"S": format!("{number:010}")}, "usage_plan": {"S": "standard"},
        })
    };
    let items: Vec<Value> = (1..=count).map(item).collect();
    put(&keys.own, &keys.gateway, &items);
}

fn with_10_000_keys_each_request_reads_as_little_as_with_one(target: &Target) {
    let keys = KeysFunction::start(target);
    fill(&keys, 10_000);
    // Each plan is looked up once.
    let id = keys.issue();
    let reads = |what: &str, at_table: &[&str], scanned: u64, asked: &[&str], ask: &dyn Fn()| {
        let (before, at_first) = (keys.dynamodb.calls().len(), keys.dynamodb.scanned());
        let at_api_gateway = keys.api_gateway.calls().len();
        ask();
        assert_eq!(keys.dynamodb.calls()[before..], *at_table, "{what}");
        let scanned_now = keys.dynamodb.scanned() - at_first;
        assert!(scanned_now <= scanned, "{what} read {scanned_now} items");
        let mut calls = keys.api_gateway.calls()[at_api_gateway..].to_vec();
        calls.retain(|call| call.starts_with("Get"));
        assert_eq!(calls, asked, "{what}");
    };
    let page = |query: &str| {
        let event = Event::new("GET", &format!("/keys?{query}"));
        let list = keys.answer(event).expect(200).body;
        assert_eq!(list["items"].as_array().unwrap().len(), 20, "{query}");
        assert_eq!(list["last_used_since"], days_ago(29));
        list["next_cursor"].as_str().unwrap().to_owned()
    };
    // One for each 500 usage keys that are on the plan at API Gateway, where there is one now.
    reads("a list", &["Query"], 21, &["GetUsage"], &|| {
        drop(page("limit=20"));
    });
    let next = format!("limit=20&cursor={}", page("limit=20"));
    reads("a later page", &["Query"], 21, &[], &|| drop(page(&next)));
    reads("usage", &["GetItem"], 0, &["GetUsage"], &|| {
        keys.usage("keys", &id).expect(200);
    });
    reads("issuing", &["PutItem"], 0, &[], &|| drop(keys.issue()));
    reads("revoking", &["UpdateItem"], 0, &[], &|| {
        drop(keys.revoke(&id).expect(204));
    });
}

fn a_list_gives_a_plan_up_that_has_too_many_usage_keys(target: &Target) {
    let mut keys = KeysFunction::start(target);
    keys.issue();
    let count = |keys: &KeysFunction, calls: usize| {
        let before = keys.api_gateway.count("GetUsage");
        let page = listed(keys);
        assert_eq!(keys.api_gateway.count("GetUsage") - before, calls);
        page
    };
    let put_on_plan = |keys: &KeysFunction, number: usize| {
        let post = |path: &str, body: &Value| {
            let post = reqwest::Method::POST;
            let posted = management(&keys.own, &keys.gateway, post, path, body);
            posted.expect(201).json()
        };
        let value = format!("a-value-of-20-characters-{number}");
        let key = json!({"name": "x", "enabled": true, "value": value});
        let key = post("/apikeys", &key);
        let on = json!({"keyId": key["id"], "keyType": "API_KEY"});
        post("/usageplans/standardusageplan/keys", &on);
    };
    // The listener has two a page, where API Gateway has 500, and 20 pages are read.
    for number in 0..39 {
        put_on_plan(&keys, number);
    }
    assert_eq!(count(&keys, 20)["last_used_since"], days_ago(29));
    put_on_plan(&keys, 39);
    keys.restart();
    assert_eq!(count(&keys, 21)["last_used_since"], Value::Null);
    // That it could not be read is remembered like an answer.
    assert_eq!(count(&keys, 0)["items"][0].get("last_used"), None);
}
