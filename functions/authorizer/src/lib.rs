//! Who is calling, and which routes they may call.
//!
//! One request goes through the modules in this order: [`event`], [`credential`], then for a JWT
//! [`token`], [`key_set`], [`signature`], [`verify`] and [`rule`], and for an API key [`key_table`]
//! and [`api_key`], then [`principal`], with [`scope_claims`] and [`context_claims`], [`revocation`],
//! [`decision`] and [`answer`]. [`authorizer`] is that order in code; [`config`] is what the settings
//! decide, and [`prepared`] all that can be wrong before the start. Whoever looks on while a credential
//! is judged ([`watch`]) is told of each check: that is what `keygate explain` shows ([`report`])
//! of what a person has [`pasted`].
//!
//! The binary of this package is the Lambda function; `keygate` and `settings-check` use the library.

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the page is for those who read the modules"
)]

mod algorithm;
mod answer;
mod api_key;
mod authorizer;
mod claim_path;
mod claims;
mod config;
mod context_claims;
mod credential;
mod decision;
mod event;
mod issuer;
mod key_set;
mod key_table;
mod lookup_budget;
mod moment;
mod pasted;
mod prepared;
mod principal;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod recent;
mod report;
mod revocation;
mod rule;
mod scope_claims;
mod signature;
mod token;
mod trusted_url;
mod verify;
mod watch;

pub use answer::{Answer, AnswerError};
pub use authorizer::Authorizer;
pub use event::EventError;
pub use prepared::{MissingKeySet, Prepared};
pub use report::{CheckShown, Report};
