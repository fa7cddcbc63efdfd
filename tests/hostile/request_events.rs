//! Bad API keys in REQUEST events, which have all headers and say where the request comes from.

use keygate_tests::authorizer::Authorizer;
use keygate_tests::table::Table;
use serde_json::{Value, json};

use crate::cases::{Case, binary, refuse_all};
use crate::keys::{Key, request, settings};

/// Keys in REQUEST events, which say where the request comes from.
fn from_elsewhere(table: &Table) -> Vec<Case> {
    let key = Key::random();
    let mut item = key.item();
    item["allowed_cidrs"] = json!({"SS": ["192.0.2.0/24", "2001:db8::/32"]});
    table.put(&item);
    let mut cases: Vec<Case> = [
        ("192.0.3.1", "api-key-network"),
        ("2001:db9::1", "api-key-network"),
        ("::ffff:198.51.100.1", "api-key-network"),
        ("127.0.0.1", "api-key-network"),
        ("192.0.2.0.", "api-key-source-address"),
        ("", "api-key-source-address"),
        ("192.0.2.1, 192.0.3.1", "api-key-source-address"),
        ("192.0.2.1:443", "api-key-source-address"),
        ("192.0.2.0/24", "api-key-source-address"),
        ("192.0.2.01", "api-key-source-address"),
        (" 192.0.2.1", "api-key-source-address"),
        ("[2001:db8::1]", "api-key-source-address"),
        ("2001:db8::1%eth0", "api-key-source-address"),
        // IPv4 in other ways than the one that stands for it.
        ("::192.0.2.1", "api-key-network"),
        ("64:ff9b::192.0.2.1", "api-key-network"),
        ("2002:c000:0201::1", "api-key-network"),
    ]
    .into_iter()
    .map(|(source, reason)| Case {
        what: format!("from {source:?}"),
        event: request(&json!({"x-api-key": key.text()}), source),
        reason,
    })
    .collect();
    let other = Key::random();
    table.put(&other.item());
    for (what, headers, reason) in [
        (
            "two keys",
            json!({"Authorization": format!("Bearer {}", other.text()), "X-Api-Key": key.text()}),
            "credential-several",
        ),
        (
            "a key and no key",
            json!({"Authorization": "Basic YTpi", "X-Api-Key": other.text()}),
            "credential-scheme",
        ),
        (
            "a key of another API",
            json!({"X-Api-Key": "0123456789abcdef0123456789abcdef"}),
            "api-key-malformed",
        ),
        (
            "a scheme in X-Api-Key",
            json!({"X-Api-Key": format!("ApiKey {}", other.text())}),
            "api-key-malformed",
        ),
        (
            "no credential",
            json!({"Accept": "*/*"}),
            "credential-missing",
        ),
    ] {
        cases.push(Case {
            what: what.to_owned(),
            event: request(&headers, "192.0.2.1"),
            reason,
        });
    }
    cases
}

/// Credentials that contradict each other, by whichever header, spelling and member they come.
fn contradicting(table: &Table) -> Vec<Case> {
    let (key, other) = (Key::random(), Key::random());
    for key in [&key, &other] {
        table.put(&key.item());
    }
    let (one, two) = (key.text(), other.text());
    let [bearer_one, bearer_two] = [&one, &two].map(|text| format!("Bearer {text}"));
    let cases = [
        (
            "two spellings",
            json!({"Authorization": bearer_one, "authorization": bearer_two}),
            json!({}),
        ),
        (
            "two values",
            json!({"Authorization": bearer_two}),
            json!({"Authorization": [bearer_one, bearer_two]}),
        ),
        (
            "two spellings of many",
            json!({}),
            json!({"Authorization": [bearer_one], "AUTHORIZATION": [bearer_two]}),
        ),
        (
            "one value here, another there",
            json!({"authorization": bearer_one}),
            json!({"Authorization": [bearer_two]}),
        ),
        (
            "another key of two",
            json!({"X-Api-Key": one}),
            json!({"x-api-key": [one, two]}),
        ),
        (
            "another key beside",
            json!({"authorization": bearer_one}),
            json!({"X-API-KEY": [two]}),
        ),
    ];
    let event = |headers: &Value, multi: &Value| {
        let mut event = request(headers, "192.0.2.1");
        event["multiValueHeaders"] = multi.clone();
        event
    };
    cases
        .map(|(what, headers, multi)| Case {
            what: what.to_owned(),
            event: event(&headers, &multi),
            reason: "credential-several",
        })
        .into()
}

