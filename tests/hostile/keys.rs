//! Bad API keys. The keys are made here from the published format, not by the code that is tested.

use std::net::TcpListener;

use aws_lc_rs::digest::{SHA256, digest};
use keygate_tests::authorizer::{Authorizer, STAGE};
use keygate_tests::issuer::epoch_seconds;
use keygate_tests::table::Table;
use serde_json::{Value, json};

use crate::cases::{Case, binary, refuse_all, settings_of_keys_at};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key in parts.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Key {
    /// A key that no other call makes.
    pub(crate) fn random() -> Self {
        Self {
            id: random(12),
            secret: random(32),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.text_under("kg")
    }

    /// The same under another prefix, with the checksum that it then has.
    fn text_under(&self, prefix: &str) -> String {
        let body = format!("{prefix}_{}_{}", self.id, self.secret);
        let checksum = checksum(&body);
        body + &checksum
    }

    fn sha256(&self) -> String {
        let digest = digest(&SHA256, self.secret.as_bytes());
        digest.as_ref().iter().fold(String::new(), |hex, byte| {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap();
            hex + &String::from_iter([digit(byte >> 4), digit(byte & 15)])
        })
    }

    /// The key's item, in use for ten minutes.
    pub(crate) fn item(&self) -> Value {
        json!({
            "pk": {"S": format!("key#{}", self.id)},
            "secret_sha256": {"S": self.sha256()},
            "owner": {"S": "team-a"},
            "name": {"S": "nightly import"},
            "scopes": {"SS": ["books:read"]},
            "status": {"S": "active"},
            "created_at": {"N": epoch_seconds().to_string()},
            "expires_at": {"N": (epoch_seconds() + 600).to_string()},
            "usage_key": {"S": "usage-team-a"},
        })
    }
}

fn random(length: usize) -> String {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    let digits = bytes
        .iter()
        .map(|byte| char::from(BASE62[usize::from(byte % 62)]));
    digits.collect()
}

/// CRC-32 in six digits of base62.
fn checksum(body: &str) -> String {
    let mut rest = usize::try_from(crc32fast::hash(body.as_bytes())).unwrap();
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(char::from(BASE62[rest % 62]));
        rest /= 62;
    }
    digits.iter().rev().collect()
}

/// An authorizer's settings with a table.
pub(crate) fn settings(table: &Table) -> Vec<(&str, &str)> {
    settings_of_keys_at(&table.url, &[("KEY_CACHE_TTL_SECONDS", "0")])
}

