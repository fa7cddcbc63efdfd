//! What a client asks for when it issues a key.

use keygate_issuing::expiry::{self, ExpiryError};
use keygate_issuing::{MAX_NAME_CHARACTERS, Networks, Order, UsagePlans};
use keygate_principal::scope::{Scope, Scopes};
use keygate_problem::{INSUFFICIENT_SCOPE, Problem};
use keygate_proxy::{Caller, Fields, ProxyRequest};
use serde_json::Value;

/// Reads a request's body at `now` (epoch seconds). The key will be the caller's.
///
/// # Errors
/// Whatever is wrong with the body, field by field; 403 for scopes that the caller lacks.
pub(crate) fn order(
    request: &ProxyRequest,
    caller: &Caller,
    plans: Option<&UsagePlans>,
    now: u64,
) -> Result<Order, Problem> {
    let mut fields = request.fields()?;
    let order = Order {
        owner: caller.principal().to_owned(),
        name: fields.required_string("name", 1, MAX_NAME_CHARACTERS),
        scopes: scopes(&mut fields),
        expires_at: expires_at(&mut fields, now),
        usage_plan: usage_plan(&mut fields, plans),
        networks: networks(&mut fields),
    };
    fields.finish()?;
    within_callers(&order.scopes, caller)?;
    Ok(order)
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

fn scopes(fields: &mut Fields) -> Scopes {
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
    scopes.unwrap_or_else(|detail| {
        fields.wrong("scopes", detail);
        Scopes::default()
    })
}

fn expires_at(fields: &mut Fields, now: u64) -> Option<u64> {
    let expiry = match fields.value("expires_at")? {
        Value::String(text) => expiry::of_text(&text, now),
        value => match value.as_i64() {
            Some(seconds) => expiry::of_seconds(seconds, now),
            None => Err(ExpiryError::Form),
        },
    };
    expiry
        .map_err(|error| fields.wrong("expires_at", error.to_string()))
        .ok()
}

fn usage_plan(fields: &mut Fields, plans: Option<&UsagePlans>) -> Option<String> {
    let plan = fields.string("usage_plan", 1, 128)?;
    match plans {
        Some(plans) if plans.find(Some(&plan)).is_some() => return Some(plan),
        Some(plans) => {
            let names = plans.names();
            fields.wrong("usage_plan", format!("is none of the usage plans: {names}"));
        }
        None => fields.wrong("usage_plan", "cannot be chosen: there are no usage plans"),
    }
    None
}

fn networks(fields: &mut Fields) -> Networks {
    let texts = fields.strings("allowed_cidrs").unwrap_or_default();
    Networks::read(&texts).unwrap_or_else(|error| {
        fields.wrong("allowed_cidrs", error.to_string());
        Networks::default()
    })
}
