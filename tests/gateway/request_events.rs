//! A deployment whose authorizer gets REQUEST events (`AuthorizerEvents=REQUEST`): it is told where
//! requests come from, so that API keys can be bound to networks. Linux answers on all of 127/8.

use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::keys::{issue, text};
use crate::operator::{run, said};
use crate::services::{KEY_TABLE, STACK};
use crate::tokens::{is_unauthorized, list};
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    tokens_and_keys_open_what_they_open_with_token_events needs "own-gateway";
    a_key_bound_to_networks_is_served_from_them_alone_while_answers_are_cached needs "own-gateway", "second-address";
    where_a_request_comes_from_is_not_what_its_headers_say needs "own-gateway", "second-address";
    two_different_credentials_are_refused_and_one_that_is_said_twice_is_not needs "own-gateway";
    a_request_without_an_identity_never_reaches_the_authorizer needs "own-gateway";
    without_a_cache_every_request_reaches_the_authorizer needs "own-gateway";
    every_identity_source_must_be_there_and_tells_answers_apart needs "own-gateway";
    a_revoked_key_is_refused_at_the_next_request_from_every_address needs "own-gateway", "second-address";
    a_bound_key_is_refused_and_gets_no_other_secret_with_token_events needs "own-gateway", "restart";
    an_operator_binds_keys_where_the_authorizer_is_told_the_address needs "own-gateway";
    for_a_deployed_table_api_gateway_or_the_command_line_says_what_the_authorizer_is_told needs "own-gateway";
    answers_that_every_address_would_share_are_named_and_bind_no_key needs "own-gateway";
    functions_that_are_told_other_events_are_named needs "own-gateway";
}

const REQUEST: [&str; 4] = [
    "--parameter",
    "AuthorizerEvents=REQUEST",
    "--parameter",
    "AuthorizerCacheTtl=300",
];
const SECOND: [u8; 4] = [127, 0, 0, 2];
const SOURCES: &str =
    "              Headers: [Authorization]\n              Context: [identity.sourceIp]\n";
const USAGE: i32 = 64;

/// A key of this token's caller that works from these networks, as a credential, with its id.
#[track_caller]
fn bound(target: &Target, token: &str, networks: &[&str]) -> (String, String) {
    let body = json!({"name": "bound", "scopes": ["books:read"], "allowed_cidrs": networks});
    let call = target.post("/keys").bearer(token).json(&body);
    let key = call.send().expect(201).json();
    assert_eq!(key["allowed_cidrs"], json!(networks));
    let credential = format!("ApiKey {}", text(&key, "key"));
    (credential, text(&key, "id").to_owned())
}

/// How often the authorizer has decided so, as soon as it is often enough.
fn decisions(gateway: &Keygate, reason: &str, at_least: usize) -> usize {
    let reason = format!("\"reason\":\"{reason}\"");
    let count = || gateway.stderr().matches(&reason).count();
    wait_for(|| Some(count()).filter(|count| *count >= at_least)).unwrap_or_else(count)
}

fn tokens_and_keys_open_what_they_open_with_token_events(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let token = own.token_with(&[("scope", "books:read")]);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        list(&own, &format!("{scheme} {token}")).expect(200);
    }
    let refused = own.post("/books").bearer(&token).json(&json!({})).send();
    refused.problem(403, "insufficient-scope");
    list(&own, &format!("ApiKey {}", gateway.ready.api_key)).expect(200);
    is_unauthorized(&own, &list(&own, "Bearer x"));
    is_unauthorized(&own, &list(&own, &format!("Basic {token}")));
    own.get("/problems").send().expect(200);
}

fn a_key_bound_to_networks_is_served_from_them_alone_while_answers_are_cached(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let elsewhere = target.reaching(&gateway).from(SECOND.into());
    let token = own.token();
    for networks in [&["127.0.0.1/32"][..], &["127.0.0.0/31", "2001:db8::/32"]] {
        let (credential, _) = bound(&own, &token, networks);
        is_unauthorized(&own, &list(&elsewhere, &credential));
        for _ in 0..3 {
            list(&own, &credential).expect(200);
            is_unauthorized(&own, &list(&elsewhere, &credential));
        }
        let (credential, _) = bound(&own, &token, &["127.0.0.2/32"]);
        list(&elsewhere, &credential).expect(200);
        is_unauthorized(&own, &list(&own, &credential));
        list(&elsewhere, &credential).expect(200);
    }
    assert_eq!(decisions(&gateway, "api-key-network", 10), 10);
    // The token's, and one for each key; the others are the cache's.
    assert_eq!(decisions(&gateway, "granted", 5), 5);
}

