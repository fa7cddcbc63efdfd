//! Where functions' lines go: to whoever reads the program's output, and to the requests that they were
//! written for.

use std::sync::Arc;

use keygate_console::Lines;
use keygate_functions::{Outlet, Said};
use keygate_gateway::trips::Trips;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

/// What a line says of its request itself: ours, or Lambda's own form in JSON.
#[derive(Deserialize)]
struct Named {
    #[serde(alias = "requestId")]
    request_id: Option<String>,
}

/// Where the lines of all functions go. The request of a line is the one that it names itself, or else the
/// one that its process is at work on.
pub(crate) fn outlet(lines: Lines, trips: Arc<Trips>) -> Outlet {
    Outlet::to(move |said| {
        let Said { function, line, .. } = *said;
        let named = line.starts_with('{').then(|| serde_json::from_str(line));
        let named = named.and_then(|named: Result<Named, _>| named.ok()?.request_id);
        trips.note(named.as_deref(), said.request, function, line);
        show(&lines, function, line);
    })
}

fn show(lines: &Lines, function: &str, line: &str) {
    if !lines.is_json() {
        lines.say(&format!("[{function}] {line}"));
        return;
    }
    let name = json!(function);
    let is_record = line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
    let wrapped = if is_record {
        format!("{{\"function\":{name},\"record\":{line}}}")
    } else {
        json!({"function": name, "message": line}).to_string()
    };
    lines.say_json(&wrapped);
}
