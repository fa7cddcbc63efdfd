//! Two resources behind the gateway: API keys, which are issued, listed, rotated and revoked, and OAuth
//! clients, which are registered, put on a plan, shut out and removed.
//!
//! The binary of this package is the Lambda function; `settings-check` reads settings by the library.

mod change_client;
mod clients;
mod deployment;
mod handler;
mod issue;
mod refusal;
#[cfg(test)]
mod rig;
mod rotate;
mod settings;
mod stage;
mod trust;
mod usage;

pub use deployment::Keys;
pub use settings::KeysSettings;
