//! Figures of the gateway on this machine beside what `deploy/measure` has of one route: how many warm
//! requests of several kinds a second go through cached authorizer, usage plan, handler process and
//! DynamoDB, and through the same handler in three languages. `cargo bench -p keygate-tests`, or with
//! `GATEWAY_BIN` naming a directory of built executables. A benchmark, not a test: nothing here fails on a
//! slow machine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what breaks here is a bench that fails"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use keygate_tests::build::Build;
use keygate_tests::node::{self, Packages};
use keygate_tests::page::blocks;
use keygate_tests::project::Project;
use keygate_tests::venv;

/// How to put a handler behind the gateway.
const PAGE: &str = include_str!("../../docs/handlers.md");

/// How long each load goes on.
const LOAD: Duration = Duration::from_secs(5);
/// What a single client may send is not what is measured.
const WITHOUT_LIMITS: [&str; 10] = [
    "--parameter",
    "RateLimit=1000000",
    "--parameter",
    "BurstLimit=1000000",
    "--parameter",
    "QuotaLimit=1000000000",
    "--parameter",
    "UnregisteredRateLimit=1000000",
    "--parameter",
    "UnregisteredBurstLimit=1000000",
];

fn main() {
    let build = Build::find();
    let gateway = build.start(&WITHOUT_LIMITS);
    let url = gateway.ready.url.strip_prefix("http://").unwrap();
    let (address, stage) = url.split_once('/').unwrap();
    let key = &gateway.ready.api_key;
    let request = |method: &str, path: &str, body: &str| {
        let length = body.len();
        format!(
            "{method} /{stage}{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let add = request("POST", "/books", r#"{"name": "first"}"#);
    println!("warm requests (GET /books: at least 1,000 a second):");
    for (what, request, status) in [
        ("GET /books", request("GET", "/books", ""), 200),
        (
            "GET /keys, which reads DynamoDB",
            request("GET", "/keys", ""),
            200,
        ),
        ("GET /nothing", request("GET", "/nothing", ""), 404),
        ("POST /books", add, 200),
    ] {
        for connections in [4, 32] {
            load(what, address, &request, status, connections);
        }
    }
    drop(gateway);
    handlers(&build);
}

/// The handler of `docs/handlers.md` in each of its languages, side by side in one gateway.
fn handlers(build: &Build) {
    if let Some(reason) = node::lacking_runtime_client().or_else(venv::lacking) {
        println!("handlers in other languages: left out: {reason}");
        return;
    }
    let (table, outputs) = ("        ROUTES: |\n", "\nOutputs:\n");
    let languages = ["Python", "JavaScript", "Rust"];
    let yaml = blocks(PAGE, "yaml");
    let routes = languages.map(|language| format!("          GET /{language}/{{id}} books:read\n"));
    let routes = format!("{table}{}", routes.concat());
    let mut functions = "\n".to_owned();
    for language in languages {
        let (_, section) = PAGE.split_once(&format!("### In {language}")).unwrap();
        let entry = format!("{}{}", yaml[1], blocks(section, "yaml")[0]);
        let entry = entry.replace("ReportsFunction", &format!("{language}Function"));
        let entry = entry.replace("/reports/", &format!("/{language}/"));
        functions += &entry.replace("CodeUri: reports", &format!("CodeUri: {language}"));
    }
    functions += outputs;
    let changes = [(table, routes.as_str()), (outputs, &functions)];
    let python = venv::programs("awslambdaric");
    let project = Project::new(&build.changed_template(&changes))
        .with("Python/app.py", blocks(PAGE, "python")[0])
        .with_link("Python/.venv", python.parent().unwrap())
        .with("JavaScript/app.mjs", blocks(PAGE, "javascript")[0])
        .with_link(
            "JavaScript/node_modules",
            &Packages::of_runtime_client().modules(),
        );
    let template = project.template();
    let started = Instant::now();
    let gateway = build.start(&[&WITHOUT_LIMITS[..], &["--template", &template]].concat());
    println!(
        "start to ready with a handler in each language: {:?} (at most 3 s)",
        started.elapsed()
    );
    let url = gateway.ready.url.strip_prefix("http://").unwrap();
    let (address, stage) = url.split_once('/').unwrap();
    let key = &gateway.ready.api_key;
    for language in languages {
        let request = format!(
            "GET /{stage}/{language}/latest HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {key}\r\n\r\n"
        );
        for connections in [1, 4] {
            load(language, address, &request, 200, connections);
        }
    }
}

fn load(what: &str, address: &str, request: &str, status: u16, connections: usize) {
    let started = Instant::now();
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let clients = (0..connections).map(|_| {
            scope.spawn(|| {
                let mut connection = Connection::open(address);
                let mut latencies = Vec::new();
                while started.elapsed() < LOAD {
                    let asked = Instant::now();
                    connection.ask(request, status);
                    latencies.push(asked.elapsed());
                }
                latencies
            })
        });
        let clients: Vec<_> = clients.collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect()
    });
    let elapsed = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: usize| latencies[latencies.len() * share / 100];
    let count = u32::try_from(latencies.len()).unwrap();
    println!(
        "  {what}, {connections} connections: {:.0} a second, median {:.1?}, 99 % within {:.1?}",
        f64::from(count) / elapsed,
        at(50),
        at(99),
    );
}

/// One connection that is kept open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask(&mut self, request: &str, status: u16) {
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
    }
}
