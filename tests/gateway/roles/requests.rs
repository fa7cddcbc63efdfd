//! The requests of a function's `requests.http`, in the form that editors send them from: headers behind the
//! first line, a body behind an empty one, `###` between two, and `{{variables}}`.

use std::collections::BTreeMap;
use std::fs;

use keygate_tests::target::Target;
use reqwest::Method;
use serde_json::Value;

use super::deployed::folder;

/// Values for what stands in double braces. `id` is that of the last answer that has one, and `listed` that of the
/// first of the last list.
pub(crate) type Variables = BTreeMap<&'static str, String>;

/// Sends the requests of a function, none of which may be refused.
pub(crate) fn send(target: &Target, binary: &str, variables: &mut Variables) {
    let file = folder(binary).join("requests.http");
    let Ok(text) = fs::read_to_string(&file) else {
        panic!(
            "{} is missing: requests by which the function makes every call that it can",
            file.display()
        )
    };
    for written in text.split("\n###\n") {
        let request = filled(written, variables);
        let answer = sent(target, &request);
        let body: Value = serde_json::from_str(&answer).unwrap_or_default();
        for (name, id) in [("id", &body["id"]), ("listed", &body["item"][0]["id"])] {
            if let Some(id) = id.as_str() {
                variables.insert(name, id.to_owned());
            }
        }
    }
}

fn filled(written: &str, variables: &Variables) -> String {
    let lines = written.lines().filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let filled = variables.iter().fold(text, |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    });
    assert!(!filled.contains("{{"), "a variable is not known: {filled}");
    filled.trim().to_owned()
}

/// The body of the answer.
fn sent(target: &Target, request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let call = if path.starts_with('/') {
        target.call(method, path)
    } else {
        target.absolute(method, path)
    };
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let call = headers.fold(call, |call, (name, value)| call.header(name, value));
    let reply = call.body(body.to_owned()).send();
    assert!(reply.status < 400, "{request}\n{reply:#?}");
    // As Lambda's Invoke API has it.
    assert_eq!(
        reply.header("x-amz-function-error"),
        None,
        "{request}\n{reply:#?}"
    );
    reply.body
}
