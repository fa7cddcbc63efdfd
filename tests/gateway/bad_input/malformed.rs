//! What is no HTTP, or more of it than is taken, on each of the ports.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use keygate_tests::keygate::Keygate;
use keygate_tests::raw::{self, Answer};
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    what_is_no_http_is_answered_and_closed_on_every_port needs "own-gateway";
    what_is_no_http_is_answered_and_closed_by_the_page needs "own-gateway";
    headers_of_64_kib_are_refused_in_the_apis_own_words needs "own-gateway";
    a_request_that_is_broken_off_is_answered_to_who_still_listens needs "own-gateway";
    garbage_behind_a_request_spoils_nothing_of_its_answer needs "own-gateway";
    dynamodb_closes_what_is_no_http_and_serves_on needs "own-gateway";
    an_address_for_a_target_names_the_host needs "own-gateway";
}

/// What is no request, each with what is said of it.
const MALFORMED: &[(&str, &[u8])] = &[
    ("request line", b"hello\r\n\r\n"),
    ("request line", b"GET /\r\n"),
    ("request line", b"GET  / HTTP/1.1\r\n\r\n"),
    ("no line of HTTP has", b"GE\0T / HTTP/1.1\r\n\r\n"),
    ("no line of HTTP has", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("no line of HTTP has", b"\x01\x02\x03"),
    ("CR or LF alone", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("CR or LF alone", b"GET / HTTP/1.1\nHost: a\n\n"),
    ("NAME: value", b"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n"),
    ("NAME: value", b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"),
    ("NAME: value", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"),
    ("NAME: value", b"GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n"),
    ("no Host", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("length", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
    ("length", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("no other version", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    ("no other version", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
    ("no path", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no path", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no path", b"GET books HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03 and so on"),
];

/// The ports on which this program reads requests itself, each with whether its errors name their type.
fn ports(gateway: &Keygate) -> [(&str, bool); 4] {
    let ready = &gateway.ready;
    [
        (&ready.url, true),
        (&ready.api_gateway, true),
        (&ready.lambda, true),
        (&ready.issuer, false),
    ]
}

/// The one answer before the connection is closed: in JSON, and with words on what is wrong.
#[track_caller]
fn refusal(url: &str, sent: &[u8], has_type: bool, status: u16, words: &str) -> Answer {
    let mut answers = raw::converse(url, sent);
    let shown = String::from_utf8_lossy(&sent[..sent.len().min(60)]).into_owned();
    assert_eq!(answers.len(), 1, "{shown:?} at {url}: {answers:#?}");
    let answer = answers.remove(0);
    assert_eq!(answer.status, status, "{shown:?} at {url}: {answer:#?}");
    assert_eq!(
        answer.header("connection"),
        "close",
        "{shown:?}: {answer:#?}"
    );
    assert_eq!(
        !answer.header("x-amzn-errortype").is_empty(),
        has_type,
        "{answer:#?}"
    );
    let said = format!("{}{}", answer.header("x-keygate-hint"), answer.json());
    assert!(
        said.contains(words),
        "{shown:?} at {url}, {words}: {answer:#?}"
    );
    answer
}

fn what_is_no_http_is_answered_and_closed_on_every_port(target: &Target) {
    let (gateway, own) = target.own(&[]);
    for (url, has_type) in ports(&gateway) {
        for (words, sent) in MALFORMED {
            refusal(url, sent, has_type, 400, words);
        }
    }
    // In the words of the template, as any other refusal.
    let answer = refusal(&gateway.ready.url, b"\x01", true, 400, "no line");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.header("x-amzn-requestid").is_empty(), "{answer:#?}");
    own.get("/books").bearer(&own.token()).send().expect(200);
    let (stdout, stderr) = (gateway.stdout(), gateway.stderr());
    let longest = stdout.lines().chain(stderr.lines()).map(str::len).max();
    assert!(longest.unwrap_or_default() < 4096, "{stdout}\n{stderr}");
}

/// In plain words: a person reads them.
fn what_is_no_http_is_answered_and_closed_by_the_page(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let page = &gateway.ready.page;
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(64 * 1024));
    let long = [("64 KiB", long.as_bytes())];
    for (words, sent) in MALFORMED.iter().chain(&long) {
        let answers = raw::converse(page, sent);
        let [answer] = &answers[..] else {
            panic!("{words}: {answers:#?}");
        };
        let status = if *words == "64 KiB" { 431 } else { 400 };
        assert_eq!(answer.status, status, "{answer:#?}");
        assert_eq!(answer.header("connection"), "close", "{answer:#?}");
        assert!(answer.body.contains(words), "{words}: {answer:#?}");
    }
}

fn headers_of_64_kib_are_refused_in_the_apis_own_words(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let one = format!("X: {}\r\n", "a".repeat(64 * 1024));
    let line = format!("X: {}\r\n", "a".repeat(60));
    let heads = [
        format!("GET / HTTP/1.1\r\nHost: a\r\n{one}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", line.repeat(1000)),
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X:1\r\n".repeat(1000)
        ),
        format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(64 * 1024)),
        // What has no end is refused before it comes.
        format!("GET /{}", "a".repeat(4 * 1024 * 1024)),
    ];
    for (url, has_type) in ports(&gateway) {
        for head in &heads {
            refusal(url, head.as_bytes(), has_type, 431, "");
        }
    }
    let answer = refusal(&gateway.ready.url, heads[0].as_bytes(), true, 431, "64 KiB");
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    assert!(
        kind.ends_with("/problems/request-header-too-large"),
        "{kind}"
    );
    own.get("/books").bearer(&own.token()).send().expect(200);
}

fn a_request_that_is_broken_off_is_answered_to_who_still_listens(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let url = &gateway.ready.url;
    let head = "POST /dev/books HTTP/1.1\r\nHost: a\r\n";
    for (sent, status, words) in [
        (
            "GET / HTTP/1.1\r\nHo".to_owned(),
            400,
            "ends within its headers",
        ),
        (
            format!("{head}Content-Length: 10\r\n\r\nabc"),
            400,
            "ends before its length",
        ),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
            400,
            "ends before its length",
        ),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"),
            400,
            "a chunk that is none",
        ),
        // Whole, and nothing behind it.
        (
            "GET /dev/books HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            401,
            "",
        ),
    ] {
        let answers = raw::converse_and_end(url, sent.as_bytes());
        assert_eq!(answers.len(), 1, "{sent:?}: {answers:#?}");
        assert_eq!(answers[0].status, status, "{sent:?}: {answers:#?}");
        let hint = answers[0].header("x-keygate-hint");
        assert!(hint.contains(words), "{sent:?}: {answers:#?}");
    }
    own.get("/books").bearer(&own.token()).send().expect(200);
}

fn garbage_behind_a_request_spoils_nothing_of_its_answer(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let good = "GET /dev/books HTTP/1.1\r\nHost: a\r\n\r\n";
    let sent = format!("{good}{good}\u{1}\u{2}garbage\r\n\r\n{good}");
    let answers = raw::converse(&gateway.ready.url, sent.as_bytes());
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [401, 401, 400], "{answers:#?}");
}

fn dynamodb_closes_what_is_no_http_and_serves_on(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let url = &gateway.ready.dynamodb;
    for (_, sent) in MALFORMED {
        // A server of its own reads them, which passes some, and resets a connection.
        let mut connection = raw::connect(url);
        let _ = connection.write_all(sent);
        let _ = connection.shutdown(Shutdown::Write);
        let _ = connection.read_to_end(&mut Vec::new());
    }
    own.get("/books").bearer(&own.token()).send().expect(200);
    let answer = own.absolute(reqwest::Method::GET, url).send().expect(200);
    assert!(answer.body.starts_with("healthy"), "{answer:#?}");
}

fn an_address_for_a_target_names_the_host(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let authorization = format!("Authorization: Bearer {}", own.token());
    let line = "GET http://api.example/dev/books";
    let headers = ["Host: another.example", &authorization];
    let answer = raw::ask(&gateway.ready.url, line, &headers, "");
    assert_eq!(answer.status, 200, "{answer:#?}");
    let context = &answer.json()["requestContext"];
    assert_eq!(context["domainName"], "api.example", "{context}");
}
