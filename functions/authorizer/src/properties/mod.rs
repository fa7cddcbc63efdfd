//! What holds whatever a stranger sends: of a credential, a token, a key set and a rule. Each is a
//! function that panics where it does not hold. The fuzz targets of tests/fuzz call them with what
//! they come upon, and the tests here with the plainest inputs of each kind.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a property that does not hold is a panic"
)]

mod credential;
mod key_set;
mod rule;
mod token;

pub use credential::credential;
pub use key_set::key_set;
pub use rule::rule;
pub use token::token;

/// From how many characters on a text that is found where it must not be is no coincidence. The
/// longest run without a space of what is printed besides is shorter.
const TELLING: usize = 24;
