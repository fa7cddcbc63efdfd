//! Figures of the built authorizer over a real Runtime API, an issuer and (where there is one to
//! give) a DynamoDB on loopback, beside the budgets that they are held against:
//! `cargo bench -p authorizer`, or with `AUTHORIZER` naming another build of it. A benchmark, not a
//! test: nothing here fails on a slow machine.

#![allow(clippy::unwrap_used, reason = "what breaks here is a test that fails")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use keygate_tests::authorizer::Authorizer;
use keygate_tests::issuer::{AUDIENCE, Issuer, key_set};
use keygate_tests::signer::Signer;
use keygate_tests::table::Table;
use serde_json::json;

const STARTS: usize = 21;
const INVOCATIONS: usize = 2_000;
/// How long an issuer takes that is not on the same machine.
const FAR: Duration = Duration::from_millis(5);

/// The binary to measure. Cargo builds the one here with the features of the development
/// dependencies besides; the one that ships is named by `AUTHORIZER`.
static BINARY: LazyLock<String> = LazyLock::new(|| {
    std::env::var("AUTHORIZER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_authorizer").to_owned())
});

fn main() {
    let signer = Signer::rsa("bench");
    let issuer = Issuer::start(&[&signer]);
    let table = Table::start();
    let settings = [
        ("OAUTH_ISSUER", issuer.url.as_str()),
        ("OAUTH_AUDIENCE", AUDIENCE),
        ("KEY_TABLE", Table::NAME),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.url.as_str()),
        ("DEFAULT_USAGE_KEY", "usage"),
    ];
    let large = LargeTable::new();
    let mut with_large = settings.to_vec();
    with_large.extend([
        ("ROUTES", ""),
        ("ROUTES_FILE", large.file.to_str().unwrap()),
    ]);
    println!("start to first `next`, the first authorization after it (median of {STARTS}):");
    let variants: [(&str, &[_]); 3] = [
        ("JWT, issuer and table", &settings),
        ("the same with 300 routes", &with_large),
        ("JWT, issuer alone", &settings[..2]),
    ];
    starts(&variants, &issuer, &signer);
    far_starts(&variants[..2], &issuer, &signer);
    println!(
        "  the issuer's own answering time, discovery and key set: {:?}",
        answering_time(&issuer)
    );
    println!("warm, {INVOCATIONS} invocations one after the other:");
    warm(&settings, &issuer, &signer, "books:read books:write");
    println!("the same with 300 routes and 40 scopes, of which the caller holds 2:");
    warm(&with_large, &issuer, &signer, "area7:read area7:write");
    println!("and of which the caller holds every one:");
    warm(&with_large, &issuer, &signer, &large.scopes);
    size();
}

/// A table of 300 routes in 20 areas, each with a scope to read and one to write.
struct LargeTable {
    file: PathBuf,
    /// All 40.
    scopes: String,
}

