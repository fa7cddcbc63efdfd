//! The IAM policy that API Gateway evaluates, and caches for whatever route the caller asks next: so
//! it names every route of the stage that the caller's scopes open, not the one of this request
//! ("Output from an API Gateway Lambda authorizer", API Gateway guide).
//!
//! A policy's resource is a pattern, and its `*` takes slashes too: `GET/books/*`, which
//! `GET /books/{id}` needs, is also true of `GET /books/7/audit`. So beside the routes that are open
//! a policy denies what their patterns take in besides ([`interplay`]), and several resources are
//! merged into one only where the table is too large otherwise, and only where no route that is not
//! open could be meant ([`merge`]).
//!
//! Everything is computed once, at start, for each scope by itself. A caller's policy is the union of
//! what the scopes held open, so that all scopes together bound the policy of every caller: a table
//! of which that is too large for API Gateway is refused then.

mod arn;
mod draft;
mod interplay;
mod merge;
mod pattern;
mod policies;
mod policy;
mod room;
mod separable;
mod shapes;
#[cfg(test)]
mod tests;
mod unfit;

pub use arn::MethodArn;
pub use policies::Policies;
pub use policy::{MAX_BYTES, Policy, PolicyTooLarge};
pub use room::Room;
pub use unfit::UnfitTable;
