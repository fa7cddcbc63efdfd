//! The headers of an event: the client's, as it spelled them, and those that API Gateway adds.

use std::collections::BTreeMap;

use http::header::HeaderName;
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::trace_id;

/// What a function never sees ("Important notes", API Gateway guide).
const DROPPED: [&str; 12] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

const FORWARDED_FOR: &str = "X-Forwarded-For";
const FORWARDED_PORT: &str = "X-Forwarded-Port";
const FORWARDED_PROTO: &str = "X-Forwarded-Proto";

/// The names that API Gateway spells itself, whatever the client did.
const SPELLED: [&str; 6] = [
    "Host",
    "User-Agent",
    FORWARDED_FOR,
    FORWARDED_PORT,
    FORWARDED_PROTO,
    trace_id::NAME,
];

/// Headers with their last and with all values.
pub(super) fn headers(exchange: &Exchange) -> (Map<String, Value>, Map<String, Value>) {
    let multi = all(exchange);
    let single = multi
        .iter()
        .map(|(name, values)| ((*name).to_owned(), json!(values.last())));
    let single = single.collect();
    let multi = multi.into_iter();
    let multi = multi.map(|(name, values)| (name.to_owned(), json!(values)));
    (single, multi.collect())
}

fn all(exchange: &Exchange) -> BTreeMap<&str, Vec<String>> {
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &exchange.headers {
        if DROPPED.contains(&name.as_str()) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(spelled(exchange, name)).or_default().push(value);
    }
    let mut way = all.remove(FORWARDED_FOR).unwrap_or_default();
    way.push(exchange.source_ip.clone());
    // That of this gateway, which a client's `Host` need not have.
    let port = exchange.port.to_string();
    for (name, value) in [
        (FORWARDED_FOR, way.join(", ").as_str()),
        (FORWARDED_PORT, &port),
        (FORWARDED_PROTO, "http"),
        (trace_id::NAME, &exchange.trace_header.told),
    ] {
        all.insert(name, vec![value.to_owned()]);
    }
    all.entry("Host")
        .or_insert_with(|| vec![exchange.domain.clone()]);
    all
}

fn spelled<'a>(exchange: &'a Exchange, name: &'a HeaderName) -> &'a str {
    let mut own = SPELLED.into_iter();
    own.find(|own| own.eq_ignore_ascii_case(name.as_str()))
        .unwrap_or_else(|| exchange.spelling.of(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(headers: &[(&str, &str)]) -> Exchange {
        let mut request = http::Request::get("/dev/books");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Exchange::new(&parts, "192.0.2.1".to_owned(), 3000)
    }

    #[test]
    fn a_function_never_sees_what_is_the_connections_own() {
        let sent = DROPPED.map(|name| (name, "1"));
        let (single, multi) = headers(&exchange(&sent));
        let added = [
            "Host",
            "X-Amzn-Trace-Id",
            "X-Forwarded-For",
            "X-Forwarded-Port",
            "X-Forwarded-Proto",
        ];
        assert_eq!(single.keys().collect::<Vec<_>>(), added);
        assert_eq!(multi.keys().collect::<Vec<_>>(), added);
        assert_eq!(single["Host"], "127.0.0.1:3000");
    }

    #[test]
    fn what_api_gateway_adds_is_spelled_its_way_and_the_way_of_a_request_goes_on() {
        let (single, multi) = headers(&exchange(&[
            ("host", "localhost:8080"),
            ("user-agent", "curl"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-for", "198.51.100.2, 198.51.100.3"),
            ("x-forwarded-proto", "gopher"),
            ("x-forwarded-port", "70"),
            ("a", "1"),
            ("a", "2"),
        ]));
        let way = "198.51.100.1, 198.51.100.2, 198.51.100.3, 192.0.2.1";
        for (name, value) in [
            ("Host", "localhost:8080"),
            ("User-Agent", "curl"),
            ("X-Forwarded-For", way),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", "3000"),
        ] {
            assert_eq!(single[name], value);
            assert_eq!(multi[name], json!([value]));
        }
        assert_eq!(
            (&single["a"], &multi["a"]),
            (&json!("2"), &json!(["1", "2"]))
        );
    }
}
