//! What no route serves, requests that are too large, and the pages that explain each problem.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::Method;
use serde_json::json;

use crate::tokens::list;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_path_that_no_route_has_is_not_found needs "any-method";
    a_method_that_a_path_lacks_is_not_allowed_and_the_others_are_named needs "any-method";
    every_problem_type_is_listed_with_a_page_of_its_own;
    a_page_comes_as_html_or_json_as_the_request_prefers;
    a_page_that_cannot_be_had_in_the_accepted_form_is_not_acceptable;
    a_problem_type_that_is_none_is_not_found;
    the_type_of_an_error_leads_to_its_page;
    an_error_has_the_request_id_and_the_one_that_no_client_can_choose needs "request-id";
    a_header_of_20_kb_is_refused needs "own-gateway";
    a_token_of_100_kb_is_refused needs "own-gateway";
    three_hundred_small_headers_are_taken needs "own-gateway";
    a_body_over_10_mb_is_refused needs "own-gateway";
    a_client_that_sends_all_before_it_reads_gets_its_refusal_too needs "own-gateway";
}

/// Every type of problem, with its status: a part of the API's contract.
const TYPES: [(&str, u16); 20] = [
    ("bad-request", 400),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("insufficient-scope", 403),
    ("not-found", 404),
    ("method-not-allowed", 405),
    ("not-acceptable", 406),
    ("conflict", 409),
    ("precondition-failed", 412),
    ("payload-too-large", 413),
    ("unsupported-media-type", 415),
    ("invalid-body", 422),
    ("idempotency-key-reused", 422),
    ("request-header-too-large", 431),
    ("too-many-requests", 429),
    ("quota-exceeded", 429),
    ("internal-error", 500),
    ("bad-gateway", 502),
    ("service-unavailable", 503),
    ("gateway-timeout", 504),
];

fn a_path_that_no_route_has_is_not_found(target: &Target) {
    let token = target.token();
    for path in [
        "/",
        "/nothing",
        "/books/7/parts",
        "/keys/abc/revoke",
        "/problems/a/b",
        "/BOOKS",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            // A credential neither helps nor is asked for.
            let anonymous = target.call(method.clone(), path).send();
            anonymous.problem(404, "not-found");
            let known = target.call(method, path).bearer(&token).send();
            known.problem(404, "not-found");
        }
    }
}

fn a_method_that_a_path_lacks_is_not_allowed_and_the_others_are_named(target: &Target) {
    for (method, path, allowed) in [
        (Method::PATCH, "/books", &["get", "options", "post"][..]),
        (Method::DELETE, "/books", &["get", "options", "post"]),
        (
            Method::POST,
            "/books/7",
            &["delete", "get", "options", "put"],
        ),
        (Method::PUT, "/keys", &["get", "options", "post"]),
        (Method::PATCH, "/keys/abc", &["delete", "get", "options"]),
        (Method::GET, "/keys/abc/rotate", &["options", "post"]),
        (Method::POST, "/problems", &["get", "head", "options"]),
        (
            Method::DELETE,
            "/problems/not-found",
            &["get", "head", "options"],
        ),
    ] {
        let reply = target.call(method.clone(), path).send();
        let problem = reply.problem(405, "method-not-allowed");
        assert_eq!(reply.list("allow"), allowed, "{method} {path}");
        let mut member: Vec<String> = problem["allow"]
            .as_array()
            .unwrap()
            .iter()
            .map(|method| method.as_str().unwrap().to_ascii_lowercase())
            .collect();
        member.sort();
        assert_eq!(member, allowed, "{method} {path}");
    }
}

fn every_problem_type_is_listed_with_a_page_of_its_own(target: &Target) {
    let index = target.get("/problems").header("accept", "application/json");
    let index = index.send().expect(200).json();
    let listed: BTreeMap<&str, u64> = index["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            let kind = problem["type"].as_str().unwrap();
            let slug = kind.rsplit('/').next().unwrap();
            (slug, problem["status"].as_u64().unwrap())
        })
        .collect();
    let expected = TYPES.map(|(slug, status)| (slug, u64::from(status)));
    assert_eq!(listed, BTreeMap::from(expected));
    for (slug, status) in TYPES {
        let path = format!("/problems/{slug}");
        let page = target.get(&path).header("accept", "application/json");
        let page = page.send().expect(200).json();
        assert_eq!(page["status"], status);
        assert!(page["type"].as_str().unwrap().ends_with(&path), "{page}");
        for member in ["title", "meaning", "remedy"] {
            let text = page[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member}: {page}");
        }
        assert!(!page["causes"].as_array().unwrap().is_empty(), "{page}");
    }
}

