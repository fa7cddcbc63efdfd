//! `Idempotency-Key`: a client's own name for a request, so that sending it again does not do it
//! twice.

use std::str::FromStr;

use keygate_problem::{BAD_REQUEST, Problem};
use keygate_proxy::ProxyRequest;

/// A key that a client sent: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A text that is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct MalformedIdempotencyKey;

impl IdempotencyKey {
    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = MalformedIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=255).contains(&text.len()) && visible {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedIdempotencyKey)
        }
    }
}

/// The header `Idempotency-Key`, if there is one.
///
/// # Errors
/// 400 when it is no key, or comes more than once.
pub fn of_request(request: &ProxyRequest) -> Result<Option<IdempotencyKey>, Problem> {
    let mut lines = request.headers().get_all("idempotency-key").iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    let key = line.to_str().unwrap_or_default().parse();
    match key {
        Ok(key) if lines.next().is_none() => Ok(Some(key)),
        _ => Err(Problem::new(
            &BAD_REQUEST,
            "The header Idempotency-Key comes once, with 1 to 255 visible ASCII characters.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_at_most_255_characters() {
        for good in [
            "a",
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
            &"x".repeat(255),
        ] {
            assert_eq!(good.parse::<IdempotencyKey>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a\n", &"x".repeat(256)] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(MalformedIdempotencyKey));
        }
    }
}
