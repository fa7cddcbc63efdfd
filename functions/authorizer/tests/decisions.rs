//! The built authorizer over the Runtime API: the design's decision table, and what it logs.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

mod house;

use house::{House, key_header, record};
use keygate_api_key::{ApiKey, KeyPrefix};
use keygate_key_record::{KeyRecord, Metadata, PreviousSecret, Status};
use keygate_tests::authorizer::{Authorizer, STAGE};
use keygate_tests::issuer::{AUDIENCE, Issuer, epoch_seconds};
use keygate_tests::loopback::Response;
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const UNAUTHORIZED: &str = "Unauthorized";

#[test]
fn a_good_token_opens_every_route_of_its_scopes() {
    let house = House::new(BINARY);
    let answer = house.allowed(&format!(
        "Bearer {}",
        house.token_with("client_id", json!("app"))
    ));
    let open = [
        "GET/books",
        "POST/books",
        "GET/books/*",
        "PUT/books/*",
        "DELETE/books/*",
    ];
    // What the asterisks take in besides.
    let beyond = [
        "GET/books/*/*",
        "PUT/books/*/*",
        "PUT/books/",
        "DELETE/books/*/*",
        "DELETE/books/",
    ];
    assert_eq!(
        answer,
        json!({
            "principalId": "alice",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": open.map(|route| format!("{STAGE}/{route}")),
                }, {
                    "Action": "execute-api:Invoke",
                    "Effect": "Deny",
                    "Resource": beyond.map(|route| format!("{STAGE}/{route}")),
                }],
            },
            "context": {
                "principal": "alice",
                "credential": "jwt",
                "scopes": "books:read books:write",
                "client_id": "app",
                "issuer": house.issuer.url,
            },
            "usageIdentifierKey": "usage-default",
        })
    );
}

