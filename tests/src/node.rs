//! Programs for Node.js that stand on packages of npm, pinned by a lock file and installed once, beside
//! the tools of `deploy/venv`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tempfile::TempDir;

use crate::build::output_with_input;
use crate::venv;

/// The oldest that the packages run on.
const OLDEST_NODE: u32 = 20;

/// Where a program finds its packages.
#[derive(Debug)]
pub struct Packages(PathBuf);

/// Why no such program can be run here, if none can.
#[must_use]
pub fn lacking() -> Option<&'static str> {
    let is_lacking = !["node", "npm"].into_iter().all(is_on_path);
    is_lacking.then_some("there is no node with npm on the path; 20 or later will do")
}

/// Why no handler in JavaScript can be run here, if none can.
#[must_use]
pub fn lacking_runtime_client() -> Option<&'static str> {
    let compiler = ["make", "c++"].into_iter().all(is_on_path);
    let is_lacking = !compiler || !cfg!(target_os = "linux");
    let compiler =
        is_lacking.then_some("AWS's client for Node.js is compiled on Linux with make and c++");
    lacking().or_else(venv::lacking).or(compiler)
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

impl Packages {
    /// Those of the programs in `tests/clients`.
    #[must_use]
    pub fn of_clients() -> &'static Self {
        static PACKAGES: OnceLock<Packages> = OnceLock::new();
        PACKAGES.get_or_init(|| {
            let manifest = include_str!("../clients/package.json");
            Self::installed(manifest, include_str!("../clients/package-lock.json"))
        })
    }

    /// The packages of a `package.json` and its lock file, installed where they are not yet.
    ///
    /// # Panics
    /// When Node.js is too old, and when npm cannot install them.
    #[must_use]
    pub fn installed(manifest: &str, lock: &str) -> Self {
        Self::installed_by(npm("--ignore-scripts"), manifest, lock)
    }

    /// AWS's runtime interface client, which npm compiles.
    ///
    /// # Panics
    /// When it cannot be compiled.
    #[must_use]
    pub fn of_runtime_client() -> &'static Self {
        static PACKAGES: OnceLock<Packages> = OnceLock::new();
        PACKAGES.get_or_init(|| {
            let manifest = include_str!("../runtime-client/package.json");
            let lock = include_str!("../runtime-client/package-lock.json");
            Self::installed_by(compiling_npm(), manifest, lock)
        })
    }

    /// Where they are: a folder `node_modules`.
    #[must_use]
    pub fn modules(&self) -> PathBuf {
        self.0.join("node_modules")
    }

    fn installed_by(npm: Command, manifest: &str, lock: &str) -> Self {
        assert_node_is_recent();
        let hash = digest(&SHA256, format!("{manifest}\n{lock}").as_bytes());
        let hash = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9]);
        let tools = tools();
        let home = tools.join(format!("npm-{hash}"));
        if !home.exists() {
            fs::create_dir_all(&tools).unwrap();
            let unfinished = TempDir::new_in(&tools).unwrap();
            install(npm, unfinished.path(), manifest, lock);
            // Another suite may have been faster; what it has installed is the same.
            if fs::rename(unfinished.path(), &home).is_err() {
                assert!(home.exists(), "{} cannot be made", home.display());
            }
        }
        Self(home)
    }

    /// Runs a program, given as its text, to its end.
    #[must_use]
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut node = Command::new("node");
        // Read from standard input it finds its packages below the working directory.
        node.args(["--input-type=module", "-"])
            .args(arguments)
            .current_dir(&self.0);
        output_with_input(&mut node, program)
    }

    /// Starts a program, given as its text, that reads lines and answers each by one; it ends with
    /// its standard input.
    ///
    /// # Panics
    /// When node cannot be run.
    #[must_use]
    pub fn start(&self, program: &str, arguments: &[&str]) -> Conversation {
        let mut node = Command::new("node");
        // The dash stands where a program from standard input has its name, so that arguments begin
        // at the same place.
        let mut child = node
            .args(["--input-type=module", "--eval", program, "--", "-"])
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node can be run");
        let answers = BufReader::new(child.stdout.take().unwrap());
        Conversation { child, answers }
    }

    /// The JSON that a program prints.
    ///
    /// # Panics
    /// When the program fails, with what it said.
    #[must_use]
    #[track_caller]
    pub fn json(&self, program: &str, arguments: &[&str]) -> Value {
        let output = self.run(program, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).expect("the program prints JSON")
    }
}

/// A program that answers lines, and ends with this value.
#[derive(Debug)]
pub struct Conversation {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Conversation {
    /// Says a line.
    ///
    /// # Panics
    /// When the program has ended.
    pub fn say(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").expect("the program reads on");
    }

    /// The next line that the program says, without its end.
    ///
    /// # Panics
    /// When the program has ended.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the program has ended: {line:?}");
        line.trim_end().to_owned()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn assert_node_is_recent() {
    let output = Command::new("node").arg("--version").output();
    let version = String::from_utf8(output.expect("node can be run").stdout).unwrap();
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major = major.and_then(|major| major.parse::<u32>().ok());
    assert!(
        major.is_some_and(|major| major >= OLDEST_NODE),
        "the node on the path is {version:?}, and its packages need {OLDEST_NODE} or later"
    );
}

/// As `deploy/venv` has it.
fn tools() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let below = |name: &str, path: &str| variable(name).map(|home| Path::new(&home).join(path));
    variable("KEYGATE_VENVS")
        .map(PathBuf::from)
        .or_else(|| below("XDG_CACHE_HOME", "keygate"))
        .or_else(|| below("HOME", ".cache/keygate"))
        .unwrap_or_else(|| std::env::temp_dir().join("keygate"))
}

/// npm, which installs what a lock file names and nothing else.
fn npm(scripts: &str) -> Command {
    let mut npm = Command::new("npm");
    npm.args(["ci", scripts, "--no-audit", "--no-fund"]);
    npm
}

/// npm with what it takes to compile: cmake, and the headers beside node, where they are, so that none are
/// downloaded.
fn compiling_npm() -> Command {
    let mut npm = npm("--foreground-scripts");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // The path may have a script that stands for it.
    let said = Command::new("node")
        .args(["-p", "process.execPath"])
        .output();
    let said = String::from_utf8(said.expect("node can be run").stdout).unwrap();
    let node = Path::new(said.trim_end()).canonicalize().ok();
    let home = node.as_deref().and_then(|node| node.parent()?.parent());
    if let Some(home) = home.filter(|home| home.join("include/node/node_api.h").exists()) {
        npm.env("npm_config_nodedir", home);
    }
    folders.push(venv::programs("cmake"));
    npm.env("PATH", std::env::join_paths(folders).unwrap());
    npm
}

fn install(mut npm: Command, folder: &Path, manifest: &str, lock: &str) {
    fs::write(folder.join("package.json"), manifest).unwrap();
    fs::write(folder.join("package-lock.json"), lock).unwrap();
    npm.current_dir(folder).stdin(Stdio::null());
    let output = npm.output().expect("npm can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "npm cannot install the packages that the lock file names; it needs its registry, once:\n{said}"
    );
}
