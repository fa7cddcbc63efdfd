//! When a key ends by itself.

use jiff::Timestamp;

/// The latest that an expiry may lie ahead: ten years, in seconds.
const MAX_LIFETIME: u64 = 10 * 366 * 24 * 60 * 60;

/// A time that no key can expire at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// It is no time.
    #[error("must be a time such as \"2030-01-31T12:00:00Z\" (RFC 3339) or whole epoch seconds")]
    Form,
    /// It is over.
    #[error("must be in the future")]
    Past,
    /// It is too far away.
    #[error("must be within ten years")]
    TooLate,
}

/// The epoch seconds of an RFC 3339 time that a key may expire at, seen from `now`.
///
/// # Errors
/// What is no time, past, or more than ten years away.
pub fn of_text(text: &str, now: u64) -> Result<u64, ExpiryError> {
    let time: Timestamp = text.parse().map_err(|_| ExpiryError::Form)?;
    of_seconds(time.as_second(), now)
}

/// Epoch seconds that a key may expire at, seen from `now`.
///
/// # Errors
/// What is past, or more than ten years away.
pub fn of_seconds(seconds: i64, now: u64) -> Result<u64, ExpiryError> {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > now + MAX_LIFETIME => Err(ExpiryError::TooLate),
        Ok(seconds) if seconds > now => Ok(seconds),
        _ => Err(ExpiryError::Past),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_lies_in_the_future_and_within_ten_years() {
        let now = 1_795_521_600; // 2026-11-24T12:00:00Z
        for text in ["2026-11-24T12:00:01Z", "2026-11-24T13:00:01+01:00"] {
            assert_eq!(of_text(text, now), Ok(now + 1), "{text}");
        }
        assert_eq!(of_seconds(1_795_521_601, now), Ok(now + 1));
        for (text, error) in [
            ("2026-11-24T12:00:00Z", ExpiryError::Past),
            ("1969-01-01T00:00:00Z", ExpiryError::Past),
            ("2046-01-01T00:00:00Z", ExpiryError::TooLate),
            ("tomorrow", ExpiryError::Form),
            ("1795521601", ExpiryError::Form),
        ] {
            assert_eq!(of_text(text, now), Err(error), "{text}");
        }
        for seconds in [1_795_521_600, 0, -1, i64::MIN, i64::MAX] {
            assert!(of_seconds(seconds, now).is_err(), "{seconds}");
        }
    }
}
