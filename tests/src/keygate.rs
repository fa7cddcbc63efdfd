//! A gateway that the suite has started: keygate, built from this repository, on free ports.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};
use tempfile::TempDir;

/// The name of the file that a gateway writes when it is ready.
const READY_FILE: &str = "ready.json";
/// The longest that a gateway may take to start, or to stop; a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// What keygate writes when it is ready.
#[derive(Debug, Deserialize)]
pub struct Ready {
    /// The stage's address.
    pub url: String,
    /// The development issuer's.
    pub issuer: String,
    /// `DynamoDB`'s.
    pub dynamodb: String,
    /// The address of API Gateway's management API.
    pub api_gateway: String,
    /// The address of Lambda's Invoke API.
    pub lambda: String,
    /// The link to the page; empty where there is none.
    #[serde(deserialize_with = "or_empty")]
    pub page: String,
    /// The seeded API key; empty where the template has no table for it.
    #[serde(deserialize_with = "or_empty")]
    pub api_key: String,
}

fn or_empty<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Option::deserialize(text).map(Option::unwrap_or_default)
}

/// A running gateway, which ends with this value.
#[derive(Debug)]
pub struct Keygate {
    /// Where it is.
    pub ready: Ready,
    child: Option<Child>,
    directory: TempDir,
}

impl Keygate {
    /// Starts a gateway by this command, with these outputs, and waits until it is ready, or else until it has
    /// ended: then the status and what it said into the file `stderr` of the directory.
    #[track_caller]
    pub(crate) fn start(
        mut command: Command,
        directory: TempDir,
        [stdout, stderr]: [Stdio; 2],
    ) -> Result<Self, (ExitStatus, String)> {
        let ready_file = directory.path().join(READY_FILE);
        let mut child = command
            .arg("--until-stdin-closes")
            .arg("--ready-file")
            .arg(&ready_file)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("keygate can be run");
        let ready = wait_for(|| {
            let text = fs::read_to_string(&ready_file).ok();
            let ended = child.try_wait().unwrap();
            text.map(Ok).or_else(|| ended.map(Err))
        });
        let said = || fs::read_to_string(directory.path().join("stderr")).unwrap_or_default();
        match ready {
            Some(Ok(text)) => Ok(Self {
                ready: serde_json::from_str(&text).expect("the ready file is JSON"),
                child: Some(child),
                directory,
            }),
            Some(Err(status)) => Err((status, said())),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("keygate is not ready after {PATIENCE:?}:\n{}", said())
            }
        }
    }

    /// The most memory that it has had so far, in KiB; 0 where the system does not tell.
    #[must_use]
    pub fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let most = most.and_then(|most| most.trim().strip_suffix(" kB")?.parse().ok());
        most.unwrap_or_default()
    }

    /// Its process; 0 once it was told to stop.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map(Child::id).unwrap_or_default()
    }

    /// The file that it has written when it was ready.
    #[must_use]
    pub fn ready_file(&self) -> PathBuf {
        self.directory.path().join(READY_FILE)
    }

    /// What it has printed so far: the addresses, then the access log.
    #[must_use]
    pub fn stdout(&self) -> String {
        fs::read_to_string(self.directory.path().join("stdout")).unwrap_or_default()
    }

    /// What it and its functions have logged so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default()
    }

    /// What it and its functions have logged, once these words are there: a line may come behind the answer
    /// that it is about.
    ///
    /// # Panics
    /// When they do not come.
    #[must_use]
    #[track_caller]
    pub fn logged(&self, words: &str) -> String {
        let logged = wait_for(|| Some(self.stderr()).filter(|log| log.contains(words)));
        logged.unwrap_or_else(|| panic!("{words} is not logged: {}", self.stderr()))
    }

    /// Asks it to stop by closing its standard input, and waits.
    #[must_use]
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        let status = self.child.take().and_then(end);
        status.expect("keygate stops when its standard input closes")
    }

    /// Waits for a gateway that was told to stop by a signal.
    #[track_caller]
    #[must_use]
    pub fn ended(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        let status = wait_for(|| child.try_wait().unwrap());
        if status.is_none() {
            end(child);
        }
        status.expect("keygate stops when it is told to")
    }
}

impl Drop for Keygate {
    fn drop(&mut self) {
        self.child.take().and_then(end);
    }
}

/// Closes the child's standard input and waits; a child that stays is killed and `None`.
fn end(mut child: Child) -> Option<ExitStatus> {
    drop(child.stdin.take());
    let status = wait_for(|| child.try_wait().ok().flatten());
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    status
}

/// Polls until there is an answer, at most [`PATIENCE`] long.
pub fn wait_for<T>(mut poll: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match poll() {
            None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            answer => return answer,
        }
    }
}

/// A port of loopback where nothing listens. It is none of those that the system gives to whoever lets it
/// choose, as other tests do at the same time, and none that another test has been given here.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let start = std::process::id().wrapping_mul(97) % u32::from(COUNT);
    let start = u16::try_from(start).unwrap();
    let mut ports = (0..COUNT).map(|_| {
        let number = GIVEN.fetch_add(1, Ordering::Relaxed) % COUNT;
        FIRST + (start + number) % COUNT
    });
    let port = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    port.expect("there is a free port")
}
