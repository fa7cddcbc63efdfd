//! A deployment's own rule: a CEL expression over a token's `header` and `claims` that must be true
//! (`OAUTH_RULE`, and `rule` in `OAUTH_ISSUERS`).
//!
//! It is compiled at start, where [`compile`] refuses what cannot be right, and evaluated after all
//! other checks. Anything but `true` refuses the token: `false`, another value, and an error such as
//! a claim that is not there. What nests so that a token could make it go on for minutes is refused
//! at start too ([`turns`]).
//!
//! The language is <https://cel.dev> with its standard macros and functions, without timestamps and
//! durations (`exp` and its like are numbers). `matches` takes a literal pattern.

pub(crate) mod compile;
pub(crate) mod compiled;
mod turns;

#[cfg(test)]
mod tests;