/// Bound keys in REQUEST events that lack the address, or have it where a client could write it.
fn from_nowhere(table: &Table) -> Vec<Case> {
    let key = Key::random();
    let mut item = key.item();
    item["allowed_cidrs"] = json!({"SS": ["0.0.0.0/0", "::/0"]});
    table.put(&item);
    let headers = json!({"Authorization": format!("ApiKey {}", key.text()),
        "X-Forwarded-For": "192.0.2.1", "sourceIp": "192.0.2.1"});
    [
        json!(null),
        json!({}),
        json!({"identity": null}),
        json!({"identity": {}}),
        json!({"identity": {"sourceIp": null}}),
        json!({"identity": {"sourceIp": ["192.0.2.1"]}}),
        json!({"identity": {"sourceIp": 1}}),
        json!({"identity": {"sourceip": "192.0.2.1"}}),
        json!({"identity": {"sourceIp": "test-invoke-source-ip"}}),
        json!({"http": {"sourceIp": "192.0.2.1"}, "sourceIp": "192.0.2.1"}),
    ]
    .into_iter()
    .map(|context| {
        let mut event = request(&headers, "");
        event["requestContext"] = context.clone();
        Case {
            what: format!("from nowhere: {context}"),
            event,
            reason: "api-key-source-address",
        }
    })
    .collect()
}

/// Records whose networks nobody could have issued, which are no wider for it.
fn bound_by_hand(table: &Table) -> Vec<Case> {
    let cases = [
        // An address within a network stands for the network.
        ("192.0.2.129/25", "192.0.2.127"),
        // No request comes from an IPv4 network in IPv6 notation.
        ("::ffff:192.0.2.0/120", "192.0.2.1"),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.1"),
        ("::/0", "192.0.2.1"),
        ("0.0.0.0/0", "2001:db8::1"),
    ];
    cases
        .map(|(network, source)| {
            let key = Key::random();
            let mut item = key.item();
            item["allowed_cidrs"] = json!({"SS": [network]});
            table.put(&item);
            let headers = json!({"authorization": format!("Bearer {}", key.text())});
            Case {
                what: format!("{network} from {source}"),
                event: request(&headers, source),
                reason: "api-key-network",
            }
        })
        .into()
}

#[test]
fn every_bad_key_of_a_request_event_is_refused_for_its_own_reason() {
    let table = Table::start();
    let mut cases = from_elsewhere(&table);
    cases.extend(contradicting(&table));
    cases.extend(from_nowhere(&table));
    cases.extend(bound_by_hand(&table));
    println!("{} bad keys in REQUEST events", cases.len());
    let good = Key::random();
    table.put(&good.item());
    refuse_all(
        &settings(&table),
        &cases,
        &format!("ApiKey {}", good.text()),
    );
}

#[test]
fn a_key_bound_to_networks_works_from_them() {
    let table = Table::start();
    let key = Key::random();
    let mut item = key.item();
    item["allowed_cidrs"] = json!({"SS": ["192.0.2.0/24", "2001:db8::/32"]});
    table.put(&item);
    let authorizer = Authorizer::start(binary(), &settings(&table));
    for source in ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.9"] {
        let bearer = format!("Bearer {}", key.text());
        for headers in [
            json!({"X-API-KEY": key.text()}),
            json!({"authorization": bearer}),
            json!({"AUTHORIZATION": bearer, "Authorization": bearer, "X-Forwarded-For": "10.0.0.1"}),
        ] {
            let answer = authorizer.invoke(request(&headers, source)).response();
            assert_eq!(answer["usageIdentifierKey"], "usage-team-a", "{source}");
        }
    }
}
