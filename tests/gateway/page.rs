//! The page that shows what passes the gateway, as a program asks for it. How it looks in a browser is in
//! [`page_in_browser`](crate::page_in_browser), and what it keeps to itself in [`page_safety`](crate::page_safety).

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use keygate_tests::call::Reply;
use keygate_tests::keygate::{Keygate, wait_for};
use keygate_tests::raw;
use keygate_tests::target::Target;

use crate::foreign_apis::shop;
use crate::tokens::list;

keygate_tests::tests! { for Target:
    a_trip_tells_every_step_and_every_check needs "own-gateway";
    a_request_is_told_as_it_comes needs "own-gateway";
    the_list_shows_what_is_asked_for needs "own-gateway";
    gauges_show_what_is_left_of_a_plan needs "own-gateway";
    routes_say_who_may_call_them needs "own-gateway";
    a_changed_template_is_shown needs "python", "own-gateway";
    figures_are_there_for_a_scraper needs "own-gateway";
    without_a_page_nothing_is_served needs "own-gateway";
    many_requests_at_once_are_all_counted needs "own-gateway";
    readers_that_have_gone_make_room_for_others needs "own-gateway";
}

/// A page's text, which must be there.
#[track_caller]
pub(crate) fn read(gateway: &Keygate, own: &Target, path: &str) -> String {
    let url = format!("{}{path}", gateway.ready.page);
    own.absolute(Method::GET, &url).send().expect(200).body
}

#[track_caller]
pub(crate) fn trip(gateway: &Keygate, own: &Target, reply: &Reply) -> String {
    let id = reply.must_header("x-amzn-requestid");
    read(gateway, own, &format!("trip?id={id}"))
}

/// What a person reads of a page: its text, without the tags.
pub(crate) fn text(html: &str) -> String {
    let parts = html.split('<').map(|part| match part.split_once('>') {
        Some((_, text)) => text,
        None => part,
    });
    let words: Vec<&str> = parts.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[track_caller]
pub(crate) fn has_all(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

/// What a person reads of a trip once the authorizer's checks are there, which come behind the answer.
#[track_caller]
fn with_checks(gateway: &Keygate, own: &Target, reply: &Reply) -> String {
    let told = wait_for(|| {
        let told = text(&trip(gateway, own, reply));
        (!told.contains("Its checks are not known")).then_some(told)
    });
    told.expect("the checks are made")
}

fn a_trip_tells_every_step_and_every_check(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", "reader"), ("scope", "books:read")]);
    let bearer = format!("Bearer {token}");
    let called = list(&own, &bearer).expect(200);
    let told = with_checks(&gateway, &own, &called);
    has_all(
        &told,
        &[
            "200 GET /dev/books",
            "Principal reader",
            "Served by GET /books",
            "AuthorizerFunction was called",
            "checks passed",
            "passed signature",
            "passed aud",
            "passed scopes books:read",
            "Tokens left 199 of 200, 100 more a second",
            "ProbeFunction answered 200",
            "The handler's event",
            "The authorizer's event",
            "content-type: application/json",
            "[struck out]",
            "REPORT RequestId",
        ],
    );

    let cached = list(&own, &bearer).expect(200);
    let told = text(&trip(&gateway, &own, &cached));
    let former = &called.must_header("x-amzn-requestid")[..8];
    let kept = format!("cache hit Its answer was kept from request {former}");
    has_all(&told, &[&kept, "passed signature", "when it was called"]);

    let late = own.token_with(&[("lifetime", "-3600")]);
    let refused = list(&own, &format!("Bearer {late}"));
    let told = with_checks(&gateway, &own, &refused.expect(401));
    let expired = [
        "1 failed",
        "failed exp",
        "token-expired",
        "It answered: Unauthorized",
    ];
    has_all(&told, &expired);

    let unknown = read_any(&gateway, &own, "trip?id=no-such-request");
    assert_eq!(unknown.status, 404);
}

#[track_caller]
fn read_any(gateway: &Keygate, own: &Target, path: &str) -> Reply {
    let url = format!("{}{path}", gateway.ready.page);
    own.absolute(Method::GET, &url).send()
}

/// The longest that an event is waited for; a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// The page's events, from now on.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    pub(crate) fn open(gateway: &Keygate, path: &str) -> Self {
        let link = gateway.ready.page.strip_prefix("http://").unwrap();
        let (host, secret) = link.split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET /{secret}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The line of its status.
    fn status(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("there is an answer");
        line.trim_end().to_owned()
    }

    /// The data of the next event of this name that has these words.
    #[track_caller]
    pub(crate) fn next(&mut self, name: &str, words: &str) -> String {
        let mut event = String::new();
        let until = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < until, "no {name} has {words:?}");
            let mut line = String::new();
            let length = self.0.read_line(&mut line).expect("there is an event");
            assert!(length > 0, "the events have ended");
            if let Some(named) = line.strip_prefix("event: ") {
                named.trim_end().clone_into(&mut event);
            }
            let data = line.strip_prefix("data: ").filter(|_| event == name);
            let data = data.and_then(|data| serde_json::from_str::<String>(data).ok());
            if let Some(data) = data.filter(|data| data.contains(words)) {
                return data;
            }
        }
    }
}