/// Keys that are none, and so never looked up.
fn malformed() -> Vec<Case> {
    let key = Key::random();
    let text = key.text();
    let (body, sum) = text.split_at(text.len() - 6);
    let shapes = [
        "kg_".to_owned(),
        "kg".to_owned(),
        "kg__".to_owned(),
        text[..text.len() - 1].to_owned(),
        format!("{text}0"),
        format!("{text}{text}"),
        text.replace("kg_", "kg-"),
        key.text_under(""),
        key.text_under("kg1"),
        key.text_under("kg_kg"),
        key.text_under("abcdefghijklmnopq"),
        text.replacen('_', "", 1),
        text.replacen(&format!("{}_", key.id), &format!("{}-", key.id), 1),
        text.replacen(&key.id, &key.id[..11], 1),
        text.replacen(&key.id, &format!("{}0", key.id), 1),
        text.replacen(&key.id, &format!("-{}", &key.id[1..]), 1),
        text.replacen(&key.id, &format!("_{}", &key.id[1..]), 1),
        text.replacen(&key.secret, &format!("~{}", &key.secret[1..]), 1),
        text.replacen(&key.secret, &format!(".{}", &key.secret[1..]), 1),
        format!("{body}{}/", &sum[..5]),
        format!("{body}{}=", &sum[..5]),
        format!("kg_{}", "0".repeat(51)),
    ];
    let mut cases: Vec<Case> = shapes
        .iter()
        .map(|text| {
            Case::new(
                format!("shape of {} bytes", text.len()),
                &format!("ApiKey {text}"),
                "api-key-malformed",
            )
        })
        .collect();
    // One mistake in each part, and two that a plain sum would not see.
    let mut mistyped = Vec::new();
    for at in [3, 8, 14, 16, 30, 47, 48, 50, 53] {
        let other = if text[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        let mut text = text.clone();
        text.replace_range(at..=at, other);
        mistyped.push(text);
    }
    let swapped: String = [&text[..20], &text[21..22], &text[20..21], &text[22..]].concat();
    if swapped != text {
        mistyped.push(swapped);
    }
    let other = Key::random();
    mistyped.push(format!("kg_{}_{}{sum}", other.id, key.secret));
    mistyped.push(format!("kg_{}_{}{sum}", key.id, other.secret));
    mistyped.push(text.replace("kg_", "KG_"));
    mistyped.push(text.replace("kg_", "gk_"));
    mistyped.push(format!("{body}000000"));
    mistyped.push(format!("{body}zzzzzz"));
    cases.extend(
        mistyped
            .iter()
            .map(|text| Case::new("mistyped", &format!("Bearer {text}"), "api-key-checksum")),
    );
    cases
}

/// What is wrong with a record, the attributes that make it so, and the reason.
type Change = (&'static str, Vec<(&'static str, Value)>, &'static str);

/// Keys that the table knows and that must not be used.
fn unusable(table: &Table) -> Vec<Case> {
    let now = epoch_seconds();
    let number = |seconds: u64| json!({"N": seconds.to_string()});
    let text = |text: &str| json!({"S": text});
    let strings = |texts: &[&str]| json!({"SS": texts});
    let changes: Vec<Change> = vec![
        (
            "revoked",
            vec![("status", text("revoked"))],
            "api-key-revoked",
        ),
        (
            "expires this second",
            vec![("expires_at", number(now))],
            "api-key-expired",
        ),
        (
            "expired",
            vec![("expires_at", number(now - 1))],
            "api-key-expired",
        ),
        (
            "expired in 1970",
            vec![("expires_at", number(0))],
            "api-key-expired",
        ),
        (
            "revoked and expired",
            vec![("status", text("revoked")), ("expires_at", number(1))],
            "api-key-revoked",
        ),
        (
            "another secret",
            vec![("secret_sha256", text(&Key::random().sha256()))],
            "api-key-secret",
        ),
        (
            "a hash of zeros",
            vec![("secret_sha256", text(&"0".repeat(64)))],
            "api-key-secret",
        ),
        (
            "bound to networks",
            vec![("allowed_cidrs", strings(&["192.0.2.0/24"]))],
            "api-key-source-address",
        ),
        (
            "bound to every network",
            vec![("allowed_cidrs", strings(&["0.0.0.0/0", "::/0"]))],
            "api-key-source-address",
        ),
    ];
    let mut cases: Vec<Case> = changes
        .into_iter()
        .map(|(what, attributes, reason)| {
            let key = Key::random();
            let mut item = key.item();
            for (name, value) in attributes {
                item[name] = value;
            }
            table.put(&item);
            Case::new(what, &format!("ApiKey {}", key.text()), reason)
        })
        .collect();
    cases.extend(rotated(table));
    cases.push(Case::new(
        "in no table",
        &format!("ApiKey {}", Key::random().text()),
        "api-key-unknown",
    ));
    // Another key's id with a checksum that fits: a guess at its secret.
    let key = Key::random();
    table.put(&key.item());
    for _ in 0..3 {
        let guess = Key {
            id: key.id.clone(),
            ..Key::random()
        };
        cases.push(Case::new(
            "a guess",
            &format!("Bearer {}", guess.text()),
            "api-key-secret",
        ));
    }
    cases
}

/// Former secrets: after their grace period, without one, and of keys that are out of use.
fn rotated(table: &Table) -> Vec<Case> {
    let now = epoch_seconds();
    let changes: [(&str, Value, &str); 4] = [
        (
            "grace is over",
            json!({"previous_until": {"N": (now - 1).to_string()}}),
            "api-key-secret",
        ),
        (
            "grace ends this second",
            json!({"previous_until": {"N": now.to_string()}}),
            "api-key-secret",
        ),
        (
            "revoked in its grace",
            json!({"previous_until": {"N": (now + 600).to_string()}, "status": {"S": "revoked"}}),
            "api-key-revoked",
        ),
        (
            "expired in its grace",
            json!({"previous_until": {"N": (now + 600).to_string()}, "expires_at": {"N": "1"}}),
            "api-key-expired",
        ),
    ];
    changes
        .map(|(what, attributes, reason)| {
            let former = Key::random();
            let current = Key {
                id: former.id.clone(),
                ..Key::random()
            };
            let mut item = current.item();
            item["previous_sha256"] = json!({"S": former.sha256()});
            for (name, value) in attributes.as_object().unwrap() {
                item[name.as_str()] = value.clone();
            }
            table.put(&item);
            Case::new(what, &format!("ApiKey {}", former.text()), reason)
        })
        .into()
}

/// A REQUEST event of a REST API, with as little in it as is read.
pub(crate) fn request(headers: &Value, source: &str) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": format!("{STAGE}/GET/books"),
        "headers": headers,
        "requestContext": {"identity": {"sourceIp": source}},
    })
}

