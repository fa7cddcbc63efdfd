//! A token whose issuer is known, and which is not believed yet.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::claims::Claims;
use crate::issuer::Issuer;
use crate::key_set::source::KeySetSource;
use crate::token::UnverifiedToken;

/// What the checks of a token look at.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) token: UnverifiedToken<'a>,
    pub(crate) claims: Claims,
    /// The issuer that the token's `iss` names, with its keys.
    pub(crate) source: &'a KeySetSource,
    /// As of when it is judged, in epoch seconds.
    pub(crate) now: f64,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(
        token: UnverifiedToken<'a>,
        claims: Claims,
        source: &'a KeySetSource,
        now: SystemTime,
    ) -> Self {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self {
            token,
            claims,
            source,
            now: since.as_secs_f64(),
        }
    }

    pub(crate) fn issuer(&self) -> &'a Issuer {
        self.source.issuer()
    }

    /// A claim as it stands in the token, for a person to read.
    pub(crate) fn shown(&self, claim: &str) -> String {
        self.claims.shown(claim)
    }
}