fn a_request_is_told_as_it_comes(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let mut all = Events::open(&gateway, "live?gauges=5");
    // Those of different names come in any order.
    let mut plans = Events::open(&gateway, "live?gauges=5");
    let mut latency = Events::open(&gateway, "live?gauges=5");
    let mut refused = Events::open(&gateway, "live?gauges=5&status=4");
    for open in [&mut all, &mut plans, &mut latency, &mut refused] {
        open.next("plans", "200 of 200");
    }
    let key = format!("ApiKey {}", gateway.ready.api_key);
    let served = list(&own, &key).expect(200);
    let id = served.must_header("x-amzn-requestid");
    let row = text(&all.next("rows", id));
    has_all(
        &row,
        &["200", "GET /dev/books", "local", "ProbeFunction answered"],
    );
    latency.next("latency", "A histogram of 1 requests");
    let left = plans.next("plans", "1 request today");
    assert!(left.contains("role=\"meter\""), "{left}");

    let nothing = list(&own, "Bearer nonsense").expect(401);
    let id = nothing.must_header("x-amzn-requestid");
    // The reason may come behind the answer: then the row comes once more.
    let rows = refused.next("rows", "token-malformed");
    assert!(
        rows.contains(id) && !rows.contains("ProbeFunction"),
        "{rows}"
    );
}

fn the_list_shows_what_is_asked_for(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let key = format!("ApiKey {}", gateway.ready.api_key);
    list(&own, &key).expect(200);
    own.get("/books").send().expect(401);
    own.get("/no-such-thing").send().expect(404);
    let rows = |query: &str| {
        let page = read(&gateway, &own, query);
        page.matches("<tr id=\"r-").count()
    };
    for (query, count) in [
        ("", 3),
        ("?status=4", 2),
        ("?status=2", 1),
        ("?status=5", 0),
        ("?route=%2Fbooks", 2),
        ("?status=4&route=%2Fbooks", 1),
        ("?route=%2F%7Bproxy%2B%7D", 1),
    ] {
        assert_eq!(rows(query), count, "{query}");
    }
}

fn gauges_show_what_is_left_of_a_plan(target: &Target) {
    let arguments = [
        "--parameter",
        "UnregisteredRateLimit=1",
        "--parameter",
        "UnregisteredBurstLimit=3",
    ];
    let (gateway, own) = target.own(&arguments);
    assert!(text(&read(&gateway, &own, "plans")).contains("3 of 3, 1 more a second"));
    let key = format!("ApiKey {}", gateway.ready.api_key);
    // A token comes back each second: on a slow machine it takes a few more.
    let mut statuses = (0..60).map(|_| list(&own, &key).status);
    assert!(
        statuses.any(|status| status == 429),
        "nothing was throttled"
    );
    let page = read(&gateway, &own, "plans");
    has_all(
        &text(&page),
        &[
            " of 3, 1 more a second",
            "requests today",
            "keygate-local-standard 50 100 100000 a day",
        ],
    );
    assert!(page.contains("aria-valuemax=\"3\""), "{page}");
    let refused = read(&gateway, &own, "?status=4");
    assert!(
        refused.contains("the rate and burst of the caller&#39;s usage plan are used up")
            || refused.contains("the rate and burst of the caller's usage plan are used up"),
        "{refused}"
    );
}

fn routes_say_who_may_call_them(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let routes = text(&read(&gateway, &own, "routes"));
    has_all(
        &routes,
        &[
            "GET /books books:read ProbeFunction",
            "PUT /books/{id} books:write ProbeFunction",
            "GET /problems public ErrorMapperFunction",
        ],
    );
}