#[test]
fn every_bad_key_is_refused_for_its_own_reason() {
    let table = Table::start();
    let mut cases = malformed();
    cases.extend(unusable(&table));
    assert!(cases.len() >= 30, "{} cases", cases.len());
    println!("{} bad keys", cases.len());
    let good = Key::random();
    table.put(&good.item());
    refuse_all(
        &settings(&table),
        &cases,
        &format!("ApiKey {}", good.text()),
    );
}

#[test]
fn a_malformed_key_never_reaches_the_table() {
    // Whoever connects here would wait for ever, and the authorizer with it.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    let settings = settings_of_keys_at(&url, &[]);
    let authorizer = Authorizer::start(binary(), &settings);
    // The start opens a connection, and gives up on it.
    while nobody.accept().is_ok() {}
    for case in malformed() {
        let message = authorizer.invoke(case.event).error_message();
        assert_eq!(message, "Unauthorized", "{}", case.what);
    }
    assert!(nobody.accept().is_err(), "the table was asked");
}

#[test]
fn a_record_that_cannot_be_right_is_a_fault_and_never_an_allow() {
    let table = Table::start();
    let authorizer = Authorizer::start(binary(), &settings(&table));
    for (name, value) in [
        ("secret_sha256", json!({"S": "x"})),
        ("secret_sha256", json!({"N": "1"})),
        ("owner", json!({"S": "a\"b"})),
        ("owner", json!({"SS": ["a"]})),
        ("scopes", json!({"S": "books:read"})),
        ("scopes", json!({"SS": ["books read"]})),
        ("status", json!({"S": "ACTIVE"})),
        ("status", json!({"BOOL": true})),
        ("expires_at", json!({"S": "never"})),
        ("expires_at", json!({"N": "-1"})),
        (
            "allowed_cidrs",
            json!({"SS": ["192.0.2.0/24", "everywhere"]}),
        ),
        ("allowed_cidrs", json!({"S": "192.0.2.0/24"})),
        ("usage_key", json!({"N": "7"})),
        ("previous_until", json!({"S": "soon"})),
    ] {
        let key = Key::random();
        let mut item = key.item();
        item[name] = value.clone();
        table.put(&item);
        let event = request(&json!({"x-api-key": key.text()}), "192.0.2.1");
        let message = authorizer.invoke(event).error_message();
        assert!(!message.contains("Unauthorized"), "{name} {value}");
    }
    for reason in authorizer.reasons() {
        assert_eq!(reason, "key-table-record-malformed");
    }
}

/// Puts a key that expires then, and one whose former secret does; the last of the three is its new
/// one.
fn living_until(ends: u64, table: &Table) -> [Key; 3] {
    let (key, former) = (Key::random(), Key::random());
    let mut item = key.item();
    item["expires_at"] = json!({"N": ends.to_string()});
    table.put(&item);
    let rotated = Key {
        id: former.id.clone(),
        ..Key::random()
    };
    let mut item = rotated.item();
    item["previous_sha256"] = json!({"S": former.sha256()});
    item["previous_until"] = json!({"N": ends.to_string()});
    table.put(&item);
    [key, former, rotated]
}

#[test]
fn a_key_lives_by_the_second() {
    let table = Table::start();
    let authorizer = Authorizer::start(binary(), &settings(&table));
    let authorize = |key: &Key| authorizer.authorize(&format!("ApiKey {}", key.text()));
    let mut lifetime = 2;
    let (ends, [key, former, rotated]) = loop {
        let ends = epoch_seconds() + lifetime;
        let keys = living_until(ends, &table);
        let answers = [authorize(&keys[0]), authorize(&keys[1])];
        if epoch_seconds() < ends {
            for answer in answers {
                answer.response();
            }
            break (ends, keys);
        }
        // On a machine that is busy, the time may be over before anybody has asked.
        lifetime *= 2;
    };
    while epoch_seconds() < ends {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for over in [&key, &former] {
        assert_eq!(authorize(over).error_message(), "Unauthorized");
    }
    authorize(&rotated).response();
}