fn a_page_comes_as_html_or_json_as_the_request_prefers(target: &Target) {
    let html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/problems".to_owned()]
        .into_iter()
        .chain(TYPES.map(|(slug, _)| format!("/problems/{slug}")))
    {
        for (accept, media_type) in [
            (html, "text/html"),
            (
                "text/html;q=0.4, application/json;q=0.5",
                "application/json",
            ),
            ("*/*", "application/json"),
        ] {
            let page = target.get(&path).header("accept", accept).send();
            let page = page.expect(200);
            let seen = page.must_header("content-type");
            assert!(seen.starts_with(media_type), "{path} {accept}: {seen}");
            let vary = page.list("vary");
            assert!(vary.iter().any(|name| name == "accept"), "{page:#?}");
            if media_type == "text/html" {
                assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
            } else {
                page.json();
            }
        }
    }
}

fn a_page_that_cannot_be_had_in_the_accepted_form_is_not_acceptable(target: &Target) {
    for path in ["/problems", "/problems/not-found"] {
        for accept in ["image/png", "text/html;q=0", "application/xml, text/plain"] {
            let page = target.get(path).header("accept", accept).send();
            page.problem(406, "not-acceptable");
        }
    }
}

fn a_problem_type_that_is_none_is_not_found(target: &Target) {
    for slug in ["nothing", "NOT-FOUND", "%3Cscript%3E", "not-found%20"] {
        let page = target.get(&format!("/problems/{slug}")).send();
        page.problem(404, "not-found");
        assert!(!page.body.contains("<script"), "{page:#?}");
    }
}

fn the_type_of_an_error_leads_to_its_page(target: &Target) {
    let token = target.token();
    let mut answers = vec![target.get("/keys/7").bearer(&token).send()];
    if target.can("gateway-responses") {
        answers.push(target.get("/books").send());
    }
    if target.can("any-method") {
        answers.push(target.get("/nothing").send());
    }
    for answer in answers {
        let problem = answer.json();
        let address = problem["type"].as_str().unwrap();
        let page = target.absolute(Method::GET, address).send().expect(200);
        assert_eq!(page.json()["type"], problem["type"]);
    }
}

fn an_error_has_the_request_id_and_the_one_that_no_client_can_choose(target: &Target) {
    let token = target.token();
    for answer in [
        target.get("/books").send(),
        target.get("/nothing").send(),
        target.get("/keys/7").bearer(&token).send(),
        target.post("/keys").bearer(&token).json(&json!({})).send(),
    ] {
        assert!(answer.status >= 400, "{answer:#?}");
        let problem = answer.json();
        let id = answer.must_header("x-amzn-requestid");
        assert_eq!(problem["instance"], id, "{answer:#?}");
        let extended = answer.must_header("x-amz-apigw-id");
        assert_eq!(problem["extended_request_id"], extended, "{answer:#?}");
    }
}

fn a_header_of_20_kb_is_refused(target: &Target) {
    let token = target.token();
    let call = target.get("/books").bearer(&token);
    let reply = call.header("x-large", &"x".repeat(20 * 1024)).send();
    reply.problem(431, "request-header-too-large");
    target.get("/books").bearer(&token).send().expect(200);
}

fn three_hundred_small_headers_are_taken(target: &Target) {
    let token = target.token();
    let mut call = target.get("/books").bearer(&token);
    for number in 0..300 {
        call = call.header(&format!("x-{number}"), "1");
    }
    call.send().expect(200);
}

fn a_token_of_100_kb_is_refused(target: &Target) {
    let reply = list(target, &format!("Bearer {}", "x".repeat(100 * 1024)));
    reply.problem(431, "request-header-too-large");
    list(target, &format!("Bearer {}", target.token())).expect(200);
}

fn a_body_over_10_mb_is_refused(target: &Target) {
    let token = target.token();
    let call = target.post("/books").bearer(&token);
    let call = call.header("content-type", "application/json");
    let reply = call.body("x".repeat(11 * 1024 * 1024)).send();
    reply.problem(413, "payload-too-large");
    target.get("/books").bearer(&token).send().expect(200);
}

fn a_client_that_sends_all_before_it_reads_gets_its_refusal_too(target: &Target) {
    let address = target.url.strip_prefix("http://").unwrap();
    let (address, stage) = address.split_once('/').unwrap();
    let body = vec![b'x'; 20 * 1024 * 1024];
    // To a route, and to a stage that is none, whose answer waits for no body.
    for (path, status) in [(format!("/{stage}/keys"), 413), ("/none".to_owned(), 403)] {
        let mut connection = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(&body).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let line = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&line), "{answer}");
    }
}
