//! Which events the deployment's authorizer gets, and so what it can hold a key to.

use std::str::FromStr;

use keygate_key_record::KeyRecord;

/// The events that API Gateway sends the deployment's authorizer, as `AUTHORIZER_EVENTS` says.
/// Unset, they are the ones that tell less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuthorizerEvents {
    /// One header of a request, and not where it comes from.
    #[default]
    Token,
    /// The whole request, with its source address.
    Request,
}

/// A text that names no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write TOKEN or REQUEST")]
pub struct UnknownEvents;

/// A key is bound to networks, and the authorizer is not told where a request comes from: it would
/// refuse the key wherever it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot be enforced here: the authorizer gets TOKEN events, which do not say where a request \
     comes from"
)]
pub struct SourceNotTold;

impl FromStr for AuthorizerEvents {
    type Err = UnknownEvents;

    fn from_str(text: &str) -> Result<Self, UnknownEvents> {
        match text {
            "TOKEN" => Ok(Self::Token),
            "REQUEST" => Ok(Self::Request),
            _ => Err(UnknownEvents),
        }
    }
}

impl AuthorizerEvents {
    /// Whether the authorizer can let this key in at all.
    ///
    /// # Errors
    /// When it is bound to networks and the authorizer is not told the source address.
    pub fn check(self, record: &KeyRecord) -> Result<(), SourceNotTold> {
        self.check_networks(&record.allowed_cidrs)
    }

    pub(crate) fn check_networks<T>(self, networks: &[T]) -> Result<(), SourceNotTold> {
        if networks.is_empty() || self == Self::Request {
            return Ok(());
        }
        Err(SourceNotTold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::key_of;

    #[test]
    fn events_are_named_as_the_template_names_them() {
        assert_eq!("TOKEN".parse(), Ok(AuthorizerEvents::Token));
        assert_eq!("REQUEST".parse(), Ok(AuthorizerEvents::Request));
        for text in ["", "token", "REQUEST ", "TOKEN,REQUEST"] {
            assert_eq!(text.parse::<AuthorizerEvents>(), Err(UnknownEvents));
        }
        assert_eq!(AuthorizerEvents::default(), AuthorizerEvents::Token);
    }

    #[test]
    fn only_a_bound_key_needs_the_source_address() {
        let (mut record, _) = key_of("me", 0);
        assert_eq!(AuthorizerEvents::Token.check(&record), Ok(()));
        record.allowed_cidrs = vec!["0.0.0.0/0".to_owned()];
        assert_eq!(AuthorizerEvents::Token.check(&record), Err(SourceNotTold));
        assert_eq!(AuthorizerEvents::Request.check(&record), Ok(()));
    }
}
