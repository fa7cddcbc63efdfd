//! The other verifiers, as programs of tests/clients.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use keygate_tests::issuer::AUDIENCE;
use keygate_tests::node::{self, Packages};
use keygate_tests::venv;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::super::house::{ALGORITHMS, House};

/// The leeway when nothing is configured, in seconds.
const LEEWAY: u64 = 30;

pub(super) enum Other {
    /// `jose` of npm.
    Jose(&'static Packages),
    /// `joserfc`, by the Python that has it.
    Joserfc(PathBuf),
}

/// Both, installed where they are not yet; or what they lack on this machine.
pub(super) fn all() -> Result<[Other; 2], String> {
    if let Some(reason) = node::lacking() {
        return Err(reason.to_owned());
    }
    if let Some(reason) = venv::lacking() {
        return Err(reason.to_owned());
    }
    Ok([
        Other::Jose(Packages::of_clients()),
        Other::Joserfc(venv::programs("joserfc").join("python")),
    ])
}

impl Other {
    /// Why it refuses each of the tokens; `None` for one that it accepts.
    pub(super) fn refusals(self, house: &House, tokens: &[&str]) -> Vec<Option<String>> {
        let keys: Vec<Value> = house.signers().iter().map(|key| key.jwk()).collect();
        let algorithms: Vec<&str> = ALGORITHMS.split(',').collect();
        let asked = json!({
            "issuer": house.issuer.url, "audience": AUDIENCE, "algorithms": algorithms, "leeway": LEEWAY,
            "keys": keys, "tokens": tokens,
        });
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(asked.to_string().as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let answer = match self {
            Self::Jose(packages) => {
                packages.json(include_str!("../../../clients/verify.mjs"), &[path])
            }
            Self::Joserfc(python) => {
                let program = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/verify.py");
                let output = Command::new(python).args([program, path]).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
                serde_json::from_slice(&output.stdout).unwrap()
            }
        };
        let refusals: Vec<Option<String>> = serde_json::from_value(answer).unwrap();
        assert_eq!(refusals.len(), tokens.len());
        refusals
    }
}
