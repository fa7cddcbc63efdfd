//! The built authorizer with dependencies and events that are at fault: an answer in time, never
//! `Unauthorized`, never a policy.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

mod house;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use house::{House, key_header};
use keygate::api_key::ApiKey;
use keygate_tests::authorizer::{Authorizer, STAGE};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::loopback::{self, Response};
use keygate_tests::signer::Signer;
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_authorizer");
const UNAUTHORIZED: &str = "Unauthorized";

#[test]
fn a_table_that_fails_is_never_the_credential_s_fault_and_is_not_asked_for_malformed_keys() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let broken = loopback::serve(move |request| {
        // The start's own request, which only opens the connection, is a GET.
        counted.fetch_add(usize::from(request.method == "POST"), Ordering::SeqCst);
        Response::new(500, "{}")
    });
    let house = House::with(
        BINARY,
        &[("AWS_ENDPOINT_URL_DYNAMODB", &format!("http://{broken}"))],
    );
    let key = ApiKey::generate().unwrap();
    for malformed in [
        "ApiKey kg_x".to_owned(),
        format!("ApiKey {}", key.expose().replace("kg_", "kg-")),
    ] {
        assert_eq!(house.refused(&malformed), UNAUTHORIZED);
    }
    assert_eq!(reads.load(Ordering::SeqCst), 0);
    assert!(!house.refused(&key_header(&key)).contains(UNAUTHORIZED));
    let token = house.token_with("client_id", json!("app"));
    assert!(
        !house
            .refused(&format!("Bearer {token}"))
            .contains(UNAUTHORIZED)
    );
    assert!(reads.load(Ordering::SeqCst) > 0);
    house.allowed(&format!(
        "Bearer {}",
        house.signer.token(&house.issuer.claims())
    ));
}

#[test]
fn dependencies_that_never_answer_are_given_up_in_time_and_used_again_when_they_do() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", silent.local_addr().unwrap());
    let signer = Signer::p256("1");
    let issuer = Issuer::start(&[&signer]);
    issuer.answer_with(|| {
        std::thread::sleep(Duration::from_mins(1));
        Response::new(500, "")
    });
    let jwks = format!("{}/jwks.json", issuer.url);
    let authorizer = Authorizer::start(
        BINARY,
        &[
            ("OAUTH_ISSUER", issuer.url.as_str()),
            ("OAUTH_JWKS_URI", &jwks),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("KEY_TABLE", "keys"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &nobody),
        ],
    );
    let token = format!("Bearer {}", signer.token(&issuer.claims()));
    for header in [token.clone(), key_header(&ApiKey::generate().unwrap())] {
        let asked = Instant::now();
        let message = authorizer.authorize(&header).error_message();
        assert!(!message.contains(UNAUTHORIZED), "{message}");
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
    }
    issuer.publish(&[&signer]);
    authorizer.authorize(&token).response();
}

#[test]
fn an_event_of_another_kind_is_named_and_the_function_lives_on() {
    let house = House::new(BINARY);
    for event in [
        json!({}),
        json!(null),
        json!([1]),
        json!("Bearer x"),
        json!({"type": "REQUEST", "version": "3.0", "methodArn": format!("{STAGE}/GET/items")}),
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
