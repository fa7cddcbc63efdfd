//! What a client asks for when it issues a key.

use jiff::Timestamp;
use keygate::problem::{INSUFFICIENT_SCOPE, Problem};
use keygate::proxy::{Caller, ProxyRequest};
use keygate::scope::{Scope, Scopes};

use crate::usage_key::{UsageKey, UsageKeys};

/// The latest that an expiry may lie ahead: ten years, in seconds.
const MAX_LIFETIME: u64 = 10 * 366 * 24 * 60 * 60;

/// A checked request for a key.
#[derive(Debug)]
pub(crate) struct Order {
    /// 1 to 128 characters.
    pub(crate) name: String,
    /// At least one, none that the caller lacks.
    pub(crate) scopes: Scopes,
    /// Epoch seconds, in the future.
    pub(crate) expires_at: Option<u64>,
    /// The usage key that meters the key, where there are plans.
    pub(crate) usage_key: Option<UsageKey>,
}

impl Order {
    /// Reads a request's body at `now` (epoch seconds).
    ///
    /// # Errors
    /// Whatever is wrong with the body, field by field; 403 for scopes that the caller lacks.
    pub(crate) fn read(
        request: &ProxyRequest,
        caller: &Caller,
        usage_keys: &UsageKeys,
        now: u64,
    ) -> Result<Self, Problem> {
        let mut fields = request.fields()?;
        let name = fields.required_string("name", 1, 128);
        let scopes = match fields.strings("scopes") {
            Some(texts) if texts.is_empty() => Err("must name at least one scope".to_owned()),
            Some(texts) => texts
                .iter()
                .map(|text| text.parse::<Scope>())
                .collect::<Result<Scopes, _>>()
                .map_err(|error| error.to_string()),
            None if fields.has_error("scopes") => Ok(Scopes::default()),
            None => Err("is required".to_owned()),
        };
        let scopes = scopes.unwrap_or_else(|detail| {
            fields.wrong("scopes", detail);
            Scopes::default()
        });
        let expires_at = fields.string("expires_at", 1, 64);
        let expires_at = expires_at.and_then(|text| {
            let expiry = expiry(&text, now);
            expiry
                .map_err(|detail| fields.wrong("expires_at", detail))
                .ok()
        });
        let plan = fields.string("usage_plan", 1, 128);
        let usage_key = usage_keys.of_plan(plan.as_deref()).cloned();
        if plan.is_some() && usage_key.is_none() {
            let plans = usage_keys.plans();
            fields.wrong("usage_plan", format!("is none of the usage plans: {plans}"));
        }
        fields.finish()?;
        within_callers(&scopes, caller)?;
        Ok(Self {
            name,
            scopes,
            expires_at,
            usage_key,
        })
    }
}

/// Holds a key's scopes to the caller's: nobody hands out what they do not hold.
///
/// # Errors
/// 403 naming the scopes that the caller lacks.
pub(crate) fn within_callers(scopes: &Scopes, caller: &Caller) -> Result<(), Problem> {
    let wider = scopes
        .iter()
        .filter(|scope| !caller.scopes().contains(scope.as_str()));
    let wider: Vec<&str> = wider.map(Scope::as_str).collect();
    if wider.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "Your credential does not hold these scopes itself: {}.",
        wider.join(" ")
    );
    Err(Problem::new(&INSUFFICIENT_SCOPE, detail))
}

fn expiry(text: &str, now: u64) -> Result<u64, String> {
    let time: Timestamp = text
        .parse()
        .map_err(|_| "must be a time such as 2030-01-31T12:00:00Z (RFC 3339)".to_owned())?;
    let seconds = u64::try_from(time.as_second()).unwrap_or(0);
    if seconds <= now {
        Err("must be in the future".to_owned())
    } else if seconds > now + MAX_LIFETIME {
        Err("must be within ten years".to_owned())
    } else {
        Ok(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_lies_in_the_future_and_within_ten_years() {
        let now = 1_795_521_600; // 2026-11-24T12:00:00Z
        assert_eq!(expiry("2026-11-24T12:00:01Z", now), Ok(now + 1));
        assert_eq!(expiry("2026-11-24T13:00:01+01:00", now), Ok(now + 1));
        for text in [
            "2026-11-24T12:00:00Z",
            "1969-01-01T00:00:00Z",
            "2046-01-01T00:00:00Z",
            "tomorrow",
            "1795521601",
        ] {
            assert!(expiry(text, now).is_err(), "{text}");
        }
    }
}
