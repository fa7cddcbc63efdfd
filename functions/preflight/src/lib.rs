//! CORS preflight: `OPTIONS` on every path of the stage.
//!
//! The binary of this package is the Lambda function; `settings-check` reads settings by the library.

mod allowed_headers;
mod preflight;

pub use preflight::{Policy, answer};
