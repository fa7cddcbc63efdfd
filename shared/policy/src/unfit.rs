//! Tables of which no policies can be made.

use std::fmt;

use crate::policy::MAX_BYTES;

/// A table of which the policies could not be what they must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitTable {
    /// A caller's policy could be longer than API Gateway reads.
    #[error(
        "the policy of a caller who holds every scope would be {bytes} bytes long, and API Gateway \
         reads {MAX_BYTES}: the most is due to {}. Routes of one scope below a common prefix, or \
         fewer scopes, take less",
        Listed(scopes)
    )]
    TooLarge {
        /// The length.
        bytes: usize,
        /// The scopes that take the most of it, with their bytes, the largest first.
        scopes: Vec<(String, usize)>,
    },
    /// No policy could tell requests on two routes apart for some callers.
    #[error(
        "a caller can hold what opens {open} and not what opens {closed} (line {line}), and no policy \
         tells their requests apart: a * of a policy takes slashes, and what is denied by one is \
         denied. Open both by one scope, or move one of them"
    )]
    Inseparable {
        /// The route that would be open.
        open: String,
        /// The route that must not be.
        closed: String,
        /// The closed one's line of the table.
        line: usize,
    },
}

struct Listed<'s>(&'s [(String, usize)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = self.0.iter();
        let scopes: Vec<_> = scopes
            .map(|(scope, bytes)| format!("{scope} ({bytes} bytes)"))
            .collect();
        formatter.write_str(&scopes.join(", "))
    }
}
