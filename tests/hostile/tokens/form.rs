//! Tokens that cannot be read, or say that they cannot be.

use keygate_tests::signer::base64url;
use serde_json::json;

use super::house::{House, split};
use crate::cases::Case;

const MALFORMED: &str = "token-malformed";

pub(super) fn cases(house: &House) -> Vec<Case> {
    let mut cases = schemes(house);
    cases.extend(parts(house));
    cases.extend(encodings(house));
    cases.extend(json_texts(house));
    cases.extend(header_members(house));
    cases.extend(critical_extensions(house));
    cases
}

fn schemes(house: &House) -> Vec<Case> {
    let good = house.good();
    [
        (String::new(), "credential-missing"),
        (" ".to_owned(), "credential-missing"),
        ("Bearer".to_owned(), "credential-malformed"),
        ("Bearer ".to_owned(), "credential-malformed"),
        (good.clone(), "credential-scheme"),
        (format!("Token {good}"), "credential-scheme"),
        (format!("Basic {good}"), "credential-scheme"),
        (format!("Bearer\t{good}"), "credential-scheme"),
        (format!("Bearer:{good}"), "credential-scheme"),
        (format!("Bearer {good} {good}"), "credential-malformed"),
        (
            format!("Bearer {good},Bearer {good}"),
            "credential-malformed",
        ),
        (format!("Bearer Bearer {good}"), "credential-malformed"),
        (format!("Bearer \"{good}\""), "credential-malformed"),
        (format!("Bearer {good}\n"), "credential-malformed"),
        (format!("Bearer {good}\u{0}"), "credential-malformed"),
        (format!("Bearer {good}\u{a0}"), "credential-malformed"),
        (format!("ApiKey {good}"), "api-key-malformed"),
        (format!("Bearer {}", "a".repeat(8193)), "token-too-long"),
        (
            format!("Bearer {good}{}", "A".repeat(8192)),
            "token-too-long",
        ),
        (
            format!("Bearer {}", "é".repeat(100)),
            "credential-malformed",
        ),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (header, reason))| Case::new(format!("scheme {number}"), &header, reason))
    .collect()
}