fn where_a_request_comes_from_is_not_what_its_headers_say(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let elsewhere = target.reaching(&gateway).from(SECOND.into());
    let (credential, _) = bound(&own, &own.token(), &["127.0.0.1/32"]);
    for (header, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "127.0.0.1, 127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("true-client-ip", "127.0.0.1"),
        ("x-amzn-source-ip", "127.0.0.1"),
    ] {
        let call = elsewhere.get("/books").authorization(&credential);
        is_unauthorized(&own, &call.header(header, value).send());
    }
    let call = own.get("/books").authorization(&credential);
    call.header("x-forwarded-for", "127.0.0.2")
        .send()
        .expect(200);
}

fn two_different_credentials_are_refused_and_one_that_is_said_twice_is_not(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let (key, token) = (&gateway.ready.api_key, own.token());
    let (key, token) = (format!("ApiKey {key}"), format!("Bearer {token}"));
    for (first, second) in [(&key, &token), (&token, &key)] {
        let call = own.get("/books").authorization(first).authorization(second);
        is_unauthorized(&own, &call.send());
    }
    assert_eq!(decisions(&gateway, "credential-several", 2), 2);
    let secret = &gateway.ready.api_key;
    let both = own.get("/books").authorization(&token);
    is_unauthorized(&own, &both.header("x-api-key", secret).send());
    assert_eq!(decisions(&gateway, "credential-several", 3), 3);
    let twice = own.get("/books").authorization(&key).authorization(&key);
    twice.header("x-api-key", secret).send().expect(200);
}

fn a_request_without_an_identity_never_reaches_the_authorizer(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let key = gateway.ready.api_key.as_str();
    is_unauthorized(&own, &own.get("/books").send());
    is_unauthorized(&own, &list(&own, ""));
    is_unauthorized(&own, &own.get("/books").header("x-api-key", key).send());
    let query = own.get(&format!("/books?Authorization=ApiKey%20{key}"));
    is_unauthorized(&own, &query.send());
    list(&own, &format!("ApiKey {key}")).expect(200);
    assert_eq!(decisions(&gateway, "granted", 1), 1);
    assert_eq!(gateway.stderr().matches("\"decision\":").count(), 1);
}

fn without_a_cache_every_request_reaches_the_authorizer(target: &Target) {
    let uncached = ["--parameter", "AuthorizerCacheTtl=0"];
    let (gateway, own) = target.own(&[&REQUEST[..2], &uncached].concat());
    let key = gateway.ready.api_key.as_str();
    own.get("/books")
        .header("x-api-key", key)
        .send()
        .expect(200);
    own.get("/books")
        .header("X-API-KEY", key)
        .send()
        .expect(200);
    assert_eq!(decisions(&gateway, "granted", 2), 2);
    is_unauthorized(&own, &own.get("/books").send());
    is_unauthorized(&own, &list(&own, ""));
    assert_eq!(decisions(&gateway, "credential-missing", 2), 2);
}

fn every_identity_source_must_be_there_and_tells_answers_apart(target: &Target) {
    let more = "              Headers: [Authorization, X-Tenant]
              QueryStrings: [version]
              Context: [identity.sourceIp]\n";
    let template = target.build().template_with(SOURCES, more);
    let template = ["--template", template.path().to_str().unwrap()];
    let (gateway, own) = target.own(&[&template[..], &REQUEST].concat());
    let token = own.token();
    let ask = |path: &str, tenant: Option<&str>| {
        let call = own.get(path).bearer(&token);
        match tenant {
            Some(tenant) => call.header("x-tenant", tenant).send(),
            None => call.send(),
        }
    };
    for (path, tenant) in [
        ("/books?version=1", None),
        ("/books?version=1", Some("")),
        ("/books", Some("a")),
        ("/books?version=", Some("a")),
        ("/books?Version=1", Some("a")),
    ] {
        is_unauthorized(&own, &ask(path, tenant));
    }
    for (version, tenant) in [("1", "a"), ("2", "a"), ("1", "b"), ("1", "a"), ("2", "a")] {
        let path = format!("/books?version={version}");
        ask(&path, Some(tenant)).expect(200);
    }
    assert_eq!(decisions(&gateway, "granted", 3), 3);
}

