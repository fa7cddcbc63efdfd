//! Times for people: the date and the time of day, and how far away that is.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `2033-05-18T03:33:20Z, in 3 days`, of a time since 1970 and the present one. `None` for a year of
/// more than four digits.
pub(crate) fn shown(at: Duration, now: Duration) -> Option<String> {
    let date = DateTime::from_secs(at.as_secs().try_into().ok()?);
    let date = date.fmt(DateTimeFormat::DateTime).ok()?;
    let distance = distance(at.abs_diff(now));
    Some(if now < at {
        format!("{date}, in {distance}")
    } else {
        format!("{date}, {distance} ago")
    })
}

/// In the largest unit of which there are at least two.
fn distance(between: Duration) -> String {
    let seconds = between.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        _ if seconds < 2 * HOUR => format!("{} min", seconds / MINUTE),
        _ if seconds < 2 * DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_and_how_far_away_it_is() {
        let now = 2_000_000_000;
        for (seconds, expected) in [
            (now, "2033-05-18T03:33:20Z, 0 s ago"),
            (now + 119, "2033-05-18T03:35:19Z, in 119 s"),
            (now - 120, "2033-05-18T03:31:20Z, 2 min ago"),
            (now + 2 * HOUR - 1, "2033-05-18T05:33:19Z, in 119 min"),
            (now + 2 * HOUR, "2033-05-18T05:33:20Z, in 2 h"),
            (now - 2 * DAY, "2033-05-16T03:33:20Z, 2 days ago"),
            (0, "1970-01-01T00:00:00Z, 23148 days ago"),
            (253_402_300_799, "9999-12-31T23:59:59Z, in 2909748 days"),
        ] {
            let said = shown(Duration::from_secs(seconds), Duration::from_secs(now));
            assert_eq!(said.as_deref(), Some(expected));
        }
        let beyond = [253_402_300_800, u64::MAX].map(Duration::from_secs);
        assert_eq!(beyond.map(|at| shown(at, Duration::ZERO)), [None, None]);
    }
}
