//! What a proxy-integration handler stands on.
//!
//! A handler is a function from a [`ProxyRequest`] to a response or a [`Problem`]. [`serve`], or
//! [`start`] for one that stands on more than the request, is the rest of a function's `main`, the same
//! way for every function: it reads the settings, and for each event renders a problem, adds the CORS
//! headers that match the preflight function's, and answers the Lambda Runtime API.

mod body;
mod caller;
mod cors;
mod event;
mod issuers;
mod page;
mod request;
mod response;
mod run;
mod settings;

pub use body::{Fields, MAX_BODY_BYTES};
pub use caller::Caller;
pub use cors::{AllowedOrigins, MalformedOrigin};
pub use issuers::trusted_issuers;
pub use page::{Cursor, DEFAULT_LIMIT, MAX_LIMIT, Page};
pub use request::ProxyRequest;
pub use response::{created, empty, json};
pub use run::{Cors, exit_code, run, serve, start};
pub use settings::ProxySettings;

/// The page for those who write handlers, whose example is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/handlers.md")]
struct HandlersPage;
