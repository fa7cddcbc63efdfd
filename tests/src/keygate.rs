//! Gateways that the suite starts: keygate, built from this repository, on free ports.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer};
use tempfile::{NamedTempFile, TempDir, TempPath};

use crate::probe;
use crate::terminal;

/// The flags of the ports that a gateway listens on.
pub const PORTS: [&str; 6] = [
    "--port",
    "--issuer-port",
    "--dynamodb-port",
    "--api-gateway-port",
    "--lambda-port",
    PAGE_PORT,
];
const PAGE_PORT: &str = "--page-port";
/// The name of the file that a gateway writes when it is ready.
const READY_FILE: &str = "ready.json";
/// The longest that a gateway may take to start, or to stop; a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(30);

/// The repository's executables.
#[derive(Debug)]
pub struct Build {
    /// Where they lie.
    pub directory: PathBuf,
    /// The template that they serve: the repository's, with the suites' own routes in it.
    pub template: TempPath,
}

/// One line of cargo's messages.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

impl Build {
    /// The executables in the directory that `GATEWAY_BIN` names, or else those that cargo builds.
    pub fn find() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let given = std::env::var_os("GATEWAY_BIN").filter(|path| !path.is_empty());
        let template = fs::read_to_string(root.join("template.yaml")).unwrap();
        let served = NamedTempFile::new().unwrap();
        // It lies elsewhere than the templates that it nests.
        let beside = format!("TemplateURL: {}/", root.display());
        let template = template.replace("TemplateURL: ", &beside);
        fs::write(&served, probe::added_to(&template)).unwrap();
        Self {
            directory: given.map_or_else(|| Self::with_cargo(root), PathBuf::from),
            template: served.into_temp_path(),
        }
    }

    /// Builds in the profile that this suite was built in.
    fn with_cargo(root: &Path) -> PathBuf {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(root)
            .args([
                "build",
                "--workspace",
                "--bins",
                "--message-format=json-render-diagnostics",
            ])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let output = cargo.output().expect("cargo can be run");
        assert!(output.status.success(), "the gateway does not build");
        let directory = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Message>(line).ok())
            .find_map(|message| message.executable?.parent().map(Path::to_owned));
        directory.expect("cargo says where it puts executables")
    }

    /// `keygate` with these arguments and the functions of this build, unless they name others.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.building_command(arguments);
        if !arguments.contains(&"--functions") {
            command.arg("--functions").arg(&self.directory);
        }
        command
    }

    /// `keygate` with these arguments, on free ports unless they say otherwise.
    fn building_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.directory.join("keygate"));
        command.args(arguments);
        for port in PORTS {
            let is_needless = port == PAGE_PORT && arguments.contains(&"--no-page");
            if !arguments.contains(&port) && !is_needless {
                command.args([port, "0"]);
            }
        }
        if !arguments.contains(&"--template") {
            command.arg("--template").arg(&self.template);
        }
        command
    }

    /// Runs `keygate` to its end with these arguments and variables.
    #[must_use]
    #[track_caller]
    pub fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(self.directory.join("keygate"));
        command.args(arguments).envs(variables.iter().copied());
        command.output().expect("keygate can be run")
    }

    /// Runs `keygate keys` to its end, on a gateway's keys.
    #[must_use]
    #[track_caller]
    pub fn keys(&self, gateway: &Keygate, arguments: &[&str]) -> Output {
        self.operate(gateway, "keys", arguments)
    }

    /// Runs `keygate clients` to its end, on a gateway's clients.
    #[must_use]
    #[track_caller]
    pub fn clients(&self, gateway: &Keygate, arguments: &[&str]) -> Output {
        self.operate(gateway, "clients", arguments)
    }

    #[track_caller]
    fn operate(&self, gateway: &Keygate, noun: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.directory.join("keygate"));
        command.arg(noun).args(arguments);
        for (flag, address) in [
            ("--dynamodb-port", &gateway.ready.dynamodb),
            ("--api-gateway-port", &gateway.ready.api_gateway),
        ] {
            let port = address.rsplit(':').next().unwrap_or_default();
            command.args([flag, port]);
        }
        command.output().expect("keygate can be run")
    }

    /// Runs `keygate explain` to its end, with this on its standard input.
    #[must_use]
    #[track_caller]
    pub fn explain(&self, gateway: &Keygate, arguments: &[&str], credential: &str) -> Output {
        let mut command = Command::new(self.directory.join("keygate"));
        command
            .arg("explain")
            .args(arguments)
            .arg("--template")
            .arg(&self.template);
        for (flag, address) in [
            ("--issuer-port", &gateway.ready.issuer),
            ("--dynamodb-port", &gateway.ready.dynamodb),
        ] {
            if !arguments.contains(&flag) {
                command.args([flag, address.rsplit(':').next().unwrap_or_default()]);
            }
        }
        output_with_input(&mut command, credential)
    }

    /// Runs `keygate routes` to its end, on a template.
    #[must_use]
    #[track_caller]
    pub fn routes(&self, template: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.directory.join("keygate"));
        command.args(["routes", "--template", template]);
        command
            .args(arguments)
            .output()
            .expect("keygate can be run")
    }

    /// Runs `keygate` to its end with a standard output whose other end is closed, as that of
    /// `keygate ... | head` is once `head` has read enough, and with this on its standard input.
    #[must_use]
    #[track_caller]
    pub fn into_closed_output(&self, arguments: &[&str], input: &str) -> Output {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(self.directory.join("keygate"));
        command.args(arguments).stdout(writer);
        ended_with_input(&mut command, input)
    }

    /// The text of the template with passages replaced.
    #[must_use]
    #[track_caller]
    pub fn changed_template(&self, changes: &[(&str, &str)]) -> String {
        let template = fs::read_to_string(&self.template).unwrap();
        changes
            .iter()
            .fold(template, |text, (passage, replacement)| {
                assert!(text.contains(passage), "no {passage:?} in the template");
                text.replacen(passage, replacement, 1)
            })
    }

    /// The template with one passage replaced, in a file that lives as long as the value.
    #[must_use]
    #[track_caller]
    pub fn template_with(&self, passage: &str, replacement: &str) -> NamedTempFile {
        let changed = NamedTempFile::new().unwrap();
        let text = self.changed_template(&[(passage, replacement)]);
        fs::write(&changed, text).unwrap();
        changed
    }

    /// Starts a gateway and waits until it is ready.
    #[must_use]
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Keygate {
        match self.try_start(arguments) {
            Ok(gateway) => gateway,
            Err((status, said)) => panic!("keygate ended with {status}:\n{said}"),
        }
    }

    /// Starts a gateway and waits until it is ready, or else until it has ended: then the status
    /// and what it said on standard error.
    #[track_caller]
    pub fn try_start(&self, arguments: &[&str]) -> Result<Keygate, (ExitStatus, String)> {
        Self::run_into_files(self.command(arguments))
    }

    /// As [`Build::try_start`], for a gateway that builds the functions of its template.
    #[track_caller]
    pub fn try_start_building(&self, arguments: &[&str]) -> Result<Keygate, (ExitStatus, String)> {
        Self::run_into_files(self.building_command(arguments))
    }

    #[track_caller]
    fn run_into_files(command: Command) -> Result<Keygate, (ExitStatus, String)> {
        let directory = TempDir::new().unwrap();
        let file = |name: &str| File::create(directory.path().join(name)).unwrap().into();
        let outputs = [file("stdout"), file("stderr")];
        Self::start_with(command, directory, outputs)
    }

    /// Starts a gateway whose standard output and standard error are pipes that nobody reads, and
    /// waits until it is ready.
    #[must_use]
    #[track_caller]
    pub fn start_unread(&self, arguments: &[&str]) -> Keygate {
        let outputs = [Stdio::piped(), Stdio::piped()];
        match Self::start_with(self.command(arguments), TempDir::new().unwrap(), outputs) {
            Ok(gateway) => gateway,
            Err((status, _)) => panic!("keygate ended with {status}"),
        }
    }

    /// Starts a gateway on a terminal, and waits until it is ready. What it shows there is its
    /// [`Keygate::stdout`].
    #[must_use]
    #[track_caller]
    pub fn start_on_terminal(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Keygate {
        let directory = TempDir::new().unwrap();
        let shown = File::create(directory.path().join("stdout")).unwrap();
        let mut command = self.command(arguments);
        command
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied());
        match Self::start_with(command, directory, terminal::outputs(shown)) {
            Ok(gateway) => gateway,
            Err((status, _)) => panic!("keygate ended with {status}"),
        }
    }

    #[track_caller]
    fn start_with(
        mut command: Command,
        directory: TempDir,
        [stdout, stderr]: [Stdio; 2],
    ) -> Result<Keygate, (ExitStatus, String)> {
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
            Some(Ok(text)) => Ok(Keygate {
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
}

/// Runs a program to its end, with this on its standard input.
#[track_caller]
pub fn output_with_input(command: &mut Command, input: &str) -> Output {
    ended_with_input(command.stdout(Stdio::piped()), input)
}

#[track_caller]
fn ended_with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let mut stdin = child.stdin.take().unwrap();
    match stdin.write_all(input.as_bytes()) {
        // It need not read what it is given, as when an argument is wrong.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.unwrap(),
    }
    drop(stdin);
    child.wait_with_output().unwrap()
}

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