fn parts(house: &House) -> Vec<Case> {
    let good = house.good();
    let [header, claims, signature] = split(&good);
    [
        "a".to_owned(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        // A JWE has five parts.
        format!("{header}.{claims}.{claims}.{claims}.{signature}"),
    ]
    .iter()
    .map(|token| Case::bearer(format!("parts {}", shape(token)), token, MALFORMED))
    .collect()
}

fn encodings(house: &House) -> Vec<Case> {
    let good = house.good();
    let [header, claims, signature] = split(&good);
    let mut cases = Vec::new();
    let mut add = |what: &str, token: String| cases.push(Case::bearer(what, &token, MALFORMED));
    add("padded header", format!("{header}=.{claims}.{signature}"));
    add("padded claims", format!("{header}.{claims}=.{signature}"));
    add("padded signature", format!("{good}="));
    add("twice padded signature", format!("{good}=="));
    // The alphabet of base64 in place of base64url's, and what is in neither.
    for character in ["+", "/", "~"] {
        add(
            &format!("{character} in the signature"),
            format!("{header}.{claims}.{}{character}", &signature[1..]),
        );
        add(
            &format!("{character} in the claims"),
            format!("{header}.{character}{}.{signature}", &claims[1..]),
        );
    }
    // One character carries no whole byte.
    add(
        "a lone character",
        format!("{header}.{claims}.{}", &signature[..1]),
    );
    // "eyJ9" and "e31" carry bits behind their last byte.
    let sign = |header: &str, claims: &str| house.rsa.token_of_parts(header, claims, "RS256");
    add("trailing bits in the claims", sign(header, "e31"));
    add("trailing bits in the header", sign("e31", claims));
    // 256 bytes leave two bits in the last character of the signature.
    let last = if signature.ends_with('B') { 'C' } else { 'B' };
    let loose = format!(
        "{header}.{claims}.{}{last}",
        &signature[..signature.len() - 1]
    );
    add("trailing bits in the signature", loose);
    cases
}

fn json_texts(house: &House) -> Vec<Case> {
    let header = r#"{"alg":"RS256","kid":"rsa"}"#;
    let claims = house.claims().to_string();
    let inner = &claims[1..claims.len() - 1];
    let deep = |depth: usize| {
        format!(
            "{{{inner},\"x\":{}{}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let texts = [
        "",
        " ",
        "[]",
        "1",
        "null",
        "true",
        "\"alg\"",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":1e999}",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\x41\"}",
        "{/**/}",
        "{\"a\":\"\n\"}",
        "\u{feff}{}",
    ];
    let mut cases = Vec::new();
    for text in texts {
        let token = house.rsa.token_of_text(header, text);
        cases.push(Case::bearer(format!("claims {text:?}"), &token, MALFORMED));
        let token = house.rsa.token_of_text(text, &claims);
        cases.push(Case::bearer(format!("header {text:?}"), &token, MALFORMED));
    }
    for bytes in [
        &b"{\"a\":\"\xff\"}"[..],
        b"\xff\xfe{}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"\xc0\x80\":1}",
    ] {
        let token = house
            .rsa
            .token_of_parts(&base64url(header), &base64url(bytes), "RS256");
        cases.push(Case::bearer(format!("claims {bytes:?}"), &token, MALFORMED));
    }
    for depth in [16, 100, 1500] {
        let token = house.rsa.token_of_text(header, &deep(depth));
        cases.push(Case::bearer(
            format!("{depth} arrays deep"),
            &token,
            MALFORMED,
        ));
    }
    for twice in [
        r#""iss":"https://evil.example""#,
        r#""\u0069ss":"https://evil.example""#,
        r#""sub":"root""#,
        r#""exp":9999999999"#,
        r#""aud":"x""#,
        r#""scope":"keys:admin""#,
        r#""x":{"a":1,"a":2}"#,
        r#""x":[{"a":1,"\u0061":1}]"#,
    ] {
        let token = house
            .rsa
            .token_of_text(header, &format!("{{{inner},{twice}}}"));
        cases.push(Case::bearer(
            format!("claims with {twice}"),
            &token,
            "token-duplicate-member",
        ));
        let token = house
            .rsa
            .token_of_text(header, &format!("{{{twice},{inner}}}"));
        cases.push(Case::bearer(
            format!("{twice} first"),
            &token,
            "token-duplicate-member",
        ));
    }
    for twice in [
        r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa","alg":"none"}"#,
        r#"{"alg":"RS256","kid":"x","kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":"rsa","\u0061lg":"HS256"}"#,
    ] {
        let token = house.rsa.token_of_text(twice, &claims);
        cases.push(Case::bearer(twice, &token, "token-duplicate-member"));
    }
    cases
}

fn header_members(house: &House) -> Vec<Case> {
    let claims = house.claims().to_string();
    [
        r#"{"kid":"rsa"}"#,
        r#"{"alg":null,"kid":"rsa"}"#,
        r#"{"alg":256,"kid":"rsa"}"#,
        r#"{"alg":["RS256"],"kid":"rsa"}"#,
        r#"{"alg":{"RS256":1},"kid":"rsa"}"#,
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":"RS256","kid":["rsa"]}"#,
        r#"{"alg":"RS256","kid":"rsa","typ":1}"#,
        r#"{"alg":"RS256","kid":"rsa","typ":null}"#,
    ]
    .iter()
    .map(|header| {
        let token = house.rsa.token_of_text(header, &claims);
        Case::bearer(*header, &token, MALFORMED)
    })
    .collect()
}

fn critical_extensions(house: &House) -> Vec<Case> {
    [
        json!(["b64"]),
        json!(["exp"]),
        json!(["alg"]),
        json!([]),
        json!(null),
        json!("b64"),
        json!(["http://example.com/unknown"]),
        json!([1]),
    ]
    .iter()
    .map(|crit| {
        let header = json!({"alg": "RS256", "kid": "rsa", "crit": crit, "b64": false, "exp": 1});
        let token = house.rsa.token_with(&header, &house.claims());
        Case::bearer(format!("crit {crit}"), &token, "token-critical-extension")
    })
    .collect()
}

/// A token's parts by their lengths.
fn shape(token: &str) -> String {
    let lengths: Vec<String> = token
        .split('.')
        .map(|part| part.len().to_string())
        .collect();
    lengths.join(".")
}
