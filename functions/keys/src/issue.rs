//! What a client asks for when it issues a key.

use keygate_issuing::expiry::{self, ExpiryError};
use keygate_issuing::{AuthorizerEvents, MAX_NAME_CHARACTERS, Networks, Order, UsagePlans};
use keygate_key_record::Metadata;
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
    events: AuthorizerEvents,
    now: u64,
) -> Result<Order, Problem> {
    let mut fields = request.fields()?;
    let order = Order {
        owner: caller.principal().to_owned(),
        name: fields.required_string("name", 1, MAX_NAME_CHARACTERS),
        scopes: scopes(&mut fields),
        expires_at: expires_at(&mut fields, now),
        usage_plan: usage_plan(&mut fields, plans),
        networks: networks(&mut fields, events),
        metadata: metadata(&mut fields),
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

/// The usage plan that a body names.
pub(crate) fn usage_plan(fields: &mut Fields, plans: Option<&UsagePlans>) -> Option<String> {
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

fn metadata(fields: &mut Fields) -> Metadata {
    let entries = match fields.value("metadata") {
        None => return Metadata::default(),
        Some(Value::Object(entries)) => entries.into_iter(),
        Some(_) => {
            fields.wrong("metadata", "must be an object of strings");
            return Metadata::default();
        }
    };
    let texts = entries.map(|(name, value)| Some((name, value.as_str()?.to_owned())));
    let read = match texts.collect::<Option<_>>() {
        Some(texts) => Metadata::new(texts).map_err(|error| error.to_string()),
        None => Err("must be an object of strings".to_owned()),
    };
    read.unwrap_or_else(|detail| {
        fields.wrong("metadata", detail);
        Metadata::default()
    })
}

fn networks(fields: &mut Fields, events: AuthorizerEvents) -> Networks {
    let texts = fields.strings("allowed_cidrs").unwrap_or_default();
    Networks::read(&texts, events).unwrap_or_else(|error| {
        fields.wrong("allowed_cidrs", error.to_string());
        Networks::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use keygate_tests::event::Event;

    use super::*;
    use crate::rig::request;

    const NOW: u64 = 1_795_521_600; // 2026-11-24T12:00:00Z

    /// What comes of a body that a caller with these scopes sends.
    fn read(body: &Value, scopes: &str) -> Result<Order, Problem> {
        read_for(AuthorizerEvents::Request, body, scopes)
    }

    fn read_for(events: AuthorizerEvents, body: &Value, scopes: &str) -> Result<Order, Problem> {
        let event = Event::new("POST", "/keys").by("me", scopes).json(body);
        let request = request(&event);
        let plans = "standard=stack-standard,partner=plan-partner".parse();
        order(
            &request,
            &request.caller().unwrap(),
            plans.ok().as_ref(),
            events,
            NOW,
        )
    }

    #[test]
    fn the_key_is_the_callers_and_as_asked_for() {
        let body = json!({
            "name": "é", "scopes": ["books:read", "books:read"], "expires_at": NOW + 1,
            "usage_plan": "partner",
            "allowed_cidrs": ["2001:DB8::/32", "192.0.2.0/24", "192.0.2.0/24"],
            "metadata": {"tenant": "acme", "cost-centre": ""},
        });
        let order = read(&body, "books:read keys:admin").unwrap();
        assert_eq!((order.owner.as_str(), order.name.as_str()), ("me", "é"));
        assert_eq!(order.scopes.to_string(), "books:read");
        assert_eq!(order.expires_at, Some(NOW + 1));
        assert_eq!(order.usage_plan.as_deref(), Some("partner"));
        let networks = ["192.0.2.0/24", "2001:db8::/32"];
        assert_eq!(order.networks.to_texts(), networks);
        let metadata: Vec<_> = order.metadata.iter().collect();
        assert_eq!(metadata, [("cost-centre", ""), ("tenant", "acme")]);
    }

    #[test]
    fn an_expiry_is_taken_as_an_answer_says_it() {
        let mut body = json!({"name": "a", "scopes": ["books:read"]});
        assert_eq!(read(&body, "books:read").unwrap().expires_at, None);
        body["expires_at"] = json!("2026-11-24T12:00:01Z");
        assert_eq!(read(&body, "books:read").unwrap().expires_at, Some(NOW + 1));
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("x".repeat(129))),
            ("name", Value::Null),
            ("scopes", json!([])),
            ("scopes", json!(["books read"])),
            ("scopes", json!("books:read")),
            ("scopes", json!([1])),
            ("scopes", Value::Null),
            ("expires_at", json!(NOW)),
            ("expires_at", json!("tomorrow")),
            ("expires_at", json!({})),
            ("usage_plan", json!("other")),
            ("usage_plan", json!("stack-standard")),
            ("allowed_cidrs", json!("192.0.2.0/24")),
            ("allowed_cidrs", json!(["192.0.2.0"])),
            ("allowed_cidrs", json!(["192.0.2.1/24"])),
            ("allowed_cidrs", json!(["2001:db8::/32", "x"])),
            ("allowed_cidrs", json!(vec!["192.0.2.0/24"; 21])),
            ("metadata", json!("tenant=acme")),
            ("metadata", json!(["tenant"])),
            ("metadata", json!({"tenant": 7})),
            ("metadata", json!({"tenant": null})),
            ("metadata", json!({"a b": "x"})),
            ("metadata", json!({"a-b": "x", "a_b": "x"})),
            ("metadata", json!({"tenant": "acme\u{202e}"})),
            ("metadata", json!({"tenant": "x".repeat(257)})),
            ("owner", json!("somebody")),
        ] {
            let mut body = json!({"name": "a", "scopes": ["books:read"]});
            body[field] = value.clone();
            let problem = read(&body, "books:read").unwrap_err();
            assert_eq!(problem.kind.slug, "invalid-body", "{field}: {value}");
            let problem = problem.to_json("", "");
            let errors = problem["errors"].as_array().unwrap();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0]["field"], field);
        }
    }

    #[test]
    fn networks_are_refused_where_the_authorizer_is_not_told_the_source_address() {
        let events = AuthorizerEvents::Token;
        let mut body = json!({"name": "a", "scopes": ["books:read"], "allowed_cidrs": []});
        let order = read_for(events, &body, "books:read").unwrap();
        assert_eq!(order.networks, Networks::default());
        body["allowed_cidrs"] = json!(["0.0.0.0/0"]);
        let problem = read_for(events, &body, "books:read").unwrap_err();
        assert_eq!(problem.kind.slug, "invalid-body");
        let problem = problem.to_json("", "");
        let [error] = problem["errors"].as_array().unwrap().as_slice() else {
            panic!("one error: {problem}")
        };
        assert_eq!(error["field"], "allowed_cidrs");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains("AuthorizerEvents=REQUEST"), "{detail}");
    }

    #[test]
    fn a_key_never_opens_more_than_its_issuer_may() {
        let body = json!({"name": "wide", "scopes": ["books:read", "books:write"]});
        let problem = read(&body, "books:read keys:admin").unwrap_err();
        assert_eq!(problem.kind.slug, "insufficient-scope");
        assert!(
            problem.detail.ends_with(": books:write."),
            "{}",
            problem.detail
        );
    }
}