impl LargeTable {
    fn new() -> Self {
        let mut lines = Vec::new();
        let mut scopes = Vec::new();
        for area in 0..20 {
            scopes.extend(["read", "write"].map(|may| format!("area{area}:{may}")));
            for thing in 0..3 {
                let path = format!("/area{area}/things{thing}");
                for (method, resource, may) in [
                    ("GET", path.clone(), "read"),
                    ("POST", path.clone(), "write"),
                    ("GET", format!("{path}/{{id}}"), "read"),
                    ("PUT", format!("{path}/{{id}}"), "write"),
                    ("DELETE", format!("{path}/{{id}}"), "write"),
                ] {
                    lines.push(format!("{method} {resource} area{area}:{may}"));
                }
            }
        }
        let name = format!("keygate-bench-routes-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, lines.join("\n")).unwrap();
        Self {
            file,
            scopes: scopes.join(" "),
        }
    }
}

impl Drop for LargeTable {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A token that no other invocation has.
fn token(issuer: &Issuer, signer: &Signer, number: usize, scopes: &str) -> String {
    let mut claims = issuer.claims();
    claims["scope"] = json!(scopes);
    claims["jti"] = json!(number.to_string());
    claims["client_id"] = json!("bench-client");
    format!("Bearer {}", signer.token(&claims))
}

/// In turns, so that whatever else the machine does falls on all of them.
fn starts(variants: &[(&str, &[(&str, &str)])], issuer: &Issuer, signer: &Signer) {
    let mut times = vec![(Vec::new(), Vec::new()); variants.len()];
    for number in 0..STARTS {
        for ((_, settings), (until_ready, first)) in variants.iter().zip(&mut times) {
            let header = token(issuer, signer, number, "books:read");
            let authorizer = Authorizer::start(&BINARY, settings);
            until_ready.push(authorizer.function.until_ready);
            let started = Instant::now();
            authorizer.authorize(&header).response();
            first.push(started.elapsed());
        }
    }
    for ((what, _), (until_ready, first)) in variants.iter().zip(times) {
        println!("  {what}: {:?}, {:?}", median(until_ready), median(first));
    }
}

/// The same with an issuer that is not on the same machine: its keys, whose address is known, take a
/// while to come.
fn far_starts(variants: &[(&str, &[(&str, &str)])], issuer: &Issuer, signer: &Signer) {
    println!("with keys that take {FAR:?} to come:");
    let answer = key_set(&[signer]);
    issuer.answer_with(move || {
        std::thread::sleep(FAR);
        answer()
    });
    let keys = format!("{}/jwks.json", issuer.url);
    let settings = variants.iter().map(|(_, settings)| {
        let keys = [("OAUTH_JWKS_URI", keys.as_str())];
        [*settings, &keys].concat()
    });
    let settings: Vec<_> = settings.collect();
    let variants = variants.iter().zip(&settings);
    let variants: Vec<_> = variants
        .map(|((what, _), settings)| (*what, settings.as_slice()))
        .collect();
    starts(&variants, issuer, signer);
    issuer.publish(&[signer]);
}

/// What the start cannot be faster than: the same two requests by a bare client.
fn answering_time(issuer: &Issuer) -> Duration {
    use std::io::{Read, Write};

    let address = issuer.url.trim_start_matches("http://");
    let times = (0..STARTS).map(|_| {
        let started = Instant::now();
        let mut connection = std::net::TcpStream::connect(address).unwrap();
        for path in ["/.well-known/openid-configuration", "/jwks.json"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
            connection.write_all(request.as_bytes()).unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
        }
        started.elapsed()
    });
    median(times.collect())
}

fn warm(settings: &[(&str, &str)], issuer: &Issuer, signer: &Signer, scopes: &str) {
    let tokens: Vec<_> = (0..INVOCATIONS + 100)
        .map(|number| token(issuer, signer, number, scopes))
        .collect();
    let (warming, measured) = tokens.split_at(100);
    let authorizer = Authorizer::start(&BINARY, settings);
    let id = authorizer.function.child.id();
    for header in warming {
        authorizer.authorize(header).response();
    }
    let figure = |name: &str, headers: &mut dyn Iterator<Item = String>| {
        let (mut count, before, started) = (0, cpu_time(id), Instant::now());
        for header in headers {
            authorizer.authorize(&header);
            count += 1;
        }
        let cpu = cpu_time(id).saturating_sub(before) / count;
        println!(
            "  {name}: {cpu:?} of CPU each, {:?} in all",
            started.elapsed()
        );
    };
    figure("distinct RS256 tokens", &mut measured.iter().cloned());
    figure(
        "no credential (close to an empty invocation)",
        &mut (0..INVOCATIONS).map(|_| String::new()),
    );
    println!("  peak memory: {}", peak_memory(id));
}

/// CPU time of all threads, user and system, from the scheduler's own account in nanoseconds.
fn cpu_time(process: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of_task = |task: &Path| {
        let account = std::fs::read_to_string(task.join("schedstat")).unwrap();
        account.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(tasks.map(|task| of_task(&task.unwrap().path())).sum())
}

fn peak_memory(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.trim_start_matches("VmHWM:").trim().to_owned()
}

fn size() {
    let zip = std::env::temp_dir().join(format!("authorizer-{}.zip", std::process::id()));
    let zipped = std::process::Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .args([zip.as_path(), Path::new(BINARY.as_str())])
        .status();
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    println!("binary: {} bytes", bytes(Path::new(BINARY.as_str())));
    if zipped.is_ok_and(|status| status.success()) {
        println!("zipped: {} bytes", bytes(&zip));
    }
    let _ = std::fs::remove_file(zip);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