#[test]
fn a_good_credential_that_opens_nothing_is_denied_on_the_stage() {
    let house = House::new(BINARY);
    let answer = house.allowed(&format!(
        "bearer {}",
        house.token_with("scope", json!("other"))
    ));
    let statement = &answer["policyDocument"]["Statement"][0];
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Resource"], json!([format!("{STAGE}/*")]));
    assert_eq!(answer["context"]["scopes"], "other");
}

#[test]
fn handlers_are_told_the_claims_that_the_deployment_chose() {
    let house = House::with(BINARY, &[("OAUTH_CONTEXT_CLAIMS", "tenant,principal")]);
    let mut claims = house.issuer.claims();
    claims["tenant"] = json!({"id": 7});
    claims["principal"] = json!("mallory");
    claims["email"] = json!("alice@example.com");
    let answer = house.allowed(&format!("Bearer {}", house.signer.token(&claims)));
    let context = answer["context"].as_object().unwrap();
    assert_eq!(context["claim_tenant"], "{\"id\":7}");
    assert_eq!(context["claim_principal"], "mallory");
    assert_eq!(context["principal"], "alice");
    let told = context.keys().filter(|name| name.starts_with("claim_"));
    assert_eq!(told.count(), 2, "{context:?}");
    let too_large = house.token_with("tenant", json!("x".repeat(3000)));
    assert_ne!(house.refused(&format!("Bearer {too_large}")), UNAUTHORIZED);
}

#[test]
fn every_bad_credential_is_exactly_unauthorized() {
    let house = House::new(BINARY);
    let stranger = Signer::rsa("1");
    let good = house.signer.token(&house.issuer.claims());
    let key = ApiKey::generate().unwrap();
    for header in [
        String::new(),
        "Bearer".into(),
        "Basic YTpi".into(),
        "Bearer x".into(),
        "Bearer a.b.c".into(),
        format!("Bearer {good}x"),
        format!("Bearer {}", stranger.token(&house.issuer.claims())),
        format!("Bearer {}", house.token_with("exp", json!(1))),
        format!("Bearer {}", house.token_with("aud", json!("x"))),
        format!(
            "Bearer {}",
            house.token_with("iss", json!("https://x.example"))
        ),
        format!("Bearer {}", house.token_with("sub", json!("a\"b"))),
        format!("Bearer {}", "a".repeat(100_000)),
        key_header(&key),
        format!("{}x", key_header(&key)),
        "ApiKey x".into(),
    ] {
        assert_eq!(house.refused(&header), UNAUTHORIZED, "{header}");
    }
    house.allowed(&format!("Bearer {good}"));
}

#[test]
fn an_api_key_speaks_for_its_owner_with_its_own_usage_key() {
    let house = House::new(BINARY);
    let key = ApiKey::generate().unwrap();
    house.put_key(&record(&key));
    for scheme in ["ApiKey", "Bearer", "apikey"] {
        let answer = house.allowed(&format!("{scheme} {}", key.expose()));
        assert_eq!(answer["usageIdentifierKey"], "usage-team-a");
        assert_eq!(
            answer["context"],
            json!({
                "principal": "team-a",
                "credential": "api_key",
                "scopes": "books:read",
                "key_id": key.id().as_str(),
            })
        );
    }
}

#[test]
fn an_api_key_s_metadata_is_told_beside_what_is_keygate_s_own() {
    let house = House::new(BINARY);
    let key = ApiKey::generate().unwrap();
    let mut record = record(&key);
    let entries = [("tenant", "acme"), ("cost-centre", "7"), ("principal", "x")];
    let entries = entries.map(|(name, value)| (name.to_owned(), value.to_owned()));
    record.metadata = Metadata::new(entries.into()).unwrap();
    house.put_key(&record);
    let answer = house.allowed(&key_header(&key));
    let context = &answer["context"];
    assert_eq!(context["metadata_tenant"], "acme");
    assert_eq!(context["metadata_cost_centre"], "7");
    assert_eq!(context["metadata_principal"], "x");
    assert_eq!(context["principal"], "team-a");
    assert_eq!(context.as_object().unwrap().len(), 7);
}

#[test]
fn a_key_is_good_under_any_prefix_and_no_token_is_taken_for_one() {
    let house = House::new(BINARY);
    for prefix in ["k", "AcmeKey", "eyJhbGciOiJFUzI"] {
        let prefix: KeyPrefix = prefix.parse().unwrap();
        let key = prefix.generate().unwrap();
        house.put_key(&record(&key));
        for scheme in ["ApiKey", "Bearer"] {
            let answer = house.allowed(&format!("{scheme} {}", key.expose()));
            assert_eq!(answer["context"]["key_id"], key.id().as_str());
        }
    }
    // The base64url of a header that begins so has an underscore behind letters alone.
    let alg = house.signer.alg();
    let kid = house.signer.jwk()["kid"].clone();
    let header = format!("{{\"?\":1,\"alg\":\"{alg}\",\"kid\":{kid}}}");
    let claims = house.issuer.claims().to_string();
    let token = house.signer.token_of_text(&header, &claims);
    assert!(token.starts_with("eyI_"), "{token}");
    let answer = house.allowed(&format!("Bearer {token}"));
    assert_eq!(answer["context"]["credential"], "jwt");
}

#[test]
fn an_api_key_without_a_usage_key_is_metered_by_the_default() {
    let house = House::new(BINARY);
    let key = ApiKey::generate().unwrap();
    let mut record = record(&key);
    record.usage_key = None;
    house.put_key(&record);
    assert_eq!(
        house.allowed(&key_header(&key))["usageIdentifierKey"],
        "usage-default"
    );
}

#[test]
fn a_key_that_must_not_be_used_is_refused() {
    let house = House::new(BINARY);
    let changes: [fn(&mut KeyRecord); 4] = [
        |record| record.status = Status::Revoked,
        |record| record.expires_at = Some(epoch_seconds()),
        |record| record.allowed_cidrs = vec!["0.0.0.0/0".into()],
        |record| record.secret = ApiKey::generate().unwrap().secret_hash(),
    ];
    for change in changes {
        let key = ApiKey::generate().unwrap();
        let mut record = record(&key);
        change(&mut record);
        house.put_key(&record);
        assert_eq!(house.refused(&key_header(&key)), UNAUTHORIZED);
    }
}

#[test]
fn the_former_secret_is_good_while_its_grace_period_runs() {
    let house = House::with(BINARY, &[("KEY_CACHE_TTL_SECONDS", "0")]);
    let old = ApiKey::generate().unwrap();
    let new = ApiKey::generate_for(old.id().clone()).unwrap();
    let mut record = record(&new);
    let rotated = |until| {
        Some(PreviousSecret {
            hash: old.secret_hash(),
            until,
        })
    };
    record.previous = rotated(epoch_seconds() + 600);
    house.put_key(&record);
    house.allowed(&key_header(&old));
    house.allowed(&key_header(&new));
    record.previous = rotated(epoch_seconds() - 1);
    house.put_key(&record);
    assert_eq!(house.refused(&key_header(&old)), UNAUTHORIZED);
    record.previous = rotated(epoch_seconds() + 600);
    record.status = Status::Revoked;
    house.put_key(&record);
    assert_eq!(house.refused(&key_header(&old)), UNAUTHORIZED);
    assert_eq!(house.refused(&key_header(&new)), UNAUTHORIZED);
}

#[test]
fn an_oauth_client_s_record_meters_it_or_shuts_it_out() {
    let house = House::new(BINARY);
    let client = |id: &str, status: &str| {
        house.table.put(&json!({
            "pk": {"S": format!("client#{id}")},
            "status": {"S": status},
            "usage_key": {"S": format!("usage-{id}")},
        }));
    };
    client("partner", "active");
    client("leaked", "revoked");
    let header = |id: &str| format!("Bearer {}", house.token_with("azp", json!(id)));
    assert_eq!(
        house.allowed(&header("partner"))["usageIdentifierKey"],
        "usage-partner"
    );
    assert_eq!(
        house.allowed(&header("unknown"))["usageIdentifierKey"],
        "usage-default"
    );
    assert_eq!(house.refused(&header("leaked")), UNAUTHORIZED);
}

#[test]
fn the_record_of_one_issuer_s_client_says_nothing_of_another_issuer_s_of_the_same_name() {
    let house = House::new(BINARY);
    let client = |id: &str, status: &str, issuer: &str| {
        house.table.put(&json!({
            "pk": {"S": format!("client#{id}")},
            "status": {"S": status},
            "usage_key": {"S": format!("usage-{id}")},
            "issuer": {"S": issuer},
        }));
    };
    let own = house.issuer.url.as_str();
    client("own", "active", own);
    client("own-leaked", "revoked", own);
    client("other", "active", "https://other.example");
    client("other-leaked", "revoked", "https://other.example");
    let header = |id: &str| format!("Bearer {}", house.token_with("azp", json!(id)));
    let usage_key = |id: &str| house.allowed(&header(id))["usageIdentifierKey"].clone();
    assert_eq!(usage_key("own"), "usage-own");
    assert_eq!(usage_key("other"), "usage-default");
    assert_eq!(usage_key("other-leaked"), "usage-default");
    assert_eq!(house.refused(&header("own-leaked")), UNAUTHORIZED);
}

#[test]
fn without_usage_keys_none_is_returned() {
    let signer = Signer::ed25519("1");
    let issuer = Issuer::start(&[&signer]);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let authorizer = Authorizer::start(BINARY, &settings);
    let answer = authorizer.authorize(&format!("Bearer {}", signer.token(&issuer.claims())));
    assert_eq!(answer.response().get("usageIdentifierKey"), None);
    let key = ApiKey::generate().unwrap();
    assert_eq!(
        authorizer.authorize(&key_header(&key)).error_message(),
        UNAUTHORIZED
    );
}

#[test]
fn each_decision_is_one_log_line_with_a_reason_and_no_credential() {
    let house = House::with(BINARY, &[("LOG_LEVEL", "trace")]);
    let key = ApiKey::generate().unwrap();
    house.put_key(&record(&key));
    let token = house.signer.token(&house.issuer.claims());
    let expired = house.token_with("exp", json!(1));
    let stranger = ApiKey::generate_for(key.id().clone()).unwrap();
    house.allowed(&format!("Bearer {token}"));
    house.allowed(&key_header(&key));
    house.refused(&format!("Bearer {expired}"));
    house.refused(&key_header(&stranger));
    house
        .authorizer
        .invoke(json!({"authorizationToken": format!("Bearer {token}")}));
    let log = house.authorizer.log();
    let reasons: Vec<_> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| Some((line.get("decision")?.clone(), line.get("reason")?.clone())))
        .collect();
    let expected = [
        ("allow", "granted"),
        ("allow", "granted"),
        ("unauthorized", "token-expired"),
        ("unauthorized", "api-key-secret"),
        ("fault", "event-malformed"),
    ];
    assert_eq!(
        reasons,
        expected.map(|(decision, reason)| (json!(decision), json!(reason)))
    );
    let parts = token.split('.').chain(expired.split('.'));
    let secrets = [&key.expose()[16..], &stranger.expose()[16..]];
    for secret in parts.chain(secrets) {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    assert!(log.contains(key.id().as_str()));
}

#[test]
fn a_line_has_the_id_that_no_client_can_choose_where_the_event_has_it() {
    let house = House::new(BINARY);
    let mut event = request(None, "Bearer x", "GET/books");
    house.authorizer.invoke(event.clone()).error_message();
    event["requestContext"]["extendedRequestId"] = json!("Zv7mfGpcIAMF8pw=");
    house.authorizer.invoke(event.clone()).error_message();
    event["methodArn"] = Value::Null;
    house.authorizer.invoke(event).error_message();
    let log = house.authorizer.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let decisions = lines.filter(|line: &Value| line.get("decision").is_some());
    let ids: Vec<_> = decisions
        .map(|line| line["extended_request_id"].clone())
        .collect();
    let id = "Zv7mfGpcIAMF8pw=";
    assert_eq!(ids, [Value::Null, json!(id), json!(id)]);
}

#[test]
fn a_rotated_key_s_new_secret_is_good_at_once() {
    let house = House::new(BINARY);
    let old = ApiKey::generate().unwrap();
    let new = ApiKey::generate_for(old.id().clone()).unwrap();
    house.put_key(&record(&old));
    house.allowed(&key_header(&old));
    house.put_key(&record(&new));
    house.allowed(&key_header(&new));
    assert_eq!(house.refused(&key_header(&old)), UNAUTHORIZED);
}

#[test]
fn a_revoked_token_is_refused_where_tokens_are_looked_up() {
    let house = House::with(
        BINARY,
        &[("OAUTH_REVOCATION", "jti"), ("KEY_CACHE_TTL_SECONDS", "0")],
    );
    let header = |jti: &str| format!("Bearer {}", house.token_with("jti", json!(jti)));
    house.allowed(&header("a"));
    house.table.put(&json!({"pk": {"S": "jti#a"}}));
    assert_eq!(house.refused(&header("a")), UNAUTHORIZED);
    house.allowed(&header("b"));
    // An entry can be one issuer's alone.
    house
        .table
        .put(&json!({"pk": {"S": "jti#b"}, "issuer": {"S": "https://other.example.com"}}));
    house.allowed(&header("b"));
    house
        .table
        .put(&json!({"pk": {"S": "jti#b"}, "issuer": {"S": house.issuer.url}}));
    assert_eq!(house.refused(&header("b")), UNAUTHORIZED);
    let mut nameless = house.issuer.claims();
    nameless.as_object_mut().unwrap().remove("jti");
    let nameless = house.signer.token(&nameless);
    assert_eq!(house.refused(&format!("Bearer {nameless}")), UNAUTHORIZED);
}

/// A REQUEST event of a REST API (without `version`) or of an HTTP API.
fn request(version: Option<&str>, header: &str, route: &str) -> Value {
    let arn = match version {
        Some("2.0") => "routeArn",
        _ => "methodArn",
    };
    let mut event = json!({
        "type": "REQUEST",
        "headers": {"authorization": header},
        arn: format!("{STAGE}/{route}"),
        "requestContext": {
            "identity": {"sourceIp": "192.0.2.7"}, "http": {"sourceIp": "192.0.2.7"},
        },
    });
    if let Some(version) = version {
        event["version"] = json!(version);
    }
    event
}

#[test]
fn every_kind_of_event_gets_the_same_decision() {
    let house = House::new(BINARY);
    let good = format!("Bearer {}", house.signer.token(&house.issuer.claims()));
    let expected = house.allowed(&good);
    for version in [None, Some("1.0"), Some("2.0")] {
        let answer = house
            .authorizer
            .invoke(request(version, &good, "GET/books"));
        let answer = answer.response();
        for member in ["principalId", "policyDocument", "context"] {
            assert_eq!(answer[member], expected[member], "{version:?}");
        }
        // HTTP APIs have no usage plans.
        let metered = answer.get("usageIdentifierKey").is_some();
        assert_eq!(metered, version.is_none(), "{version:?}");
        for bad in ["", "Bearer x", "Basic YTpi"] {
            let refused = house.authorizer.invoke(request(version, bad, "GET/books"));
            assert_eq!(refused.error_message(), UNAUTHORIZED, "{version:?}");
        }
    }
}

#[test]
fn an_http_api_can_ask_for_a_simple_answer() {
    let house = House::with(BINARY, &[("SIMPLE_RESPONSES", "true")]);
    let good = format!("Bearer {}", house.token_with("scope", json!("books:read")));
    let asked = |version, route: &str| {
        let event = request(version, &good, route);
        house.authorizer.invoke(event).response()
    };
    let answer = asked(Some("2.0"), "GET/books/7");
    assert_eq!(answer["isAuthorized"], true);
    assert_eq!(answer["context"]["principal"], "alice");
    assert_eq!(answer.get("policyDocument"), None);
    assert_eq!(asked(Some("2.0"), "DELETE/books/7")["isAuthorized"], false);
    // The other formats have no such answer.
    for version in [None, Some("1.0")] {
        let answer = asked(version, "DELETE/books/7");
        assert_eq!(answer.get("isAuthorized"), None);
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    }
    let refused = house
        .authorizer
        .invoke(request(Some("2.0"), "Bearer x", "GET/books"));
    assert_eq!(refused.error_message(), UNAUTHORIZED);
}

#[test]
fn an_event_of_another_kind_is_named_and_the_function_lives_on() {
    let house = House::new(BINARY);
    for event in [
        json!({}),
        json!(null),
        json!([1]),
        json!("Bearer x"),
        json!({"type": "REQUEST", "version": "3.0", "methodArn": format!("{STAGE}/GET/books")}),
        json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": "x"}),
        json!({"type": "TOKEN", "authorizationToken": 7, "methodArn": format!("{STAGE}/GET/")}),
    ] {
        let message = house.authorizer.invoke(event).error_message();
        assert!(message.starts_with("not an authorizer event"), "{message}");
    }
    house.allowed(&format!(
        "Bearer {}",
        house.signer.token(&house.issuer.claims())
    ));
}

#[test]
fn the_console_s_test_of_an_authorizer_is_answered() {
    let house = House::new(BINARY);
    let token = format!("Bearer {}", house.signer.token(&house.issuer.claims()));
    for stage in ["test-invoke-stage", "ESTestInvoke-stage"] {
        let api = "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abc123";
        let event = json!({
            "type": "TOKEN", "authorizationToken": token,
            "methodArn": format!("{api}/{stage}/GET/"),
        });
        let answer = house.authorizer.invoke(event).response();
        let resource = &answer["policyDocument"]["Statement"][0]["Resource"][0];
        assert_eq!(*resource, format!("{api}/{stage}/GET/books"));
    }
}

#[test]
fn what_a_name_hides_is_escaped_in_the_log_line() {
    let house = House::new(BINARY);
    let name = "bob\u{202e}nimda\u{200b}\u{2028}\u{feff}";
    let answer = house.allowed(&format!("Bearer {}", house.token_with("sub", json!(name))));
    assert_eq!(answer["principalId"], name);
    let log = house.authorizer.log();
    let line = log.lines().find(|line| line.contains("\"decision\""));
    let line = line.unwrap();
    assert!(line.contains(r"bob\u202enimda\u200b\u2028\ufeff"), "{line}");
    assert!(line.is_ascii(), "{line}");
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["principal"], name);
}

#[test]
fn a_record_is_remembered_as_long_as_the_deployment_says() {
    let key = ApiKey::generate().unwrap();
    for (seconds, is_remembered) in [("60", true), ("0", false)] {
        let house = House::with(BINARY, &[("KEY_CACHE_TTL_SECONDS", seconds)]);
        let mut record = record(&key);
        house.put_key(&record);
        house.allowed(&key_header(&key));
        record.status = Status::Revoked;
        house.put_key(&record);
        let outcome = house.authorizer.authorize(&key_header(&key));
        if is_remembered {
            outcome.response();
        } else {
            assert_eq!(outcome.error_message(), UNAUTHORIZED);
        }
    }
}

#[test]
fn a_key_that_is_left_out_is_logged_once_and_louder_where_it_is_wrong() {
    let house = House::new(BINARY);
    let (mut other, mut wrong) = (Signer::rsa("other").jwk(), Signer::rsa("wrong").jwk());
    other["use"] = json!("enc");
    wrong["e"] = json!("AQ");
    let keys = json!({"keys": [house.signer.jwk(), other, wrong]}).to_string();
    house
        .issuer
        .answer_with(move || Response::new(200, keys.clone()));
    // Each unknown key has the set fetched anew, the second one not for a while.
    for kid in ["x", "y"] {
        let stranger = Signer::p256(kid);
        house.refused(&format!(
            "Bearer {}",
            stranger.token(&house.issuer.claims())
        ));
    }
    let log = house.authorizer.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["message"] == "key left out")
        .collect();
    let said = |line: &Value| [&line["level"], &line["kid"], &line["issuer"]].map(Value::clone);
    let url = house.issuer.url.as_str();
    assert_eq!(
        lines.iter().map(said).collect::<Vec<_>>(),
        [
            [json!("INFO"), json!("other"), json!(url)],
            [json!("WARN"), json!("wrong"), json!(url)],
        ]
    );
}
