//! The page in Chromium, by the keyboard alone: `tests/browser`.
//!
//! With `PAGE_SCREENSHOTS`, a folder, it makes the pictures of `docs/` there.

use serde_json::{Value, json};

use keygate_tests::chromium;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    a_person_with_a_keyboard_sees_requests_and_sends_some needs "chromium", "own-gateway";
}

const PROGRAM: &str = include_str!("../browser/page.mjs");

fn a_person_with_a_keyboard_sees_requests_and_sends_some(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let asked = json!({
        "chromium": chromium::program(),
        "page": gateway.ready.page,
        "url": own.url,
        "issuer": own.issuer,
        "api_key": gateway.ready.api_key,
        "screenshots": std::env::var("PAGE_SCREENSHOTS").ok(),
    });
    let seen = chromium::packages().json(PROGRAM, &[&asked.to_string()]);

    assert_eq!(seen["console"], json!([]));
    assert_eq!(seen["first"], "Skip to the content");
    has_all(
        &seen["row"],
        &["200", "GET /dev/books", "ProbeFunction answered"],
    );
    assert_ne!(seen["outline"], "none");
    has_all(
        &seen["trip"],
        &[
            "Served by GET /books",
            "checks passed",
            "Tokens left",
            "[struck out]",
        ],
    );
    has_all(
        &seen["checks"],
        &["passed", "secret", "an API key with the id"],
    );
    for (credential, status, words) in [
        ("key", "200", "api_key"),
        ("token", "200", "page"),
        ("nonsense", "401", "It answered: Unauthorized"),
        ("none", "401", "there is no header Authorization"),
    ] {
        let form = &seen["forms"][credential];
        assert_eq!(form["chosen"], credential);
        assert_eq!(form["status"], status, "{form}");
        has_all(&form["said"], &["Sent.", words]);
    }
    let html = seen["html"].to_string();
    let secret = &gateway.ready.api_key[16..];
    assert!(html.len() > 10_000 && !html.contains(secret), "{html}");
    assert!(!html.contains("eyJhbGciOi"), "{html}");
    assert!(
        seen["scriptless"].as_u64() > Some(4),
        "{}",
        seen["scriptless"]
    );

    for view in ["requests", "plans", "routes", "send", "trip"] {
        for scheme in ["light", "dark"] {
            let found = &seen["axe"][format!("{view}, {scheme}")];
            assert_eq!(found["violations"], json!([]), "{view}, {scheme}");
            assert!(found["passes"].as_u64() > Some(10), "{found}");
        }
    }
    assert_ne!(seen["axe"]["light ground"], seen["axe"]["dark ground"]);

    let others = json!({
        "": "refused", "live": "refused", "../metrics": "refused", "frame": "refused",
        "form": 403, "rebound": 421, "guessed": 403,
    });
    assert_eq!(seen["others"], others);
}

#[track_caller]
fn has_all(seen: &Value, all: &[&str]) {
    let text = seen.as_str().unwrap_or_default();
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    for words in all {
        assert!(text.contains(words), "{words:?} is not in {text:?}");
    }
}
