use std::sync::atomic::{AtomicUsize, Ordering};

use keygate_tests::issuer::{AUDIENCE, Issuer as TestIssuer};
use keygate_tests::loopback::Response;
use keygate_tests::signer::Signer;

use super::*;

fn source(issuer: &TestIssuer) -> KeySetSource {
    KeySetSource::new(
        Issuer::of(&issuer.url, AUDIENCE),
        Outbound::new(&keygate_settings::Settings::default()).unwrap(),
        Metrics::default(),
    )
}

/// Lets time pass for what is held and tried.
fn age(source: &KeySetSource, by: Duration) {
    let mut state = source.0.state();
    let back = |instant: &mut Instant| *instant -= by;
    if let Some(held) = state.held.as_mut() {
        back(&mut held.refresh_at);
        back(&mut held.due_at);
        back(&mut held.drop_at);
    }
    state.last_attempt.as_mut().map(back);
    state.last_refetch.as_mut().map(back);
}

async fn until_over(source: &KeySetSource) {
    let under_way = source.0.state().under_way.clone();
    over(under_way).await;
}

#[tokio::test(flavor = "current_thread")]
async fn many_requests_that_wait_share_one_fetch() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let source = source.clone();
        waiting.spawn(async move { source.keys().await.map(|keys| keys.len()) });
    }
    while let Some(keys) = waiting.join_next().await {
        assert_eq!(keys.unwrap(), Ok(1));
    }
    assert_eq!(issuer.key_set_requests(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_set_that_is_new_enough_is_not_fetched_again() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    source.keys().await.unwrap();
    age(&source, DEFAULT_AGE.mul_f32(0.7));
    source.keys().await.unwrap();
    until_over(&source).await;
    assert_eq!(issuer.key_set_requests(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_set_is_fetched_anew_before_it_is_due_and_nobody_waits() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    let first = source.keys().await.unwrap();
    age(&source, DEFAULT_AGE.mul_f32(0.9));
    let second = source.keys().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    until_over(&source).await;
    assert!(!Arc::ptr_eq(&first, &source.keys().await.unwrap()));
    assert_eq!(issuer.key_set_requests(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn the_last_good_set_is_served_while_the_issuer_fails_and_for_a_day_only() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    source.keys().await.unwrap();
    issuer.answer_with(|| Response::new(500, "{}"));
    age(&source, DEFAULT_AGE);
    assert!(source.keys().await.is_ok());
    // No hammering: the next attempt waits its time.
    assert!(source.keys().await.is_ok());
    assert_eq!(issuer.key_set_requests(), 2);
    age(&source, LAST_GOOD);
    assert!(source.keys().await.is_err());
    issuer.publish(&[&Signer::p256("b")]);
    age(&source, INTERVAL);
    assert!(source.keys().await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn unknown_kids_fetch_at_most_once_in_an_interval() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    let seen = source.keys().await.unwrap();
    issuer.publish(&[&Signer::p256("a"), &Signer::p256("b")]);
    // The first finds what the issuer has published since, however short ago the start was.
    for _ in 0..50 {
        assert_eq!(source.keys_after(&seen).await.unwrap().len(), 2);
    }
    assert_eq!(issuer.key_set_requests(), 2);
    issuer.publish(&[&Signer::p256("a")]);
    for _ in 0..50 {
        assert_eq!(source.keys_after(&seen).await.unwrap().len(), 2);
    }
    // Nor is it anybody's fault but the token's for whom there is nothing new.
    let latest = source.keys().await.unwrap();
    assert_eq!(source.keys_after(&latest).await.unwrap().len(), 2);
    assert_eq!(issuer.key_set_requests(), 2);
    age(&source, INTERVAL);
    assert_eq!(source.keys_after(&seen).await.unwrap().len(), 1);
    assert_eq!(issuer.key_set_requests(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn an_unknown_kid_cannot_be_told_while_the_issuer_fails() {
    let issuer = TestIssuer::start(&[&Signer::p256("a")]);
    let source = source(&issuer);
    let seen = source.keys().await.unwrap();
    age(&source, INTERVAL);
    issuer.answer_with(|| Response::new(500, "{}"));
    assert!(source.keys_after(&seen).await.is_err());
    assert!(source.keys_after(&seen).await.is_err());
    assert_eq!(issuer.key_set_requests(), 2);
    assert!(source.keys().await.is_ok());
    // Whoever has seen less than there is may find the key there.
    let less = Arc::new(KeySet::default());
    assert_eq!(source.keys_after(&less).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn the_request_after_a_failed_start_tries_again() {
    let issuer = TestIssuer::start(&[]);
    issuer.answer_with(|| Response::new(503, "{}"));
    let source = source(&issuer);
    assert!(source.keys().await.is_err());
    issuer.publish(&[&Signer::p256("a")]);
    assert_eq!(source.keys().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_seed_is_served_at_once_and_replaced_by_what_the_issuer_publishes() {
    let issuer = TestIssuer::start(&[&Signer::p256("a"), &Signer::p256("b")]);
    let source = source(&issuer);
    source.seed(KeySet::default());
    assert_eq!(issuer.requests(), 0);
    assert_eq!(source.keys().await.unwrap().len(), 0);
    until_over(&source).await;
    assert_eq!(source.keys().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_is_no_key_set_is_the_issuer_s_fault() {
    let answers: [fn() -> Response; 6] = [
        || Response::new(404, "{}"),
        || Response::new(302, "").with("location", "http://127.0.0.1:9/jwks.json"),
        || Response::new(200, "<html>"),
        || Response::new(200, "{\"keys\":"),
        || Response::new(200, vec![b' '; 2 * 1024 * 1024]),
        || Response::new(204, ""),
    ];
    for answer in answers {
        let issuer = TestIssuer::start(&[]);
        issuer.answer_with(answer);
        assert!(source(&issuer).keys().await.is_err());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn metadata_about_another_issuer_is_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let address = keygate_tests::loopback::serve(move |request| {
        if request.path == "/jwks.json" {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        let document = r#"{"issuer":"https://other.example.com","jwks_uri":"/jwks.json"}"#;
        Response::new(200, document)
    });
    let mut issuer = TestIssuer::start(&[]);
    issuer.url = format!("http://{address}");
    let error = source(&issuer).keys().await.unwrap_err();
    assert!(error.to_string().contains("another issuer"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn an_issuer_that_speaks_oauth_only_is_found_too() {
    let base = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&base);
    let address = keygate_tests::loopback::serve(move |request| {
        let base = own.lock().unwrap().clone();
        match request.path.as_str() {
            "/.well-known/oauth-authorization-server/t" => {
                let document = serde_json::json!({"issuer": format!("{base}/t"), "jwks_uri": format!("{base}/k")});
                Response::new(200, document.to_string())
            }
            "/k" => keygate_tests::issuer::key_set(&[&Signer::p256("a")])(),
            _ => Response::new(404, ""),
        }
    });
    *base.lock().unwrap() = format!("http://{address}");
    let mut issuer = TestIssuer::start(&[]);
    issuer.url = format!("http://{address}/t");
    assert_eq!(source(&issuer).keys().await.unwrap().len(), 1);
}
