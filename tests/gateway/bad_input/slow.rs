//! Clients that take their time for ever.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keygate_tests::keygate::wait_for;
use keygate_tests::raw::{self, Answer};
use keygate_tests::target::Target;

use super::functions::project;

keygate_tests::tests! { for Target:
    clients_that_take_for_ever_are_answered_and_hold_up_nobody needs "python", "own-gateway";
    clients_that_take_for_ever_hold_up_no_end needs "python", "own-gateway";
}

const HEAD: &str = "GET /prod/fn HTT";
const BODY: &str = "POST /prod/fn HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";

/// Sends this, then a byte now and then, and gives what is answered before the connection is closed.
fn drip(url: &str, begun: &str) -> JoinHandle<Vec<Answer>> {
    let mut connection = raw::connect(url);
    connection.write_all(begun.as_bytes()).unwrap();
    let mut writer = connection.try_clone().unwrap();
    let writing = thread::spawn(move || {
        // Until nobody takes it any more.
        while writer.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(500));
        }
    });
    thread::spawn(move || {
        let answers = raw::answers(connection);
        writing.join().unwrap();
        answers
    })
}

/// A client that asks for more than any buffer takes, and reads nothing of it.
fn asking(url: &str) -> TcpStream {
    let mut connection = raw::connect(url);
    let get = "GET /prod/fn?size=5000000 HTTP/1.1\r\nHost: a\r\n\r\n";
    connection.write_all(get.repeat(4).as_bytes()).unwrap();
    connection
}

/// How many connections to a port its server has open, as far as the system tells; 0 where it does not
/// (`man 5 proc`, /proc/net/tcp).
fn open_at(url: &str) -> usize {
    let (_, port) = url.trim_end_matches("/prod").rsplit_once(':').unwrap();
    let port = format!(":{:04X}", port.parse::<u16>().unwrap());
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let is_open = |row: &&str| {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [_, local, _, state, ..] = columns[..] else {
            return false;
        };
        // One that its server has closed has no socket any more.
        local.ends_with(&port) && state == "01" && columns.get(9) != Some(&"0")
    };
    table.lines().filter(is_open).count()
}

fn clients_that_take_for_ever_are_answered_and_hold_up_nobody(target: &Target) {
    let project = project("");
    let (gateway, own) = target.own(&["--template", &project.template()]);
    let ready = &gateway.ready;
    let (lambda, api_gateway) = (&ready.lambda, &ready.api_gateway);
    let heads = [&ready.url, &ready.issuer, lambda, api_gateway, &ready.page];
    let heads = heads.map(|url| drip(url, HEAD));
    let body = drip(&ready.url, BODY);
    let asking: Vec<TcpStream> = (0..20).map(|_| asking(&ready.url)).collect();
    own.get("/fn").send().expect(200);
    for (index, dripping) in heads.into_iter().enumerate() {
        let answers = dripping.join().unwrap();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        // AWS has no gateway response of 408.
        assert_eq!(
            statuses,
            [if index == 0 { 400 } else { 408 }],
            "{answers:#?}"
        );
        let said = format!("{}{}", answers[0].header("x-keygate-hint"), answers[0].body);
        assert!(
            said.contains("headers did not come within 30 seconds"),
            "{said}"
        );
    }
    let answers = body.join().unwrap();
    assert_eq!(answers[0].status, 400, "{answers:#?}");
    let hint = answers[0].header("x-keygate-hint");
    assert!(
        hint.contains("body did not come within 30 seconds"),
        "{hint}"
    );
    // But for those that the suite itself keeps open.
    let closed = wait_for(|| (open_at(&ready.url) < asking.len()).then_some(()));
    closed.expect("connections whose answers nobody reads are closed");
    own.get("/fn").send().expect(200);
}

fn clients_that_take_for_ever_hold_up_no_end(target: &Target) {
    let project = project("");
    let (gateway, _own) = target.own(&["--template", &project.template()]);
    let url = gateway.ready.url.clone();
    let asking = asking(&url);
    let (head, body) = (drip(&url, HEAD), drip(&url, BODY));
    assert!(gateway.stop().success());
    drop(asking);
    // The end of the program is the end of their connections.
    let _ = (head.join(), body.join());
}
