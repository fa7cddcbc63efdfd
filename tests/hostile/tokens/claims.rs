//! Tokens that the issuer has signed, and that are not for this API, this caller or this moment.

use keygate_tests::issuer::{AUDIENCE, epoch_seconds};
use serde_json::{Value, json};

use super::house::House;
use crate::cases::Case;

const MALFORMED: &str = "claim-malformed";
const MISSING: &str = "claim-missing";

pub(super) fn cases(house: &House) -> Vec<Case> {
    let mut cases = types(house);
    for claim in ["iss", "aud", "exp", "sub"] {
        let token = house.rsa.token(&house.claims_without(claim));
        cases.push(Case::bearer(format!("no {claim}"), &token, MISSING));
    }
    for (claim, value, reason) in values(house) {
        let token = house.rsa.token(&house.claims_with(claim, value.clone()));
        let what = format!("{claim} {:.60}", value.to_string());
        cases.push(Case::bearer(what, &token, reason));
    }
    cases
}

fn types(house: &House) -> Vec<Case> {
    [
        "id+jwt",
        "JOSE",
        "JOSE+JSON",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/xml",
        "jwt;a=b",
        "JWT ",
        "",
        "text/jwt",
        "application/application/jwt",
        "\u{212a}wt",
    ]
    .iter()
    .map(|typ| {
        let header = json!({"alg": "RS256", "kid": "rsa", "typ": typ});
        let token = house.rsa.token_with(&header, &house.claims());
        Case::bearer(format!("typ {typ:?}"), &token, "token-type")
    })
    .collect()
}

fn values(house: &House) -> Vec<(&'static str, Value, &'static str)> {
    let mut values = issuers(&house.issuer.url);
    values.extend(audiences());
    values.extend(times());
    values.extend(names());
    values.extend(scopes());
    values.extend(confirmations());
    values
}

type Values = Vec<(&'static str, Value, &'static str)>;

fn issuers(url: &str) -> Values {
    let mut issuers: Values = [
        format!("{url}/"),
        format!("{url}/.."),
        format!(" {url}"),
        url.replace("http", "HTTP"),
        url.replace("http:", "https:"),
        url.replace("127.0.0.1", "localhost"),
        url.replace("127.0.0.1", "127.0.0.1@evil.example"),
        format!("{url}.evil.example"),
        format!("{url}\u{0}"),
        String::new(),
        "https://evil.example".to_owned(),
    ]
    .into_iter()
    .map(|iss| ("iss", json!(iss), "issuer-untrusted"))
    .collect();
    for iss in [json!(null), json!(1), json!([url]), json!({"url": url})] {
        issuers.push(("iss", iss, MALFORMED));
    }
    issuers
}

fn audiences() -> Values {
    let mut audiences: Values = [
        json!(""),
        json!("other"),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE}/")),
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!(format!(" {AUDIENCE}")),
        json!(format!("{AUDIENCE},other")),
        json!(format!("{AUDIENCE} other")),
        json!("*"),
        json!([]),
        json!(["other", "another"]),
        json!([format!("{AUDIENCE}\u{0}")]),
    ]
    .into_iter()
    .map(|aud| ("aud", aud, "audience-mismatch"))
    .collect();
    for aud in [
        json!(null),
        json!(true),
        json!(1),
        json!({"aud": AUDIENCE}),
        json!([AUDIENCE, 1]),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, null]),
    ] {
        audiences.push(("aud", aud, MALFORMED));
    }
    audiences
}

fn times() -> Values {
    let now = epoch_seconds();
    let mut times: Values = vec![
        ("exp", json!(now - 31), "token-expired"),
        ("exp", json!(0), "token-expired"),
        ("exp", json!(-1), "token-expired"),
        ("exp", json!(-1e300), "token-expired"),
        ("exp", json!(1.5), "token-expired"),
        ("nbf", json!(now + 120), "token-not-yet-valid"),
        ("nbf", json!(1e300), "token-not-yet-valid"),
        ("iat", json!(now + 120), "token-issued-in-future"),
        ("iat", json!(u64::MAX), "token-issued-in-future"),
    ];
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!(null),
            json!(true),
            json!((now + 600).to_string()),
            json!("soon"),
            json!([now + 600]),
            json!({"seconds": now + 600}),
        ] {
            times.push((claim, value, MALFORMED));
        }
    }
    times
}

fn names() -> Values {
    let mut names = Values::new();
    for sub in [
        json!(""),
        json!(null),
        json!(1),
        json!(["alice"]),
        json!("a\"b"),
        json!("a\nb"),
        json!("a\u{0}"),
        json!("a\u{7f}"),
        json!("a\u{85}"),
        json!("a".repeat(1025)),
    ] {
        names.push(("sub", sub, MALFORMED));
    }
    for claim in ["client_id", "azp", "cid", "appid"] {
        for value in [
            json!(""),
            json!(null),
            json!(7),
            json!(["app"]),
            json!("a\"b"),
            json!("a\\b"),
        ] {
            names.push((claim, value, MALFORMED));
        }
    }
    names
}

/// Every claim that holds scopes counts, so each must be what it can be, also where another is good.
fn scopes() -> Values {
    let mut scopes = Values::new();
    for claim in ["scope", "scp"] {
        for value in [
            json!(null),
            json!(1),
            json!(true),
            json!([1]),
            json!(["books:read", null]),
            json!([["books:read"]]),
            json!([{"name": "books:read"}]),
        ] {
            scopes.push((claim, value, MALFORMED));
        }
    }
    scopes
}

/// Whatever `cnf` says, the token is not its bearer's alone.
fn confirmations() -> Values {
    [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
        json!([]),
        json!(""),
        json!(false),
    ]
    .map(|cnf| ("cnf", cnf, "token-bound"))
    .into()
}
