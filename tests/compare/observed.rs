//! What is compared of a request's fate: the answer and the functions' events, without what is another in
//! each deployment, and where two of them differ.

use serde_json::{Map, Value, json};

use crate::exchange::Answer;

/// Headers of an answer that belong to the server's connection.
const OF_THE_CONNECTION: [&str; 6] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
];
/// Headers of an answer and of a request whose values are made anew, or name the deployment.
const MADE_ANEW: [&str; 6] = [
    "host",
    "x-amz-apigw-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-forwarded-port",
    "x-keygate-hint",
];
/// Members of `requestContext` of which only the type is compared.
const OF_THE_DEPLOYMENT: [&str; 9] = [
    "accountId",
    "apiId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
];

/// Where an answer or an event differs, and what it is here and there.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Names of members from the outermost on, each behind a slash.
    pub(crate) aspect: String,
    /// What it is here; `None` where there is none.
    pub(crate) here: Option<Value>,
    /// What it is there.
    pub(crate) there: Option<Value>,
}

/// What became of a request.
pub(crate) fn observed(answer: &Answer, invocations: &[Value]) -> Value {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            continue;
        }
        let value = if MADE_ANEW.contains(&name.as_str()) {
            "(made anew)"
        } else {
            value
        };
        let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(json!(value));
    }
    let invocations = invocations.iter().map(invocation).collect::<Vec<_>>();
    json!({
        "status": answer.status,
        "headers": headers,
        "body": body(&answer.body),
        "invocations": invocations,
    })
}

/// JSON where it is some, or else text, of which only the beginning where it is long.
fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(bytes);
        if text.len() > 1000 {
            json!(format!("{} bytes: {}...", text.len(), &text[..20]))
        } else {
            json!(text)
        }
    })
}

/// A function's name with its event.
fn invocation(kept: &Value) -> Value {
    let mut event = kept["event"].clone();
    if let Some(arn) = event["methodArn"].as_str() {
        let path = arn.split_once('/').map_or("", |(_, path)| path);
        event["methodArn"] = json!(format!("arn:...:API/{path}"));
    }
    for name in OF_THE_DEPLOYMENT {
        as_its_type(event.pointer_mut(&format!("/requestContext/{name}")));
    }
    as_its_type(event.pointer_mut("/requestContext/identity/apiKeyId"));
    if let Some(headers) = event["headers"].as_object_mut() {
        let names = headers.keys().map(|name| (name.to_ascii_lowercase(), json!(name)));
        let names: Map<_, _> = names.collect();
        event["spelling of headers"] = Value::Object(names);
    }
    for of_headers in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[of_headers].as_object_mut() {
            *headers = std::mem::take(headers).into_iter().map(header).collect();
        }
    }
    json!({"function": kept["function"], "event": event})
}

/// A header by its name in lower case, as how names are spelled is compared by itself.
fn header((name, mut value): (String, Value)) -> (String, Value) {
    let name = name.to_ascii_lowercase();
    if MADE_ANEW.contains(&name.as_str()) {
        as_its_type(Some(&mut value));
    }
    (name, value)
}

fn as_its_type(value: Option<&mut Value>) {
    let Some(value) = value else { return };
    let kind = match &*value {
        Value::String(_) => "(a text)".to_owned(),
        Value::Number(_) => "(a number)".to_owned(),
        Value::Array(values) => format!("({} values)", values.len()),
        _ => return,
    };
    *value = json!(kind);
}

/// Where two of them differ, as far inside as can be said.
pub(crate) fn differences(here: &Value, there: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(here), Some(there), &mut found);
    found
}

fn compare(aspect: &str, here: Option<&Value>, there: Option<&Value>, found: &mut Vec<Difference>) {
    match (here, there) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let more = other.keys().filter(|name| !one.contains_key(*name));
            for name in one.keys().chain(more) {
                let inner = format!("{aspect}/{name}");
                compare(&inner, one.get(name), other.get(name), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if aspect == "/invocations" => {
            for place in 0..one.len().max(other.len()) {
                let inner = format!("{aspect}/{place}");
                compare(&inner, one.get(place), other.get(place), found);
            }
        }
        _ if here == there => {}
        _ => found.push(Difference {
            aspect: aspect.to_owned(),
            here: here.cloned(),
            there: there.cloned(),
        }),
    }
}
