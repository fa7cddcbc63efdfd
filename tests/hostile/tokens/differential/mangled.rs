//! What becomes of honest tokens by small changes: of the text, of what is signed, and of who signs it. What is chosen is the same in every run; the keys are not.

use keygate_tests::choices::Choices;
use keygate_tests::issuer::{AUDIENCE, epoch_seconds};
use keygate_tests::signer::{Signer, base64url};
use serde_json::{Value, json};

use super::super::house::{House, split};
use super::specimen::Specimen;

const SEED: u64 = 0x006b_6579_6761_7465;

/// This many of the honest tokens after a change or two.
pub(super) fn mangled(house: &House, honest: &[Specimen], count: usize) -> Vec<Specimen> {
    let mut choices = Choices(SEED);
    let strangers = [
        Signer::rsa("rsa"),
        Signer::p256("p256"),
        Signer::p384("p384"),
        Signer::p521("p521"),
        Signer::ed25519("ed25519"),
    ];
    let mut tokens = Vec::new();
    while tokens.len() < count {
        let from = choices.one_of(honest);
        let (what, token) = match choices.below(5) {
            0 => text(&mut choices, &from.token),
            1 => signature(&mut choices, &from.token, honest),
            2 => header(&mut choices, house, &from.token),
            3 => changed_claims(&mut choices, house, &from.token),
            _ => stranger(&mut choices, house, &strangers, &from.token),
        };
        let twice = choices.below(4) == 0 && split_any(&token).len() == 3;
        let (more, token) = if twice {
            text(&mut choices, &token)
        } else {
            ("nothing more".to_owned(), token)
        };
        if token != from.token {
            let what = format!("{}; {what}; {more}", from.what);
            tokens.push(Specimen { what, token });
        }
    }
    tokens
}

fn split_any(token: &str) -> Vec<&str> {
    token.split('.').collect()
}

/// A change of the text, whatever it means.
fn text(choices: &mut Choices, token: &str) -> (String, String) {
    const CHARACTERS: [&str; 16] = [
        "A", "B", "g", "w", "9", "-", "_", "=", "+", "/", ".", " ", "\n", "\0", "\u{e9}", "%2e",
    ];
    let at = choices.below(token.chars().count());
    let at = token.char_indices().nth(at).unwrap().0;
    let rest = token[at..].chars().next().unwrap().len_utf8() + at;
    let more = choices.one_of(&CHARACTERS);
    let (before, here, after) = (&token[..at], &token[at..rest], &token[rest..]);
    let mut parts = split_any(token);
    let (one, other) = (choices.below(parts.len()), choices.below(parts.len()));
    let (what, text) = match choices.below(9) {
        0 => ("replaced", format!("{before}{more}{after}")),
        1 => ("inserted", format!("{before}{more}{here}{after}")),
        2 => ("left out", format!("{before}{after}")),
        3 => ("doubled", format!("{before}{here}{here}{after}")),
        4 => ("cut", before.to_owned()),
        5 => ("appended", format!("{token}{more}")),
        6 => ("prepended", format!("{more}{token}")),
        7 => {
            parts.swap(one, other);
            ("parts swapped", parts.join("."))
        }
        _ => {
            parts.insert(one, parts[other]);
            ("a part repeated", parts.join("."))
        }
    };
    (format!("{what} at {at} with {more:?}"), text)
}

