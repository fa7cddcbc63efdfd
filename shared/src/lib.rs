//! What two or more of Keygate's functions need, and nothing else.
//!
//! In the order in which a request meets them: the [`routes`] there are, the [`scope`]s that open
//! them, the [`api_key`] a client may show, its record in the key table ([`key_record`]), and the
//! [`problem`] that every refusal becomes. [`json`] reads what comes from outside. [`settings`], [`logging`], [`outbound`] and
//! [`dynamodb`] are what a function needs to start; [`proxy`] is what a proxy-integration handler
//! stands on.

pub mod api_key;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
pub mod json;
#[cfg(feature = "dynamodb")]
pub mod key_record;
pub mod logging;
pub mod outbound;
pub mod problem;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod routes;
pub mod scope;
pub mod settings;
