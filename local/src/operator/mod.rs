//! An operator's commands on the key table and its usage keys, of a deployment or of the gateway on this
//! machine: [`keys`] and [`clients`].

pub(crate) mod clients;
mod error;
pub(crate) mod keys;
mod output;
mod place;

pub(crate) use self::error::OperatorError;
