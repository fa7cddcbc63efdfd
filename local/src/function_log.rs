//! Where functions' lines go: to whoever reads the program's output, and to the requests that they were
//! written for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::console::Lines;
use crate::trips::Trips;

/// Where the lines of all functions go.
#[derive(Debug, Clone)]
pub(crate) struct FunctionLog {
    pub(crate) lines: Lines,
    pub(crate) trips: Arc<Trips>,
}

/// The lines of one process, which works on one request at a time.
#[derive(Debug)]
pub(crate) struct ProcessLog {
    function: String,
    log: FunctionLog,
    at_work_on: Mutex<Option<String>>,
}

/// What a line says of its request itself: ours, or Lambda's own form in JSON.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "requestId")]
    request_id: Option<String>,
}

impl ProcessLog {
    /// Of a process of this function that has nothing to do yet.
    pub(crate) fn new(function: &str, log: &FunctionLog) -> Self {
        Self {
            function: function.to_owned(),
            log: log.clone(),
            at_work_on: Mutex::default(),
        }
    }

    /// From here on, lines are for this request.
    pub(crate) fn at_work_on(&self, request_id: &str) {
        *self.locked() = Some(request_id.to_owned());
    }

    /// Takes a line in which nothing is invisible.
    pub(crate) fn say(&self, line: &str) {
        let function = &self.function;
        let named = line.starts_with('{').then(|| serde_json::from_str(line));
        let named = named.and_then(|named: Result<Named, _>| named.ok()?.request_id);
        if let Some(id) = named.or_else(|| self.locked().clone()) {
            self.log.trips.note(&id, function, line);
        }
        if self.log.lines.is_json() {
            let name = json!(function);
            let is_record =
                line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
            let wrapped = if is_record {
                format!("{{\"function\":{name},\"record\":{line}}}")
            } else {
                json!({"function": name, "message": line}).to_string()
            };
            self.log.lines.say_json(&wrapped);
        } else {
            self.log.lines.say(&format!("[{function}] {line}"));
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        // No code panics while it holds the lock.
        self.at_work_on
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
