//! The built authorizer as a process.

use serde_json::{Value, json};

use crate::function::Function;
pub use crate::function::{Outcome, command};

/// The stage that every event is of.
pub const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";

/// A running authorizer, which ends with this value.
pub struct Authorizer {
    /// Its process, and how it is invoked.
    pub function: Function,
}

impl Authorizer {
    /// Starts the binary at `path` with these settings and no other, and waits until it is ready.
    pub fn start(path: &str, settings: &[(&str, &str)]) -> Self {
        Self {
            function: Function::start(path, settings),
        }
    }

    /// Sends an event and waits for what becomes of it.
    pub fn invoke(&self, event: Value) -> Outcome {
        self.function.invoke(event)
    }

    /// Authorizes `GET /books` with a header.
    pub fn authorize(&self, authorization: &str) -> Outcome {
        self.invoke(event(authorization))
    }

    /// Ends the process and gives back the reason code of each decision, in order.
    pub fn reasons(self) -> Vec<String> {
        let log = self.log();
        let lines = log.lines().map(serde_json::from_str::<Value>);
        lines
            .filter_map(|line| Some(line.ok()?["reason"].as_str()?.to_owned()))
            .collect()
    }

    /// Ends the process and gives back what it logged.
    pub fn log(self) -> String {
        self.function.log()
    }
}

/// A TOKEN event for `GET /books` with this header.
pub fn event(authorization: &str) -> Value {
    json!({
        "type": "TOKEN",
        "authorizationToken": authorization,
        "methodArn": format!("{STAGE}/GET/books"),
    })
}