/// Another signature of the same.
fn signature(choices: &mut Choices, token: &str, honest: &[Specimen]) -> (String, String) {
    let [header, claims, signature] = split(token);
    let mut bytes = decoded(signature);
    let length = bytes.len();
    let what = match choices.below(8) {
        0 => {
            bytes.fill(0);
            "zeros"
        }
        1 => {
            bytes.fill_with(|| choices.number().to_le_bytes()[0]);
            "random"
        }
        2 => {
            let bit = choices.below(length * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            "one bit"
        }
        3 => {
            bytes.rotate_left(length / 2);
            "halves swapped"
        }
        4 => {
            bytes.insert(0, 0);
            "a zero before"
        }
        5 => {
            bytes.push(0);
            "a zero behind"
        }
        6 => {
            bytes.truncate(choices.below(length));
            "cut"
        }
        _ => {
            let other = choices.one_of(honest);
            let [_, _, other] = split(&other.token);
            bytes = decoded(other);
            "that of another token"
        }
    };
    let signature = base64url(bytes);
    (
        format!("signature: {what}"),
        format!("{header}.{claims}.{signature}"),
    )
}

/// Another header, which the key that is meant has signed.
fn header(choices: &mut Choices, house: &House, token: &str) -> (String, String) {
    let (mut members, claims) = parts_of(token);
    let signer = signer_of(house, &members);
    let name = choices.one_of(&[
        "alg", "kid", "typ", "crit", "b64", "jwk", "jku", "cty", "zip", "x",
    ]);
    let values = [
        json!("none"),
        json!("HS256"),
        json!("RS256"),
        json!("PS256"),
        json!("ES256"),
        json!("ES384"),
        json!("EdDSA"),
        json!("rs256"),
        json!("rsa"),
        json!("p256"),
        json!("ed25519"),
        json!(""),
        json!("JWT"),
        json!("jwt"),
        json!("JOSE"),
        json!("id+jwt"),
        json!("application/at+jwt"),
        json!(null),
        json!(1),
        json!(true),
        json!(false),
        json!([]),
        json!(["b64"]),
        json!(["exp"]),
        json!({}),
        signer.jwk(),
        json!(house.issuer.url),
    ];
    let value = choices.one_of(&values);
    members[name] = value.clone();
    if choices.below(8) == 0 {
        members.as_object_mut().unwrap().remove(name);
    }
    let token = signer.token_with(&members, &claims);
    (format!("header: {name} {value:.40}"), token)
}

/// Other claims, which the key that is meant has signed.
fn changed_claims(choices: &mut Choices, house: &House, token: &str) -> (String, String) {
    const NAMES: [&str; 10] = [
        "iss",
        "aud",
        "sub",
        "exp",
        "nbf",
        "iat",
        "jti",
        "scope",
        "client_id",
        "x",
    ];
    let (header, mut claims) = parts_of(token);
    let signer = signer_of(house, &header);
    let name = choices.one_of(&NAMES);
    let now = epoch_seconds();
    let url = &house.issuer.url;
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(now - 600),
        json!(now + 600),
        json!((now + 600).to_string()),
        json!(u64::MAX),
        json!(""),
        json!("*"),
        json!("other"),
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!([AUDIENCE, 1]),
        json!([[AUDIENCE]]),
        json!(format!("{AUDIENCE}/")),
        json!(AUDIENCE.to_uppercase()),
        json!(url),
        json!([url]),
        json!(format!("{url}/")),
        json!(format!("{url}.evil.example")),
        json!([]),
        json!({}),
        json!({"aud": AUDIENCE}),
        json!("a b"),
        json!("a\nb"),
        json!("\u{0}"),
        json!("a".repeat(600)),
    ];
    let value = choices.one_of(&values);
    let before = claims.to_string();
    claims[name] = value.clone();
    let member = format!("{}:{value}", json!(name));
    let inner = &before[1..before.len() - 1];
    let (what, text) = match choices.below(8) {
        0 => ("twice, at the end", format!("{{{inner},{member}}}")),
        1 => ("twice, at the start", format!("{{{member},{inner}}}")),
        2 => ("left out", {
            claims.as_object_mut().unwrap().remove(name);
            claims.to_string()
        }),
        3 => (
            "and what is no JSON behind",
            format!("{claims}{}", choices.one_of(&["{}", "x", ",", "\0"])),
        ),
        4 => ("with white space", format!(" \n{claims}\t")),
        _ => ("changed", claims.to_string()),
    };
    let token = signer.token_of_text(&header.to_string(), &text);
    (format!("claims: {name} {value:.40}, {what}"), token)
}

/// The same by a key that is not the issuer's, or by what everybody knows.
fn stranger(
    choices: &mut Choices,
    house: &House,
    strangers: &[Signer],
    token: &str,
) -> (String, String) {
    let (mut header, claims) = parts_of(token);
    let own = signer_of(house, &header);
    let stranger = strangers.iter().find(|one| one.kid == own.kid).unwrap();
    match choices.below(4) {
        0 => (
            "by a stranger".to_owned(),
            stranger.token_with(&header, &claims),
        ),
        1 => {
            header["jwk"] = stranger.jwk();
            (
                "by a stranger's key in the header".to_owned(),
                stranger.token_with(&header, &claims),
            )
        }
        2 => {
            header["alg"] = json!("HS256");
            let input = format!(
                "{}.{}",
                base64url(header.to_string()),
                base64url(claims.to_string())
            );
            let secret = own.jwk().to_string();
            let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
            let tag = aws_lc_rs::hmac::sign(&key, input.as_bytes());
            (
                "by the public key as a secret".to_owned(),
                format!("{input}.{}", base64url(tag)),
            )
        }
        _ => {
            header["alg"] = json!(choices.one_of(&["none", "None", "NONE"]));
            let input = format!(
                "{}.{}",
                base64url(header.to_string()),
                base64url(claims.to_string())
            );
            (
                "by nobody".to_owned(),
                format!("{input}.{}", choices.one_of(&["", "AA", "bm9uZQ"])),
            )
        }
    }
}

fn decoded(part: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .unwrap()
}

/// The header and the claims of an honest token.
fn parts_of(token: &str) -> (Value, Value) {
    let [header, claims, _] = split(token).map(decoded);
    (
        serde_json::from_slice(&header).unwrap(),
        serde_json::from_slice(&claims).unwrap(),
    )
}

fn signer_of<'h>(house: &'h House, header: &Value) -> &'h Signer {
    house
        .signers()
        .into_iter()
        .find(|signer| header["kid"] == *signer.kid)
        .unwrap()
}
