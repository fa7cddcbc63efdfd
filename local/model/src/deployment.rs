//! The deployment that this machine pretends to be. Nothing of it exists: it is what pseudo
//! parameters, generated names, ARNs and the SDK's configuration say here.

macro_rules! stack_name {
    () => {
        "keygate-local"
    };
}

/// The account of everything here.
pub const ACCOUNT_ID: &str = "123456789012";
/// The region of everything here.
pub const REGION: &str = "us-east-1";
/// The audience that tokens of the development issuer are for, unless a request for one says otherwise.
pub const AUDIENCE: &str = stack_name!();
/// The name of the stack.
pub const STACK_NAME: &str = stack_name!();
/// The id of the one API.
pub const API_ID: &str = "local";
/// The id of the one deployment of the API.
pub const DEPLOYMENT_ID: &str = "local0";
/// The name of the repository's key table: [`generated_name`] of `KeyTable`.
pub const KEY_TABLE: &str = concat!(stack_name!(), "-KeyTable");

/// The name of a resource that the template gives none.
#[must_use]
pub fn generated_name(logical_id: &str) -> String {
    format!("{STACK_NAME}-{logical_id}")
}

/// The ARN of a resource of a service that has regions.
#[must_use]
pub fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
}

/// Where the queues are.
#[must_use]
pub fn queues() -> String {
    format!("https://sqs.{REGION}.amazonaws.com")
}

/// The one version of each function.
pub const LATEST: &str = "$LATEST";

/// A function's ARN.
#[must_use]
pub fn function_arn(name: &str) -> String {
    arn("lambda", &format!("function:{name}"))
}

/// The ARN of a function by one of its aliases.
#[must_use]
pub fn alias_arn(function: &str, alias: &str) -> String {
    format!("{}:{alias}", function_arn(function))
}

/// The ARN of a method on a path below a stage, as authorizers and their policies have it.
#[must_use]
pub fn method_arn(api_id: &str, stage: &str, method: &str, path: &str) -> String {
    arn("execute-api", &format!("{api_id}/{stage}/{method}{path}"))
}

/// A role's ARN: IAM has no regions.
#[must_use]
pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}")
}
