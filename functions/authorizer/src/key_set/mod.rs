//! An issuer's published keys (RFC 7517): [`discovery`] finds them, [`fetch`] gets them, [`source`]
//! keeps them, and a [`set`] chooses the [`key`] that a token's header names. Keys that cannot be used
//! or are [`weak`] are [`left_out`].

mod discovery;
mod fetch;
mod jwk;
pub(crate) mod key;
mod left_out;
mod published;
pub(crate) mod set;
pub(crate) mod source;
mod weak;
