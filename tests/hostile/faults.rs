//! An issuer and a table that misbehave. Whatever they do is never an Allow and never the
//! credential's fault, is answered in time, and is over without a restart once they are well.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keygate_tests::authorizer::{Authorizer, Outcome};
use keygate_tests::issuer::{AUDIENCE, Issuer, key_set};
use keygate_tests::keygate::{free_port, wait_for};
use keygate_tests::loopback::{self, Response};
use keygate_tests::roca;
use keygate_tests::signer::Signer;
use serde_json::json;

use crate::cases::{binary, settings_of_keys_at};
use crate::keys::Key;

/// Within this an answer must be there, whatever a dependency does.
const IN_TIME: Duration = Duration::from_secs(5);

type Answer = fn() -> Response;

/// What a server may do instead of answering.
const MISBEHAVIOURS: [(&str, Answer); 19] = [
    ("slow", || {
        std::thread::sleep(Duration::from_secs(20));
        Response::new(200, "{\"keys\":[]}")
    }),
    ("500", || Response::new(500, "{}")),
    ("503", || Response::new(503, "").with("retry-after", "3600")),
    ("404", || Response::new(404, "{}")),
    ("401", || {
        Response::new(401, "{\"message\":\"Unauthorized\"}")
    }),
    ("empty", || Response::new(200, "")),
    ("no content", || Response::new(204, "")),
    ("truncated", || Response::new(200, "{\"keys\":[").cut()),
    ("truncated JSON", || Response::new(200, "{\"keys\":[")),
    ("huge", || Response::new(200, vec![b' '; 5 * 1024 * 1024])),
    ("a page", || {
        Response::new(200, "<html>").with("content-type", "text/html")
    }),
    ("no keys", || Response::new(200, "{\"keys\":[]}")),
    ("an error for a key", || {
        Response::new(200, "{\"keys\":[{\"error\":\"x\"}]}")
    }),
    ("a key for encryption only", || {
        let mut key = Signer::p256("1").jwk();
        key["use"] = json!("enc");
        Response::new(200, json!({"keys": [key]}).to_string())
    }),
    ("a key that anybody can sign with only", || {
        let keys = [roca::signer("1").jwk()];
        Response::new(200, json!({"keys": keys}).to_string())
    }),
    ("another JSON", || Response::new(200, "[1,2,3]")),
    ("redirected to another host", || {
        Response::new(302, "").with("location", "http://localhost:9/jwks.json")
    }),
    ("redirected to another scheme", || {
        Response::new(307, "").with("location", "file:///etc/passwd")
    }),
    ("redirected for ever", || {
        Response::new(302, "").with("location", "/jwks.json")
    }),
];

/// Neither an Allow nor the credential's fault, and in time.
#[track_caller]
fn is_a_fault(authorizer: &Authorizer, header: &str, what: &str) {
    let asked = Instant::now();
    match authorizer.authorize(header) {
        Outcome::Response(answer) => panic!("{what}: {answer}"),
        Outcome::Error(error) => {
            let text = error.to_string();
            assert!(!text.contains("Unauthorized"), "{what}: {text}");
        }
    }
    assert!(asked.elapsed() < IN_TIME, "{what}: {:?}", asked.elapsed());
}

/// Accepted after a while, by the process that has just failed.
#[track_caller]
fn recovers(authorizer: &Authorizer, header: &str, what: &str) {
    let accepted = wait_for(|| match authorizer.authorize(header) {
        Outcome::Response(answer) => Some(answer),
        Outcome::Error(error) => {
            let text = error.to_string();
            assert!(!text.contains("Unauthorized"), "{what}: {text}");
            None
        }
    });
    let answer = accepted.unwrap_or_else(|| panic!("{what}: no recovery"));
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
}

#[test]
fn a_misbehaving_issuer_is_a_fault_until_it_is_well() {
    let signer = Signer::p256("1");
    std::thread::scope(|scope| {
        for (what, answer) in MISBEHAVIOURS {
            let signer = &signer;
            scope.spawn(move || {
                let issuer = Issuer::start(&[signer]);
                issuer.answer_with(answer);
                let settings = [
                    ("OAUTH_ISSUER", issuer.url.as_str()),
                    ("OAUTH_AUDIENCE", AUDIENCE),
                ];
                let authorizer = Authorizer::start(binary(), &settings);
                let header = format!("Bearer {}", signer.token(&issuer.claims()));
                for _ in 0..2 {
                    is_a_fault(&authorizer, &header, what);
                }
                issuer.publish(&[signer]);
                recovers(&authorizer, &header, what);
            });
        }
    });
}

#[test]
fn an_answer_without_keys_does_not_take_the_place_of_the_last_good_set() {
    let signer = Signer::p256("1");
    let issuer = Issuer::start(&[&signer]);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let authorizer = Authorizer::start(binary(), &settings);
    let good = format!("Bearer {}", signer.token(&issuer.claims()));
    authorizer.authorize(&good).response();
    issuer.answer_with(|| Response::new(200, "{\"keys\":[]}"));
    let unknown = Signer::p256("2").token(&issuer.claims());
    is_a_fault(&authorizer, &format!("Bearer {unknown}"), "unknown kid");
    assert_eq!(issuer.key_set_requests(), 2);
    authorizer.authorize(&good).response();
}