fn a_changed_template_is_shown(target: &Target) {
    let project = shop("", "");
    let template = project.template();
    let (gateway, own) = target.own(&["--watch", "--template", &template]);
    let mut events = Events::open(&gateway, "live");
    assert!(!read(&gateway, &own, "routes").contains("/fresh"));
    let changed = fs::read_to_string(&template).unwrap();
    let changed = changed.replace("Path: /books, Method: get", "Path: /fresh, Method: get");
    fs::write(&template, changed).unwrap();
    events.next("reload", "the template has changed");
    let routes = wait_for(|| {
        let routes = read(&gateway, &own, "routes");
        routes.contains("/fresh").then_some(routes)
    });
    assert!(routes.is_some());
}

fn figures_are_there_for_a_scraper(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let key = format!("ApiKey {}", gateway.ready.api_key);
    for _ in 0..3 {
        list(&own, &key).expect(200);
    }
    own.get("/books").send().expect(401);
    let page = gateway.ready.page.trim_end_matches('/');
    let metrics = format!("{}/metrics", page.rsplit_once('/').unwrap().0);
    let reply = own.absolute(Method::GET, &metrics).send().expect(200);
    assert!(
        reply
            .must_header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let lines: Vec<&str> = reply.body.lines().collect();
    for line in [
        "keygate_requests_total{route=\"/books\",status=\"200\"} 3",
        "keygate_requests_total{route=\"/books\",status=\"401\"} 1",
        "keygate_authorizer_calls_total 1",
        "keygate_authorizer_cache_hits_total 2",
        "keygate_request_duration_seconds_count 4",
        "keygate_request_duration_seconds_bucket{le=\"+Inf\"} 4",
    ] {
        assert!(lines.contains(&line), "{line}: {}", reply.body);
    }
    assert_eq!(lines.last(), Some(&"# EOF"));
}

fn without_a_page_nothing_is_served(target: &Target) {
    let (gateway, own) = target.own(&["--no-page"]);
    assert_eq!(gateway.ready.page, "");
    assert!(
        !gateway.stdout().contains("  Page "),
        "{}",
        gateway.stdout()
    );
    list(&own, &format!("ApiKey {}", gateway.ready.api_key)).expect(200);
    let (gateway, _own) = target.own(&[]);
    let printed = format!("  Page          {}", gateway.ready.page);
    assert!(gateway.stdout().contains(&printed), "{}", gateway.stdout());
    let ready: Value =
        serde_json::from_slice(&std::fs::read(gateway.ready_file()).unwrap()).unwrap();
    assert_eq!(ready["page"], gateway.ready.page.as_str());
    let both = target.build().run(&["--no-page", "--page-port", "0"], &[]);
    assert_eq!(both.status.code(), Some(64));
}

fn many_requests_at_once_are_all_counted(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let mut events = Events::open(&gateway, "live?gauges=5");
    let host = own
        .url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let one = format!("GET /dev/no-such-thing HTTP/1.1\r\nHost: {host}\r\n");
    for _ in 0..15 {
        let many = format!("{one}\r\n").repeat(99) + &one + "Connection: close\r\n\r\n";
        assert_eq!(raw::converse(&own.url, many.as_bytes()).len(), 100);
    }
    events.next("latency", "A histogram of 1500 requests");
    let page = read(&gateway, &own, "");
    assert_eq!(page.matches("<tr id=\"r-").count(), 100);
    // Of so many not all events are kept, and the page says so.
    let id = page
        .split("<tr id=\"r-")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let told = text(&read(&gateway, &own, &format!("trip?id={id}")));
    assert!(told.contains("404 GET /dev/no-such-thing"), "{told}");
}

fn readers_that_have_gone_make_room_for_others(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let open = || {
        let mut reader = Events::open(&gateway, "live");
        (reader.status(), reader)
    };
    let all: Vec<Events> = (0..32)
        .map(|_| {
            let (status, reader) = open();
            assert_eq!(status, "HTTP/1.1 200 OK");
            reader
        })
        .collect();
    assert_eq!(open().0, "HTTP/1.1 503 Service Unavailable");
    drop(all);
    let others = wait_for(|| (open().0 == "HTTP/1.1 200 OK").then_some(()));
    others.expect("a reader that has gone has ended");
}
