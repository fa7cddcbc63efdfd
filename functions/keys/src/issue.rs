//! What a client asks for when it issues a key.

use jiff::Timestamp;
use keygate::problem::{INSUFFICIENT_SCOPE, Problem};
use keygate::proxy::{Caller, ProxyRequest};
use keygate::scope::{Scope, Scopes};
use serde_json::Value;

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
        let expires_at = fields.value("expires_at").and_then(|value| {
            let expiry = expiry(&value, now);
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

/// Epoch seconds of an expiry, which comes as such or as RFC 3339.
fn expiry(value: &Value, now: u64) -> Result<u64, &'static str> {
    let seconds = match value {
        Value::String(text) => text.parse().ok().map(Timestamp::as_second),
        value => value.as_i64(),
    };
    let seconds = seconds.ok_or(
        "must be a time such as \"2030-01-31T12:00:00Z\" (RFC 3339) or whole epoch seconds",
    )?;
    match u64::try_from(seconds) {
        Ok(seconds) if seconds > now + MAX_LIFETIME => Err("must be within ten years"),
        Ok(seconds) if seconds > now => Ok(seconds),
        _ => Err("must be in the future"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expiry_lies_in_the_future_and_within_ten_years() {
        let now = 1_795_521_600; // 2026-11-24T12:00:00Z
        for value in [
            json!("2026-11-24T12:00:01Z"),
            json!("2026-11-24T13:00:01+01:00"),
            json!(now + 1),
        ] {
            assert_eq!(expiry(&value, now), Ok(now + 1), "{value}");
        }
        for value in [
            json!("2026-11-24T12:00:00Z"),
            json!("1969-01-01T00:00:00Z"),
            json!("2046-01-01T00:00:00Z"),
            json!("tomorrow"),
            json!("1795521601"),
            json!(now),
            json!(-1),
            json!(1_795_521_601.5),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(true),
            json!(["2026-11-24T12:00:01Z"]),
        ] {
            assert!(expiry(&value, now).is_err(), "{value}");
        }
    }
}