#[test]
fn an_issuer_that_refuses_connections_is_a_fault_until_it_is_there() {
    let signer = Signer::ed25519("1");
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let jwks = format!("{issuer}/jwks.json");
    let settings = [
        ("OAUTH_ISSUER", issuer.as_str()),
        ("OAUTH_JWKS_URI", &jwks),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let authorizer = Authorizer::start(binary(), &settings);
    let mut claims = Issuer::start(&[&signer]).claims();
    claims["iss"] = json!(issuer);
    let header = format!("Bearer {}", signer.token(&claims));
    is_a_fault(&authorizer, &header, "refused");
    let answer = key_set(&[&signer]);
    loopback::serve_at(port, move |_| answer());
    recovers(&authorizer, &header, "refused");
}

#[test]
fn an_issuer_that_fails_later_goes_unnoticed() {
    let signer = Signer::rsa("1");
    for (what, answer) in MISBEHAVIOURS {
        let issuer = Issuer::start(&[&signer]);
        let settings = [
            ("OAUTH_ISSUER", issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
        ];
        let authorizer = Authorizer::start(binary(), &settings);
        issuer.answer_with(answer);
        let header = format!("Bearer {}", signer.token(&issuer.claims()));
        authorizer.authorize(&header).response();
        // While the issuer cannot be asked, nobody can say that it has no such key.
        let stranger = Signer::rsa("2");
        let other = format!("Bearer {}", stranger.token(&issuer.claims()));
        is_a_fault(&authorizer, &other, what);
        authorizer.authorize(&header).response();
    }
}

#[test]
fn keys_that_rotate_under_load_refuse_no_good_token() {
    let (old, new) = (Signer::p256("old"), Signer::p256("new"));
    let issuer = Issuer::start(&[&old]);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
    ];
    let authorizer = Authorizer::start(binary(), &settings);
    let header = |signer: &Signer, number: usize| {
        let mut claims = issuer.claims();
        claims["jti"] = json!(number.to_string());
        format!("Bearer {}", signer.token(&claims))
    };
    for number in 0..600 {
        // The new key is published before it signs, and the old one for a while after.
        if number == 200 {
            issuer.publish(&[&old, &new]);
        }
        authorizer.authorize(&header(&old, number)).response();
        if number >= 200 {
            authorizer.authorize(&header(&new, number)).response();
        }
    }
    assert_eq!(issuer.key_set_requests(), 2);
}

/// What DynamoDB, or something in its place, may do.
const TABLE_MISBEHAVIOURS: [(&str, Answer); 10] = [
    ("slow", || {
        std::thread::sleep(Duration::from_secs(20));
        Response::new(200, "{}")
    }),
    ("throttled", || {
        dynamodb_error("ProvisionedThroughputExceededException")
    }),
    ("request limit", || dynamodb_error("RequestLimitExceeded")),
    ("no such table", || {
        dynamodb_error("ResourceNotFoundException")
    }),
    ("access denied", || dynamodb_error("AccessDeniedException")),
    ("500", || Response::new(500, "{}")),
    ("truncated", || Response::new(200, "{\"Item\":{").cut()),
    ("empty", || Response::new(200, "")),
    ("a page", || Response::new(200, "<html>")),
    ("huge", || Response::new(500, vec![b' '; 5 * 1024 * 1024])),
];

fn dynamodb_error(code: &str) -> Response {
    let body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "message": "Unauthorized",
    });
    Response::new(400, body.to_string())
}

#[test]
fn a_misbehaving_table_is_a_fault_until_it_is_well() {
    std::thread::scope(|scope| {
        for (what, misbehaviour) in TABLE_MISBEHAVIOURS {
            scope.spawn(move || {
                let key = Key::random();
                let answer: Arc<Mutex<Option<String>>> = Arc::default();
                let current = Arc::clone(&answer);
                let table = loopback::serve(move |_| {
                    let item = current.lock().unwrap().clone();
                    item.map_or_else(misbehaviour, |item| Response::new(200, item))
                });
                let table = format!("http://{table}");
                let authorizer = Authorizer::start(binary(), &settings_of_keys_at(&table, &[]));
                let header = format!("ApiKey {}", key.text());
                is_a_fault(&authorizer, &header, what);
                *answer.lock().unwrap() = Some(json!({ "Item": key.item() }).to_string());
                recovers(&authorizer, &header, what);
            });
        }
    });
}

#[test]
fn a_table_that_refuses_connections_is_a_fault_until_it_is_there() {
    let key = Key::random();
    let port = free_port();
    let table = format!("http://127.0.0.1:{port}");
    let authorizer = Authorizer::start(binary(), &settings_of_keys_at(&table, &[]));
    let header = format!("ApiKey {}", key.text());
    is_a_fault(&authorizer, &header, "refused");
    let item = json!({ "Item": key.item() }).to_string();
    loopback::serve_at(port, move |_| Response::new(200, item.clone()));
    recovers(&authorizer, &header, "refused");
}

#[test]
fn a_token_whose_revocation_cannot_be_looked_up_is_not_let_through() {
    let signer = Signer::p256("1");
    let issuer = Issuer::start(&[&signer]);
    for (what, misbehaviour) in TABLE_MISBEHAVIOURS {
        let table = loopback::serve(move |_| misbehaviour());
        let table = format!("http://{table}");
        let settings = [
            ("OAUTH_ISSUER", issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("KEY_TABLE", "keys"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &table),
            ("OAUTH_REVOCATION", "jti,client"),
        ];
        let authorizer = Authorizer::start(binary(), &settings);
        let mut claims = issuer.claims();
        claims["client_id"] = json!("app");
        let header = format!("Bearer {}", signer.token(&claims));
        is_a_fault(&authorizer, &header, what);
    }
}
