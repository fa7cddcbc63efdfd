//! The AWS services of a gateway, called as the SDK calls them.

use reqwest::Method;
use serde_json::{Value, json};

use keygate_tests::call::Reply;
use keygate_tests::keygate::Keygate;
use keygate_tests::target::Target;

/// The key table of a gateway that serves the template here.
pub(crate) const KEY_TABLE: &str = "keygate-local-KeyTable";
/// The stack that the gateway pretends to be; its usage keys carry the name, and a tag with it.
pub(crate) const STACK: &str = "keygate-local";
/// A signature of the form that the SDK's have; nobody checks it, but for the service that it names.
pub(crate) fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

/// Calls DynamoDB's own API.
pub(crate) fn dynamodb(own: &Target, gateway: &Keygate, action: &str, body: &Value) -> Value {
    let call = own.absolute(Method::POST, &gateway.ready.dynamodb);
    let call = call
        .header("x-amz-target", &format!("DynamoDB_20120810.{action}"))
        .header("authorization", &signed("dynamodb"))
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0");
    call.body(body.to_string()).send().expect(200).json()
}

/// The key of a key's item.
pub(crate) fn pk(id: &str) -> Value {
    json!({"pk": {"S": format!("key#{id}")}})
}

/// Sets an attribute of a key's item.
pub(crate) fn set(own: &Target, gateway: &Keygate, id: &str, attribute: &str, value: &Value) {
    set_of(own, gateway, &pk(id), attribute, value);
}

/// Sets an attribute of the item that has this key.
pub(crate) fn set_of(own: &Target, gateway: &Keygate, key: &Value, attribute: &str, value: &Value) {
    let update = json!({
        "TableName": KEY_TABLE, "Key": key, "UpdateExpression": "SET #it = :value",
        "ExpressionAttributeNames": {"#it": attribute},
        "ExpressionAttributeValues": {":value": value},
    });
    dynamodb(own, gateway, "UpdateItem", &update);
}

/// Puts items into the key table.
pub(crate) fn put(own: &Target, gateway: &Keygate, items: &[Value]) {
    let put = |item: &Value| json!({"PutRequest": {"Item": item}});
    // So many a call takes.
    for batch in items.chunks(25) {
        let requests: Vec<Value> = batch.iter().map(put).collect();
        let written = json!({"RequestItems": {KEY_TABLE: requests}});
        dynamodb(own, gateway, "BatchWriteItem", &written);
    }
}

/// Takes an attribute out of a key's item.
pub(crate) fn unset(own: &Target, gateway: &Keygate, id: &str, attribute: &str) {
    let update = json!({
        "TableName": KEY_TABLE, "Key": pk(id), "UpdateExpression": "REMOVE #it",
        "ExpressionAttributeNames": {"#it": attribute},
    });
    dynamodb(own, gateway, "UpdateItem", &update);
}

/// Calls API Gateway's management API.
pub(crate) fn management(
    own: &Target,
    gateway: &Keygate,
    method: Method,
    path: &str,
    body: &Value,
) -> Reply {
    let call = own.absolute(method, &format!("{}{path}", gateway.ready.api_gateway));
    let call = call.header("authorization", &signed("apigateway"));
    call.body(body.to_string()).send()
}

/// A usage key as API Gateway shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageKey {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) value: String,
    /// The stack that its tag names.
    pub(crate) stack: Option<String>,
    /// The id of its plan.
    pub(crate) plan: Option<String>,
}

/// The usage keys whose names begin so.
pub(crate) fn usage_keys(own: &Target, gateway: &Keygate, beginning: &str) -> Vec<UsageKey> {
    let get = |path: &str| {
        let reply = management(own, gateway, Method::GET, path, &Value::Null);
        reply.expect(200).json()
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut keys = Vec::new();
    let first = format!("/apikeys?includeValues=true&limit=500&name={beginning}");
    let mut next = Some(first.clone());
    while let Some(path) = next {
        let page = get(&path);
        for key in page["item"].as_array().unwrap() {
            let id = text(&key["id"]).unwrap();
            let plans = get(&format!("/usageplans?keyId={id}"));
            keys.push(UsageKey {
                id,
                name: text(&key["name"]).unwrap(),
                value: text(&key["value"]).unwrap(),
                stack: text(&key["tags"]["keygate:stack"]),
                plan: text(&plans["item"][0]["id"]),
            });
        }
        next = text(&page["position"]).map(|position| format!("{first}&position={position}"));
    }
    keys
}

/// The usage key that meters a key, or, behind `client#`, a client.
pub(crate) fn usage_key_of(own: &Target, gateway: &Keygate, id: &str) -> Option<UsageKey> {
    let id = id.replace('#', "%23");
    usage_keys(own, gateway, &format!("{STACK}.{id}")).pop()
}
