//! A small MCP server as a handler behind the gateway: one tool, `whoami`, which answers with the caller.
//! `docs/mcp.md` puts it there, and a test does what that page says.
//!
//! Each message is a request of its own with a JSON answer, and there are no sessions: that much of the
//! Streamable HTTP transport fits a function behind API Gateway, and it is enough for tools.

use std::convert::Infallible;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

/// The revision of the protocol that is spoken here; a client that asks for another may take it or leave.
const PROTOCOL: &str = "2025-06-18";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(answer)).await
}

async fn answer(event: LambdaEvent<Value>) -> Result<Value, Infallible> {
    let body = event.payload["body"].as_str().unwrap_or_default();
    let Ok(Value::Object(message)) = serde_json::from_str(body) else {
        let error = json!({"code": -32700, "message": "send one JSON-RPC message"});
        return Ok(response(
            400,
            &json!({"jsonrpc": "2.0", "id": null, "error": error}),
        ));
    };
    // Notifications, and answers to requests that were never made, are taken and that is all.
    let (Some(id), Some(method)) = (message.get("id"), message.get("method")) else {
        return Ok(json!({"statusCode": 202}));
    };
    let parameters = message.get("params").unwrap_or(&Value::Null);
    let caller = &event.payload["requestContext"]["authorizer"];
    let mut reply = json!({"jsonrpc": "2.0", "id": id});
    match result(method.as_str().unwrap_or_default(), parameters, caller) {
        Ok(result) => reply["result"] = result,
        Err(error) => reply["error"] = error,
    }
    Ok(response(200, &reply))
}

/// What a request of the protocol comes to, or its JSON-RPC error.
fn result(method: &str, parameters: &Value, caller: &Value) -> Result<Value, Value> {
    match method {
        "initialize" => Ok(json!({
            "protocolVersion": PROTOCOL,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "whoami", "version": env!("CARGO_PKG_VERSION")},
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({"tools": [{
            "name": "whoami",
            "description": "Says who is calling, as the gateway found.",
            "inputSchema": {"type": "object"},
        }]})),
        "tools/call" if parameters["name"] == "whoami" => Ok(json!({
            "content": [{"type": "text", "text": caller["principal"]}],
        })),
        "tools/call" => Err(json!({"code": -32602, "message": "there is no such tool"})),
        _ => Err(json!({"code": -32601, "message": "there is no such method"})),
    }
}

fn response(status: u16, body: &Value) -> Value {
    json!({
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": body.to_string(),
    })
}
