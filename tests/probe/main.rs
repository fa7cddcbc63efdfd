//! The handler behind the suites' own routes: it keeps nothing, and answers with the event that it was
//! given, so that a test sees what reaches a handler. It is built as somebody's own handler is, on
//! the Lambda runtime alone.

use std::convert::Infallible;
use std::time::Duration;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::run(service_fn(answer)).await
}

/// 200 with the event; `?status=` asks for another status, `?sleep=` for milliseconds to wait before,
/// and `?size=` for a body of as many bytes. `?exit=` ends the process with a code instead.
async fn answer(event: LambdaEvent<Value>) -> Result<Value, Infallible> {
    let asked = |name: &str| {
        let value = event.payload["queryStringParameters"][name].as_str()?;
        value.parse::<u64>().ok()
    };
    if let Some(milliseconds) = asked("sleep") {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    if let Some(code) = asked("exit") {
        std::process::exit(i32::try_from(code).unwrap_or(1));
    }
    let body = match asked("size") {
        Some(size) => "x".repeat(usize::try_from(size).unwrap_or(usize::MAX)),
        None => event.payload.to_string(),
    };
    Ok(json!({
        "statusCode": asked("status").unwrap_or(200),
        "headers": {"Content-Type": "application/json"},
        "body": body,
    }))
}
