//! What is compared of a request's fate: the response and the functions' events, without what is another in
//! each deployment.

use serde_json::{Map, Value, json};

use crate::exchange::Answer;

/// Headers of a response that belong to the server's connection.
const OF_THE_CONNECTION: [&str; 6] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
];
/// Headers of a response or a request whose values are made anew, or name the deployment.
const MADE_ANEW: [&str; 6] = [
    "host",
    "x-amz-apigw-id",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-forwarded-port",
];
/// Members of events of which only the type is compared.
const OF_THE_DEPLOYMENT: [&str; 11] = [
    "/requestContext/accountId",
    "/requestContext/apiId",
    "/requestContext/deploymentId",
    "/requestContext/domainName",
    "/requestContext/domainPrefix",
    "/requestContext/extendedRequestId",
    "/requestContext/identity/apiKeyId",
    "/requestContext/requestId",
    "/requestContext/requestTime",
    "/requestContext/requestTimeEpoch",
    "/requestContext/resourceId",
];
/// The longest text of a body that is shown whole.
const SHOWN: usize = 200;

/// What became of a request with headers of these names: the response, and each function's event by the function's name.
pub(crate) fn observed(sent: &[String], answer: &Answer, invocations: &[Value]) -> Value {
    let mut fate = Map::new();
    fate.insert("response".to_owned(), response(answer));
    for kept in invocations {
        let mut name = kept["function"].as_str().unwrap().to_owned();
        if fate.contains_key(&name) {
            name.push_str(" once more");
        }
        fate.insert(name, event(sent, &kept["event"]));
    }
    Value::Object(fate)
}

fn response(answer: &Answer) -> Value {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            continue;
        }
        let is_made_anew = MADE_ANEW.contains(&name.as_str());
        let value = if is_made_anew { "(made anew)" } else { value };
        let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
        values.as_array_mut().unwrap().push(json!(value));
    }
    json!({"status": answer.status, "headers": headers, "body": body(&answer.body)})
}

/// JSON where it is some, or else text.
fn body(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(bytes);
        if text.len() > SHOWN {
            json!(format!("{} bytes, {}...", text.len(), &text[..1]))
        } else {
            json!(text)
        }
    })
}

fn event(sent: &[String], kept: &Value) -> Value {
    let mut event = kept.clone();
    if let Some(arn) = event["methodArn"].as_str() {
        let (_, path) = arn.split_once('/').unwrap();
        event["methodArn"] = json!(format!("(the API)/{path}"));
    }
    for member in OF_THE_DEPLOYMENT {
        as_its_type(event.pointer_mut(member));
    }
    if let Some(headers) = event["headers"].as_object() {
        let names = headers.keys();
        let names = names.map(|name| (name.to_ascii_lowercase(), json!(spelling(sent, name))));
        let names: Map<_, _> = names.collect();
        event["spelling"] = Value::Object(names);
    }
    for of_headers in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[of_headers].as_object_mut() {
            *headers = std::mem::take(headers).into_iter().map(header).collect();
        }
    }
    event
}

/// How the name of a header in an event stands to the client's.
fn spelling<'n>(sent: &[String], name: &'n str) -> &'n str {
    let mut names = sent.iter().filter(|other| other.eq_ignore_ascii_case(name));
    match names.next() {
        Some(first) if first == name => "as it was sent",
        Some(_) if name == name.to_ascii_lowercase() => "in lower case",
        _ => name,
    }
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
