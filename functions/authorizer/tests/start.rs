//! How the built authorizer starts, and when it refuses to.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

use std::process::{Command, Stdio};

use keygate_tests::authorizer::{Authorizer, command, event};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const UNAUTHORIZED: &str = "Unauthorized";

/// Why the authorizer ends at its start: one line of JSON, as Lambda and the alarm read it, with the exit
/// code of a wrong setting.
fn refusal(change: impl FnOnce(&mut Command)) -> String {
    let mut authorizer = command(
        BINARY,
        &[
            ("OAUTH_ISSUER", "http://127.0.0.1:9"),
            ("OAUTH_AUDIENCE", "x"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
        ],
    );
    change(authorizer.stderr(Stdio::piped()));
    let output = authorizer.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{authorizer:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let line: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&line["start"], &line["level"]),
        (&json!("refused"), &json!("FATAL"))
    );
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(
        timestamp.starts_with("20") && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    let message = line["message"].as_str().unwrap();
    let setting = line["setting"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("authorizer: {setting} is ")),
        "{said}"
    );
    message.to_owned()
}

#[test]
fn a_wrong_setting_ends_the_start_with_one_line_that_names_it() {
    for (name, value) in [
        ("OAUTH_ISSUER", ""),
        ("OAUTH_ISSUER", "http://login.example.com"),
        ("OAUTH_AUDIENCE", " "),
        ("OAUTH_AUDIENCE", ","),
        ("OAUTH_JWKS_URI", "http://login.example.com/jwks"),
        ("OAUTH_ALGORITHMS", "RS256,HS256"),
        ("OAUTH_ALGORITHMS", "none"),
        ("OAUTH_LEEWAY_SECONDS", "-1"),
        ("OAUTH_LEEWAY_SECONDS", "601"),
        ("OAUTH_ISSUERS", "[]"),
        ("OAUTH_PRINCIPAL_CLAIMS", ","),
        ("OAUTH_SCOPE_CLAIMS", ","),
        ("OAUTH_CLIENT_CLAIMS", " , "),
        ("OAUTH_CONTEXT_CLAIMS", ","),
        ("OAUTH_CONTEXT_CLAIMS", "realm.roles,realm_roles"),
        ("OAUTH_AUDIENCE_CLAIM", "a\tb"),
        ("OAUTH_ALLOW_BOUND_TOKENS", "yes"),
        ("OAUTH_RULE", "claims.sub =="),
        ("OAUTH_RULE", "claim.sub == 'a'"),
        ("OAUTH_REVOCATION", "all"),
        ("OAUTH_REVOCATION", "client"),
        ("SIMPLE_RESPONSES", "maybe"),
        ("OAUTH_JWKS_FILE", "/nowhere/jwks.json"),
        ("KEY_CACHE_TTL_SECONDS", "soon"),
        ("LOG_LEVEL", "loud"),
        ("ROUTES", "GET /a"),
        ("ROUTES", "FETCH /a x"),
        ("ROUTES", "GET /a/ x"),
        ("ROUTES", "GET /a x\nGET /a y"),
        ("ROUTES_FILE", "/nowhere/routes"),
        ("AWS_LAMBDA_RUNTIME_API", ""),
    ] {
        let said = refusal(|authorizer| {
            authorizer.env(name, value);
        });
        assert!(
            said.starts_with(&format!("authorizer: {name} is ")),
            "{value}: {said}"
        );
    }
}

#[test]
fn issuers_that_could_name_each_other_s_principals_end_the_start() {
    for prefixes in [
        ["", ""],
        ["a|", "a|"],
        ["partner", "partner-b|"],
        ["b|c", "b|"],
    ] {
        let named = |name: &str, prefix: &str| {
            let issuer = format!("http://127.0.0.1:9/{name}");
            json!({"issuer": issuer, "audience": ["x"], "principal_prefix": prefix})
        };
        let (first, second) = (named("first", prefixes[0]), named("second", prefixes[1]));
        for issuers in [json!([first, second]), json!([second, first])] {
            let issuers = issuers.to_string();
            let said = refusal(|authorizer| {
                authorizer.env("OAUTH_ISSUERS", &issuers);
            });
            assert!(
                said.starts_with("authorizer: OAUTH_ISSUERS is malformed: "),
                "{issuers}: {said}"
            );
            for named in ["/first", "/second", "principal_prefix"] {
                assert!(said.contains(named), "{said}");
            }
        }
    }
}

#[test]
fn without_a_route_table_nothing_starts() {
    let said = refusal(|authorizer| {
        authorizer.env_remove("ROUTES");
    });
    assert!(
        said.starts_with("authorizer: ROUTES is not set: the route table"),
        "{said}"
    );
}

#[test]
fn a_table_that_does_not_fit_names_the_scopes_that_are_too_much() {
    let routes: Vec<String> = (0..300)
        .map(|number| format!("GET /a{number}/{{id}} scope{}", number % 7))
        .collect();
    let file = std::env::temp_dir().join(format!("keygate-large-{}", std::process::id()));
    std::fs::write(&file, routes.join("\n")).unwrap();
    let said = refusal(|authorizer| {
        authorizer.env_remove("ROUTES").env("ROUTES_FILE", &file);
    });
    std::fs::remove_file(&file).unwrap();
    assert!(
        said.starts_with("authorizer: ROUTES_FILE is malformed: "),
        "{said}"
    );
    assert!(said.contains("scope0") || said.contains("scope3"), "{said}");
}

#[test]
fn a_start_from_a_file_needs_no_network_and_several_issuers_keep_their_own_keys() {
    let (first, second) = (Signer::p256("1"), Signer::ed25519("1"));
    let file = std::env::temp_dir().join(format!("keygate-jwks-{}.json", std::process::id()));
    std::fs::write(&file, json!({"keys": [first.jwk()]}).to_string()).unwrap();
    let settings = [
        ("OAUTH_ISSUER", "http://127.0.0.1:9"),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("OAUTH_JWKS_FILE", file.to_str().unwrap()),
    ];
    let authorizer = Authorizer::start(BINARY, &settings);
    let issuers = [Issuer::start(&[&first]), Issuer::start(&[&second])];
    let mut claims = issuers[0].claims();
    claims["iss"] = json!("http://127.0.0.1:9");
    authorizer
        .authorize(&format!("Bearer {}", first.token(&claims)))
        .response();
    std::fs::remove_file(&file).unwrap();

    let list = json!([
        {"issuer": issuers[0].url, "audience": [AUDIENCE]},
        {"issuer": issuers[1].url, "audience": [AUDIENCE], "principal_prefix": "second|"},
    ]);
    let authorizer = Authorizer::start(BINARY, &[("OAUTH_ISSUERS", &list.to_string())]);
    for (signer, issuer, principal) in [
        (&first, &issuers[0], "alice"),
        (&second, &issuers[1], "second|alice"),
    ] {
        let token = signer.token(&issuer.claims());
        let answer = authorizer.authorize(&format!("Bearer {token}")).response();
        assert_eq!(answer["context"]["principal"], principal);
    }
    let crossed = format!("Bearer {}", first.token(&issuers[1].claims()));
    assert_eq!(
        authorizer.invoke(event(&crossed)).error_message(),
        UNAUTHORIZED
    );
}
