//! The days whose usage is asked for, in UTC as API Gateway counts them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How many days API Gateway keeps usage, today among them.
const KEPT: i32 = 90;
/// How many days are meant when nobody says.
const USUAL: i32 = 30;

/// Days one after another, none of them ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

/// Days that no usage can be read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DaysError {
    /// A text is no date.
    #[error("{0} must be a date such as 2026-01-31")]
    Form(&'static str),
    /// They are in the wrong order.
    #[error("from must not be after to: {from} is after {to}")]
    Reversed {
        /// The first.
        from: Date,
        /// The last.
        to: Date,
    },
    /// They have not come yet.
    #[error("to must not be in the future: in UTC it is {today}")]
    Future {
        /// The day that it is.
        today: Date,
    },
    /// They are over for too long.
    #[error("from must not be before {earliest}: usage is kept for {KEPT} days")]
    TooEarly {
        /// The first day of which there is any.
        earliest: Date,
    },
}

/// The day that it is in UTC.
#[must_use]
pub fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

impl Days {
    /// The days from one date to another, as `today` sees them. Without `to` they end today, and without
    /// `from` they are 30, or as many as there are.
    ///
    /// # Errors
    /// When a text is no date, or there can be no usage of these days.
    pub fn read(from: Option<&str>, to: Option<&str>, today: Date) -> Result<Self, DaysError> {
        let earliest = back(today, KEPT - 1);
        let to = to.map(|text| date("to", text)).transpose()?;
        let to = to.unwrap_or(today);
        let from = from.map(|text| date("from", text)).transpose()?;
        let from = from.unwrap_or_else(|| back(to, USUAL - 1).max(earliest.min(to)));
        if from > to {
            return Err(DaysError::Reversed { from, to });
        }
        if to > today {
            return Err(DaysError::Future { today });
        }
        if from < earliest {
            return Err(DaysError::TooEarly { earliest });
        }
        Ok(Self { from, to })
    }

    /// The last 30.
    #[must_use]
    pub fn usual(today: Date) -> Self {
        Self {
            from: back(today, USUAL - 1),
            to: today,
        }
    }

    /// Each of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = Date> {
        let days = self.from.series(Span::new().days(1));
        days.take_while(move |day| *day <= self.to)
    }
}

fn back(day: Date, days: i32) -> Date {
    day.saturating_sub(Span::new().days(days))
}

/// Year, month and day, and nothing else that could be read as a date.
fn date(name: &'static str, text: &str) -> Result<Date, DaysError> {
    let date: Result<Date, _> = text.parse();
    date.ok()
        .filter(|date| date.to_string() == text)
        .ok_or(DaysError::Form(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: Option<&str>, to: Option<&str>) -> Result<(String, String), String> {
        let days = Days::read(from, to, "2026-11-26".parse().unwrap());
        let days = days.map_err(|error| error.to_string())?;
        Ok((days.from.to_string(), days.to.to_string()))
    }

    #[test]
    fn days_are_the_last_thirty_unless_somebody_says() {
        for (from, to, expected) in [
            (None, None, ["2026-10-28", "2026-11-26"]),
            (Some("2026-11-26"), None, ["2026-11-26", "2026-11-26"]),
            (Some("2026-08-29"), None, ["2026-08-29", "2026-11-26"]),
            (None, Some("2026-11-01"), ["2026-10-03", "2026-11-01"]),
            (None, Some("2026-09-01"), ["2026-08-29", "2026-09-01"]),
            (
                Some("2026-09-30"),
                Some("2026-10-01"),
                ["2026-09-30", "2026-10-01"],
            ),
        ] {
            let expected = expected.map(str::to_owned).into();
            assert_eq!(read(from, to), Ok(expected), "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_days_is_said() {
        for (from, to, word) in [
            (Some("yesterday"), None, "from must be a date"),
            (Some(""), None, "from must be a date"),
            (Some("20261101"), None, "from must be a date"),
            (Some("2026-11-01T00:00:00"), None, "from must be a date"),
            (None, Some("2026-11-31"), "to must be a date"),
            (
                Some("2026-11-02"),
                Some("2026-11-01"),
                "is after 2026-11-01",
            ),
            (Some("2026-11-27"), None, "2026-11-27 is after 2026-11-26"),
            (None, Some("2026-11-27"), "it is 2026-11-26"),
            (Some("2026-08-28"), None, "before 2026-08-29"),
            (None, Some("2026-08-28"), "before 2026-08-29"),
        ] {
            let error = read(from, to).unwrap_err();
            assert!(error.contains(word), "{from:?} {to:?}: {error}");
        }
    }

    #[test]
    fn each_day_is_there_once() {
        let days = Days::usual("2026-03-01".parse().unwrap());
        let all: Vec<Date> = days.iter().collect();
        assert_eq!(all.len(), 30);
        assert_eq!((all[0], all[29]), (days.from, days.to));
        assert_eq!(all[28].to_string(), "2026-02-28");
    }
}
