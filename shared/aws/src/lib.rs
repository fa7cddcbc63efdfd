//! The AWS SDK over the function's own HTTP client, its DynamoDB client, and its signature by itself.

pub mod dynamodb;
mod sdk;
mod signature;

pub use sdk::{endpoint_override, http_client, open_connection, retries, sdk_config, words};
pub use signature::{Unsigned, signature};
