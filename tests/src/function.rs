//! A built function as a process, fed through a Lambda Runtime API.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::loopback::{self, Response};

/// The route table where a suite gives no other.
pub const ROUTES: &str = "
GET    /books      books:read
POST   /books      books:write
GET    /books/{id} books:read
PUT    /books/{id} books:write
DELETE /books/{id} books:write
GET    /help       -
";

/// The time of an invocation that need not hurry.
const FOREVER: Duration = Duration::from_hours(24);
/// The longest that a function may take to start, or to answer; a bound, not a measure.
const PATIENCE: Duration = Duration::from_secs(15);

/// How an invocation ended, as the Runtime API was told.
#[derive(Debug)]
pub enum Outcome {
    /// The function's answer.
    Response(Value),
    /// The body of its error.
    Error(Value),
}

impl Outcome {
    /// The answer, which must be there.
    pub fn response(self) -> Value {
        match self {
            Self::Response(response) => response,
            Self::Error(error) => panic!("an error: {error}"),
        }
    }

    /// The error's text, which must be there.
    pub fn error_message(self) -> String {
        match self {
            Self::Error(error) => error["errorMessage"].as_str().unwrap().to_owned(),
            Self::Response(response) => panic!("a response: {response}"),
        }
    }
}

/// A running function, which ends with this value.
pub struct Function {
    /// Its process.
    pub child: Child,
    /// From the start of the process to its first request for an event.
    pub until_ready: Duration,
    events: Sender<Value>,
    outcomes: Receiver<Outcome>,
    log: Option<JoinHandle<String>>,
}

impl Function {
    /// Starts the binary at `path` with these settings and no other, and waits until it is ready.
    pub fn start(path: impl AsRef<Path>, settings: &[(&str, &str)]) -> Self {
        Self::within(path, settings, FOREVER)
    }

    /// The same, where each invocation is told that it has so much time.
    pub fn within(path: impl AsRef<Path>, settings: &[(&str, &str)], time: Duration) -> Self {
        let (events, queue) = channel::<Value>();
        let (ready_sender, ready) = channel();
        let (outcome_sender, outcomes) = channel();
        let (queue, requests) = (Mutex::new(queue), Mutex::new(0));
        let runtime_api = loopback::serve(move |request| {
            if request.method == "GET" {
                let _ = ready_sender.send(Instant::now());
                let event = queue.lock().unwrap().recv().unwrap_or_default();
                let mut number = requests.lock().unwrap();
                *number += 1;
                return Response::new(200, event.to_string())
                    .with("lambda-runtime-aws-request-id", format!("request-{number}"))
                    .with("lambda-runtime-deadline-ms", deadline(time).to_string())
                    .with("lambda-runtime-invoked-function-arn", "arn:aws:lambda:x");
            }
            let body = serde_json::from_slice(&request.body).unwrap();
            let outcome = match request.path.rsplit('/').next() {
                Some("response") => Outcome::Response(body),
                _ => Outcome::Error(body),
            };
            let _ = outcome_sender.send(outcome);
            Response::new(202, "{}")
        });
        let started = Instant::now();
        let mut child = command(path, settings)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .spawn()
            .unwrap();
        let log = child.stdout.take().map(collected);
        let ready = ready.recv_timeout(PATIENCE).unwrap();
        Self {
            child,
            until_ready: ready - started,
            events,
            outcomes,
            log,
        }
    }

    /// Sends an event and waits for what becomes of it.
    pub fn invoke(&self, event: Value) -> Outcome {
        self.events.send(event).unwrap();
        self.outcomes.recv_timeout(PATIENCE).unwrap()
    }

    /// Ends the process and gives back what it logged.
    pub fn log(mut self) -> String {
        self.child.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// When so much time is over, in milliseconds since the epoch.
fn deadline(time: Duration) -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now + time).as_millis()
}

/// Reads the log as it is written: a pipe that nobody reads would stop the process.
fn collected(mut output: ChildStdout) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut log = String::new();
        output.read_to_string(&mut log).unwrap();
        log
    })
}

/// The binary with these settings and no other.
pub fn command(path: impl AsRef<Path>, settings: &[(&str, &str)]) -> Command {
    let path = path.as_ref();
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", path.file_name().unwrap())
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("ROUTES", ROUTES)
        .envs(settings.iter().copied())
        .stdout(Stdio::piped());
    command
}
