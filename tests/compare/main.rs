//! The gateway on this machine beside ministack, an emulator of AWS: the same requests to the same APIs, and
//! what clients and functions see of them. `deploy/compare` deploys the APIs there and says where they are:
//!
//! - `COMPARE_URL`: the address behind which the name of an API and its stage follow;
//! - `COMPARE_EVENTS`: the folder where its functions keep their events.
//!
//! Without them there is nothing to compare with, and the test is skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite that breaks is a test that fails"
)]

mod difference;
mod exchange;
mod listed;
mod observed;
mod requests;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::slice;

use keygate_tests::build::Build;
use keygate_tests::keygate::Keygate;
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use tempfile::TempDir;

use crate::difference::Difference;
use crate::requests::Request;

/// The templates, whose names are those of the APIs, too.
const APIS: [&str; 2] = ["template", "described"];

/// One of the two: an address for each API, and where its functions keep their events.
struct Side {
    urls: [(&'static str, String); 2],
    events: PathBuf,
}

impl Side {
    /// The APIs that `deploy/compare` has deployed.
    fn deployed() -> Option<Self> {
        let url = std::env::var("COMPARE_URL").ok()?;
        let events = std::env::var_os("COMPARE_EVENTS").expect("COMPARE_URL needs COMPARE_EVENTS");
        Some(Self {
            urls: APIS.map(|api| (api, format!("{url}/{api}/stage"))),
            events: events.into(),
        })
    }

    /// The APIs of gateways that were started here.
    fn started(gateways: &[(&'static str, Keygate); 2], events: &Path) -> Self {
        let url = |(api, gateway): &(&'static str, Keygate)| (*api, gateway.ready.url.clone());
        Self {
            urls: gateways.each_ref().map(url),
            events: events.to_owned(),
        }
    }

    fn fate(&self, request: &Request) -> Value {
        let mut urls = self.urls.iter();
        let (_, url) = urls.find(|(api, _)| *api == request.api).unwrap();
        let events = self.events.join(format!("{}.events", request.api));
        // What the request before has left.
        let _ = fs::remove_file(&events);
        let path = url.splitn(4, '/').nth(3).unwrap();
        let answer = exchange::exchange(url, &request.sent(&format!("/{path}")));
        let kept = fs::read_to_string(&events).unwrap_or_default();
        let kept = kept.lines().map(|line| serde_json::from_str(line).unwrap());
        observed::observed(&request.header_names(), &answer, &kept.collect::<Vec<_>>())
    }
}

fn gateway(build: &Build, api: &str, events: &Path) -> Keygate {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("compare/{api}.yaml"));
    let events = events.join(format!("{api}.events"));
    build.start(&[
        "--template",
        template.to_str().unwrap(),
        "--parameter",
        &format!("EventsFile={}", events.display()),
    ])
}

fn they_differ_where_the_list_says_and_nowhere_else(there: &Side) {
    let build = Build::find();
    let events = TempDir::new().unwrap();
    let gateways = APIS.map(|api| (api, gateway(&build, api, events.path())));
    let here = Side::started(&gateways, events.path());
    let requests = requests::requests();
    let found: Vec<_> = requests
        .iter()
        .flat_map(|request| {
            difference::differences(request.name, &here.fate(request), &there.fate(request))
        })
        .collect();
    println!("{} requests, {} differences", requests.len(), found.len());
    let wrong = listed::held_against(&found);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn the_page_has_a_row_for_each_section_of_the_list() {
    assert_eq!(listed::rows(), listed::headings());
}

fn a_difference_off_the_list_is_wrong_and_so_is_a_line_without_one() {
    let difference = |aspect: &str, there: &str| Difference {
        request: "the root".to_owned(),
        aspect: aspect.to_owned(),
        here: "-".to_owned(),
        there: there.to_owned(),
    };
    let listed = difference("/answer/version", "\"1.0\"");
    let all_gone = listed::held_against(&[]);
    assert!(all_gone.iter().all(|one| one.contains("is true no more")));
    let but_one = listed::held_against(slice::from_ref(&listed));
    assert_eq!(but_one.len(), all_gone.len() - 1);
    // Another value, another place, and a place further inside.
    for unlisted in [
        difference("/answer/version", "\"2.0\""),
        difference("/response/version", "\"1.0\""),
        difference("/answer/version/major", "\"1.0\""),
    ] {
        let expected = format!("not listed: {unlisted}");
        let wrong = listed::held_against(&[listed.clone(), unlisted]);
        assert_eq!(wrong.first(), Some(&expected));
    }
}

fn the_requests_are_at_least_sixty_each_with_a_name_of_its_own() {
    let requests = requests::requests();
    let names: BTreeSet<_> = requests.iter().map(|request| request.name).collect();
    assert_eq!(names.len(), requests.len());
    assert!(names.len() >= 60, "{}", names.len());
}

/// The test of a function that is named like it.
macro_rules! trial {
    ($test:ident) => {
        Trial::test(stringify!($test), || {
            $test();
            Ok(())
        })
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let there = Side::deployed();
    let is_alone = there.is_none();
    if is_alone {
        println!(
            "skipped they_differ_where_the_list_says_and_nowhere_else: deploy/compare runs it"
        );
    }
    let compared = Trial::test("they_differ_where_the_list_says_and_nowhere_else", || {
        they_differ_where_the_list_says_and_nowhere_else(&there.unwrap());
        Ok(())
    });
    let trials = vec![
        compared.with_ignored_flag(is_alone),
        trial!(the_page_has_a_row_for_each_section_of_the_list),
        trial!(a_difference_off_the_list_is_wrong_and_so_is_a_line_without_one),
        trial!(the_requests_are_at_least_sixty_each_with_a_name_of_its_own),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
