//! The check that makes a token believable: its issuer is trusted, one of that issuer's keys signed
//! it, and its claims are meant for this API and for now (RFC 7519 section 7.2, RFC 8725, RFC 9068
//! section 4).
//!
//! [`subject`] is a token whose issuer is known, [`check`] the list of what is then checked, one by
//! one, [`verifier`] what goes through it, and [`refusal`] why a token is not believed.

pub(crate) mod check;
pub(crate) mod refusal;
pub(crate) mod subject;
pub(crate) mod verifier;

#[cfg(test)]
mod tests;
