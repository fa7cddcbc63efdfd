//! The gateway on this machine beside ministack, an emulator of AWS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a suite that breaks is a test that fails"
)]

mod exchange;
mod observed;
mod requests;

use std::path::{Path, PathBuf};
use std::fs;
use std::process::ExitCode;

use keygate_tests::keygate::{Build, Keygate};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use tempfile::TempDir;

use crate::requests::Request;

/// One of the two: an address for each API, and where its functions keep their events.
struct Side {
    urls: [(&'static str, String); 2],
    events: PathBuf,
}

impl Side {
    fn observe(&self, request: &Request) -> Value {
        let (_, url) = self.urls.iter().find(|(api, _)| *api == request.api).unwrap();
        let events = self.events.join(format!("{}.events", request.api));
        let _ = fs::remove_file(&events);
        let path = url.splitn(4, '/').nth(3).unwrap();
        let answer = exchange::exchange(url, &request.sent(&format!("/{path}")));
        let kept = fs::read_to_string(&events).unwrap_or_default();
        let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        observed::observed(&answer, &kept)
    }
}

fn started(build: &Build, api: &str, events: &Path) -> Keygate {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("compare/{api}.yaml"));
    let events = events.join(format!("{api}.events"));
    build.start(&[
        "--template", template.to_str().unwrap(),
        "--parameter", &format!("EventsFile={}", events.display()),
    ])
}

fn compare(there: &Side) {
    let build = Build::find();
    let events = TempDir::new().unwrap();
    let gateways = ["template", "described"].map(|api| (api, started(&build, api, events.path())));
    let here = Side {
        urls: gateways.each_ref().map(|(api, gateway)| (*api, gateway.ready.url.clone())),
        events: events.path().to_owned(),
    };
    for request in requests::requests() {
        let (one, other) = (here.observe(&request), there.observe(&request));
        for d in observed::differences(&one, &other) {
            let show = |v: Option<Value>| v.map_or_else(|| "-".to_owned(), |v| v.to_string());
            println!("{} | {} | {} | {}", request.name, d.aspect, show(d.here), show(d.there));
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let variable = |name| std::env::var(name).ok();
    let there = variable("COMPARE_URL").zip(variable("COMPARE_EVENTS"));
    let there = there.map(|(url, events)| Side {
        urls: ["template", "described"].map(|api| (api, format!("{url}/{api}/stage"))),
        events: events.into(),
    });
    let skipped = there.is_none();
    let trial = Trial::test("compare", move || {
        compare(there.as_ref().unwrap());
        Ok(())
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(skipped)]).exit_code()
}