fn a_revoked_key_is_refused_at_the_next_request_from_every_address(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let elsewhere = target.reaching(&gateway).from(SECOND.into());
    let token = own.token();
    let (credential, id) = bound(&own, &token, &["127.0.0.0/8"]);
    for from in [&own, &elsewhere] {
        list(from, &credential).expect(200);
    }
    let call = own.delete(&format!("/keys/{id}")).bearer(&token);
    call.send().expect(204);
    for from in [&own, &elsewhere] {
        is_unauthorized(&own, &list(from, &credential));
    }
}

/// A table with a bound key outlives the deployment that could bind it.
fn a_bound_key_is_refused_and_gets_no_other_secret_with_token_events(target: &Target) {
    let data = TempDir::new().unwrap();
    let kept = ["--data", data.path().to_str().unwrap()];
    let (gateway, own) = target.own(&[&kept[..], &REQUEST].concat());
    let client = [("client_id", "me")];
    let token = own.token_with(&client);
    let body = json!({"name": "x", "scopes": ["books:read"], "allowed_cidrs": ["0.0.0.0/0"]});
    let key = own.post("/keys").bearer(&token).json(&body).send();
    let key = key.expect(201).json();
    let (credential, id) = (format!("ApiKey {}", text(&key, "key")), text(&key, "id"));
    list(&own, &credential).expect(200);
    assert!(gateway.stop().success());

    let (gateway, own) = target.own(&kept);
    is_unauthorized(&own, &list(&own, &credential));
    assert_eq!(decisions(&gateway, "api-key-source-address", 1), 1);
    let token = own.token_with(&client);
    let rotate = own.post(&format!("/keys/{id}/rotate")).bearer(&token);
    let problem = rotate.send().problem(409, "conflict");
    let detail = text(&problem, "detail");
    assert!(detail.contains("AuthorizerEvents=REQUEST"), "{detail}");
    let output = target.build().keys(&gateway, &["rotate", id]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("AuthorizerEvents=REQUEST"));
    let call = own.delete(&format!("/keys/{id}")).bearer(&token);
    call.send().expect(204);
    // One without networks is as ever.
    let free = issue(&own, &token, &["books:read"]).json();
    let rotate = own.post(&format!("/keys/{}/rotate", text(&free, "id")));
    rotate.bearer(&token).send().expect(200);
}

fn create<'a>(networks: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["create", "--name", "x", "--owner", "me"];
    arguments.extend(["--scope", "books:read"]);
    arguments.extend(networks.iter().flat_map(|network| ["--cidr", network]));
    arguments
}

fn an_operator_binds_keys_where_the_authorizer_is_told_the_address(target: &Target) {
    let (gateway, own) = target.own(&REQUEST);
    let key = run(
        target,
        &gateway,
        &create(&["2001:DB8::/32", "127.0.0.1/32"]),
    );
    let networks = json!(["127.0.0.1/32", "2001:db8::/32"]);
    assert_eq!(key["allowed_cidrs"], networks);
    list(&own, &format!("ApiKey {}", text(&key, "key"))).expect(200);
    let rotated = run(target, &gateway, &["rotate", text(&key, "id")]);
    assert_eq!(rotated["allowed_cidrs"], networks);
    for (network, word) in [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("10.0.0.0", "not a network"),
    ] {
        let output = target.build().keys(&gateway, &create(&[network]));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(USAGE), "{said}");
        assert!(said.contains(word), "{said}");
    }
    let body = json!({"name": "x", "scopes": ["books:read"], "allowed_cidrs": ["10.0.0.1/8"]});
    let refused = own.post("/keys").bearer(&own.token()).json(&body).send();
    let problem = refused.problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["field"], "allowed_cidrs", "{problem}");
}

