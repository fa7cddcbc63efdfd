//! Where functions' lines go: to whoever reads the program's output, and to the requests that they were
//! written for.

use std::sync::Arc;

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

/// What a line says of its request itself: ours, or Lambda's own form in JSON.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "requestId")]
    request_id: Option<String>,
}

impl FunctionLog {
    /// Takes a line of a function in which nothing is invisible; `request` is what its process is at work
    /// on, where the line does not say another.
    pub(crate) fn say(&self, function: &str, request: Option<&str>, line: &str) {
        let named = line.starts_with('{').then(|| serde_json::from_str(line));
        let named = named.and_then(|named: Result<Named, _>| named.ok()?.request_id);
        if let Some(id) = named.as_deref().or(request) {
            self.trips.note(id, function, line);
        }
        if self.lines.is_json() {
            let name = json!(function);
            let is_record =
                line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
            let wrapped = if is_record {
                format!("{{\"function\":{name},\"record\":{line}}}")
            } else {
                json!({"function": name, "message": line}).to_string()
            };
            self.lines.say_json(&wrapped);
        } else {
            self.lines.say(&format!("[{function}] {line}"));
        }
    }

    /// To nobody.
    #[cfg(test)]
    pub(crate) fn unread() -> Self {
        Self {
            lines: Lines::closed(),
            trips: Arc::new(Trips::new(crate::request_log::RequestLog::none())),
        }
    }
}
