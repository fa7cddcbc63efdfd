//! Floods of credentials that somebody made up: what they cost the issuer and the table, and that
//! good credentials go on working meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use keygate_tests::authorizer::{Authorizer, Outcome};
use keygate_tests::issuer::{AUDIENCE, Issuer};
use keygate_tests::loopback::{self, Response};
use keygate_tests::signer::Signer;
use serde_json::{Value, json};

use crate::cases::{binary, settings_of_keys_at};
use crate::keys::Key;

const FLOOD: usize = 5_000;
/// The reads that invented keys may cost at once, and then in each second.
const BURST: usize = 500;
const A_SECOND: usize = 100;

/// A table that counts, knows one key and no other, and no client.
fn counting_table(key: &Key) -> (String, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let known = format!("key#{}", key.id);
    let item = json!({ "Item": key.item() }).to_string();
    let address = loopback::serve(move |request| {
        // The start's own request, which only opens the connection, is a GET.
        counted.fetch_add(usize::from(request.method == "POST"), Ordering::SeqCst);
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let answer = if asked["Key"]["pk"]["S"] == known.as_str() {
            &item
        } else {
            "{}"
        };
        Response::new(200, answer)
    });
    (format!("http://{address}"), reads)
}

#[test]
fn invented_credentials_cost_a_bounded_number_of_fetches_and_reads() {
    let signer = Signer::p256("1");
    let issuer = Issuer::start(&[&signer]);
    let key = Key::random();
    let (table, reads) = counting_table(&key);
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("KEY_TABLE", "keys"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &table),
        // However long it takes here, the good key is read once and before the flood.
        ("KEY_CACHE_TTL_SECONDS", "3600"),
    ];
    let authorizer = Authorizer::start(binary(), &settings);
    let token = format!("Bearer {}", signer.token(&issuer.claims()));
    let header = format!("ApiKey {}", key.text());
    authorizer.authorize(&header).response();
    let (at_start, started) = (reads.load(Ordering::SeqCst), Instant::now());
    let mut faults = 0;
    for number in 0..FLOOD {
        let kid = json!({"alg": "ES256", "kid": format!("kid-{number}")});
        let invented = signer.token_with(&kid, &issuer.claims());
        let refused = authorizer.authorize(&format!("Bearer {invented}"));
        assert_eq!(refused.error_message(), "Unauthorized");
        match authorizer.authorize(&format!("ApiKey {}", Key::random().text())) {
            Outcome::Response(answer) => panic!("{answer}"),
            // What nobody can tell any more is a fault.
            Outcome::Error(error) => faults += usize::from(error["errorMessage"] != "Unauthorized"),
        }
        if number % 100 == 0 {
            authorizer.authorize(&token).response();
            authorizer.authorize(&header).response();
        }
    }
    let elapsed = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let (fetches, reads) = (
        issuer.key_set_requests(),
        reads.load(Ordering::SeqCst) - at_start,
    );
    println!(
        "{FLOOD} random kids and {FLOOD} random keys in {:.1?}: {fetches} key set fetches, \
         {reads} table reads, {faults} keys answered with a fault",
        started.elapsed()
    );
    // One at the start, and one in each half minute.
    assert!(
        fetches <= 2 + elapsed / 30,
        "{fetches} fetches in {elapsed} s"
    );
    assert!(
        reads <= BURST + A_SECOND * elapsed,
        "{reads} reads in {elapsed} s"
    );
    // And no key is refused that was not looked up; one whose read took too long was both.
    assert!(reads + faults >= FLOOD, "{reads} reads, {faults} faults");
}

#[test]
fn a_key_that_is_tried_again_and_again_is_not_looked_up_each_time() {
    let (table, reads) = counting_table(&Key::random());
    let settings = settings_of_keys_at(&table, &[("KEY_CACHE_TTL_SECONDS", "0")]);
    let authorizer = Authorizer::start(binary(), &settings);
    let (header, started) = (format!("ApiKey {}", Key::random().text()), Instant::now());
    for _ in 0..1_000 {
        assert_eq!(
            authorizer.authorize(&header).error_message(),
            "Unauthorized"
        );
    }
    let elapsed = usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!(reads.load(Ordering::SeqCst) <= 1 + elapsed / 5);
}

#[test]
fn a_guess_at_a_known_key_s_secret_does_not_cost_a_read_each() {
    let key = Key::random();
    let (table, reads) = counting_table(&key);
    let settings = settings_of_keys_at(&table, &[("KEY_CACHE_TTL_SECONDS", "3600")]);
    let authorizer = Authorizer::start(binary(), &settings);
    let (header, started) = (format!("ApiKey {}", key.text()), Instant::now());
    authorizer.authorize(&header).response();
    for _ in 0..2_000 {
        let guess = Key {
            id: key.id.clone(),
            ..Key::random()
        };
        if let Outcome::Response(answer) = authorizer.authorize(&format!("ApiKey {}", guess.text()))
        {
            panic!("{answer}");
        }
    }
    let elapsed = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    assert!(reads.load(Ordering::SeqCst) <= 1 + BURST + A_SECOND * elapsed);
    // The key's owner is not shut out by it.
    authorizer.authorize(&header).response();
}

#[test]
fn a_key_in_use_goes_on_in_a_flood_also_where_nothing_is_remembered() {
    let key = Key::random();
    let (table, reads) = counting_table(&key);
    let settings = settings_of_keys_at(&table, &[("KEY_CACHE_TTL_SECONDS", "0")]);
    let authorizer = Authorizer::start(binary(), &settings);
    let (header, started) = (format!("ApiKey {}", key.text()), Instant::now());
    let at_start = reads.load(Ordering::SeqCst);
    authorizer.authorize(&header).response();
    let mut good = 1;
    let (mut sent, mut faults) = (0, 0);
    // Until the budget was empty again and again. A machine on which fewer are sent than the budget
    // earns has no flood, and ends as well.
    while faults < 1_000 && sent < FLOOD {
        // Every other one with the good key's id, which is no secret.
        let mut invented = Key::random();
        if sent % 2 == 0 {
            invented.id.clone_from(&key.id);
        }
        sent += 1;
        match authorizer.authorize(&format!("ApiKey {}", invented.text())) {
            Outcome::Response(answer) => panic!("{answer}"),
            Outcome::Error(error) => faults += usize::from(error["errorMessage"] != "Unauthorized"),
        }
        if sent % 50 == 0 {
            authorizer.authorize(&header).response();
            good += 1;
        }
    }
    let elapsed = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let earned = BURST + A_SECOND * elapsed;
    let reads = reads.load(Ordering::SeqCst) - at_start;
    assert!(reads <= good + earned, "{reads} reads");
    assert!(faults + earned >= sent, "{faults} faults of {sent}");
}

#[test]
fn revocation_that_is_off_costs_no_read() {
    let signer = Signer::p256("1");
    let issuer = Issuer::start(&[&signer]);
    for (checks, expected) in [("none", 0), ("client", 1), ("jti", 10), ("client,jti", 11)] {
        let (table, reads) = counting_table(&Key::random());
        let settings = [
            ("OAUTH_ISSUER", issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("KEY_TABLE", "keys"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &table),
            ("OAUTH_REVOCATION", checks),
        ];
        let authorizer = Authorizer::start(binary(), &settings);
        for number in 0..10 {
            let mut claims = issuer.claims();
            claims["jti"] = json!(format!("token-{number}"));
            claims["client_id"] = json!("app");
            let token = signer.token(&claims);
            authorizer.authorize(&format!("Bearer {token}")).response();
        }
        assert_eq!(reads.load(Ordering::SeqCst), expected, "{checks}");
    }
}
