//! What two or more of Keygate's functions need, and nothing else.
//!
//! In the order in which a request meets them: the [`routes`] there are, the [`scope`]s that open
//! them, the [`api_key`] a client may show, its record in the key table ([`key_record`]), the
//! [`principal`] whose it is, and the [`problem`] that every refusal becomes. [`json`] reads what
//! comes from outside, and [`issuing`] is how a key comes to be and ends. [`settings`], [`logging`],
//! [`outbound`], [`aws`], [`dynamodb`] and [`apigateway`] are what a function needs to start;
//! [`proxy`], [`sha256`] and [`idempotency_key`] are what a proxy-integration handler stands on.

pub mod api_key;
#[cfg(feature = "issuing")]
pub mod apigateway;
#[cfg(feature = "dynamodb")]
pub mod aws;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
pub mod idempotency_key;
#[cfg(feature = "issuing")]
pub mod issuing;
pub mod json;
#[cfg(feature = "dynamodb")]
pub mod key_record;
pub mod logging;
pub mod outbound;
pub mod principal;
pub mod problem;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod routes;
pub mod scope;
pub mod settings;
pub mod sha256;