/// `keygate keys` about a table that is deployed, as far as it can tell.
fn deployed(target: &Target, gateway: &Keygate, arguments: &[&str]) -> Output {
    let mut keygate = Command::new(target.build().directory.join("keygate"));
    keygate.arg("keys").args(arguments);
    keygate.args(["--table", KEY_TABLE, "--stack", STACK]);
    for (name, value) in [
        ("AWS_ENDPOINT_URL_DYNAMODB", gateway.ready.dynamodb.as_str()),
        ("AWS_ENDPOINT_URL_API_GATEWAY", &gateway.ready.api_gateway),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ] {
        keygate.env(name, value);
    }
    keygate.output().expect("keygate can be run")
}

fn for_a_deployed_table_api_gateway_or_the_command_line_says_what_the_authorizer_is_told(
    target: &Target,
) {
    let api = ["--api", "local", "--stage", "dev"];
    let told = |events: &'static str| ["--authorizer-events", events];
    for (events, is_told) in [("TOKEN", false), ("REQUEST", true)] {
        let parameter = format!("AuthorizerEvents={events}");
        let (gateway, _own) = target.own(&["--parameter", &parameter]);
        for (more, code, word) in [
            (&[][..], USAGE, "--authorizer-events"),
            (&["--api", "other", "--stage", "dev"], 1, "API identifier"),
            (&api, if is_told { 0 } else { USAGE }, "TOKEN events"),
            (&told("REQUEST"), 0, ""),
            (&told("TOKEN"), USAGE, "TOKEN events"),
        ] {
            let arguments = [&create(&["127.0.0.1/32"]), more].concat();
            let output = deployed(target, &gateway, &arguments);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(code), "{more:?}: {said}");
            assert!(code == 0 || said.contains(word), "{more:?}: {said}");
        }
        // Nothing is asked for a key that works from anywhere.
        let output = deployed(target, &gateway, &create(&[]));
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// What `keygate routes --check` names of a template with these parameters.
fn named(target: &Target, template: &str, parameters: &[&str]) -> (bool, String) {
    let output = target
        .build()
        .routes(template, &[&["--check"], parameters].concat());
    (output.status.success(), said(&output))
}

fn answers_that_every_address_would_share_are_named_and_bind_no_key(target: &Target) {
    let shared = target
        .build()
        .template_with(SOURCES, "              Headers: [Authorization]\n");
    let path = shared.path().to_str().unwrap();
    let (gateway, _own) = target.own(&[&["--template", path][..], &REQUEST].concat());
    let output = target.build().keys(&gateway, &create(&["127.0.0.1/32"]));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let said_of_it = said(&output);
    assert!(said_of_it.contains("identity.sourceIp"), "{said_of_it}");
    let _ = gateway.logged("identity.sourceIp");
    let all = run(target, &gateway, &["list", "--owner", "me"]);
    assert_eq!(without_seeded(&all), 0, "{all}");
    let (is_fine, said) = named(target, path, &REQUEST);
    assert!(!is_fine && said.contains("identity.sourceIp"), "{said}");
    // Nothing is shared where nothing is kept.
    let uncached = ["--parameter", "AuthorizerCacheTtl=0"];
    let uncached = [&REQUEST[..2], &uncached].concat();
    let (is_fine, said) = named(target, path, &uncached);
    assert!(is_fine, "{said}");
}

fn without_seeded(all: &Value) -> usize {
    let all = all.as_array().unwrap().iter();
    all.filter(|key| key["name"] == "x").count()
}

fn functions_that_are_told_other_events_are_named(target: &Target) {
    let told = "AUTHORIZER_EVENTS: !Ref AuthorizerEvents";
    let template = target
        .build()
        .template_with(told, "AUTHORIZER_EVENTS: REQUEST");
    let path = template.path().to_str().unwrap();
    let (is_fine, said) = named(target, path, &[]);
    assert!(!is_fine && said.contains("KeysFunction"), "{said}");
    assert!(said.contains("gets TOKEN events"), "{said}");
    let (is_fine, said) = named(target, path, &REQUEST);
    assert!(is_fine, "{said}");
    let template = target
        .build()
        .template_with(told, "AUTHORIZER_EVENTS: BOTH");
    let path = template.path().to_str().unwrap();
    let Err((status, said)) = target.build().try_start(&["--template", path]) else {
        panic!("it starts")
    };
    assert!(!status.success(), "{said}");
    assert!(
        said.contains("AUTHORIZER_EVENTS is malformed: write TOKEN or REQUEST"),
        "{said}"
    );
}
