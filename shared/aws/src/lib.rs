//! The AWS SDK over the function's own HTTP client, and its DynamoDB client.

pub mod dynamodb;
mod sdk;

pub use sdk::{endpoint_override, http_client, open_connection, retries, sdk_config, words};
