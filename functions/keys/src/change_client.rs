//! What is asked for when a client is registered or changed.

use keygate_issuing::{MAX_NAME_CHARACTERS, Registration, UsagePlans};
use keygate_key_record::Status;
use keygate_principal::name::{MAX_BYTES, is_plain_name, is_usable_name};
use keygate_problem::Problem;
use keygate_proxy::{Fields, ProxyRequest};

use crate::issue::usage_plan;
use crate::trust::Trust;

/// A checked request for a new client.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) client_id: String,
    pub(crate) issuer: Option<String>,
    pub(crate) registration: Registration,
}

/// Reads the body that registers a client, which is in use unless it says otherwise.
///
/// # Errors
/// Whatever is wrong with the body, field by field.
pub(crate) fn asked(
    request: &ProxyRequest,
    plans: Option<&UsagePlans>,
    trust: &Trust,
) -> Result<Asked, Problem> {
    let mut fields = request.fields()?;
    let client_id = fields.required_string("client_id", 1, MAX_BYTES);
    if !fields.has_error("client_id") {
        if !is_plain_name(&client_id) {
            let detail =
                "holds a quotation mark, a backslash or a control character, or is too long";
            fields.wrong("client_id", detail);
        } else if matches!(client_id.as_str(), "." | "..") {
            let detail = "can end no path, as clients take it out of theirs: use keygate clients";
            fields.wrong("client_id", detail);
        }
    }
    let issuer = fields.string("issuer", 1, MAX_BYTES);
    if issuer
        .as_deref()
        .is_some_and(|issuer| !is_usable_name(issuer) || !trust.takes(issuer))
    {
        let detail = "must be a trusted issuer, exactly as it stands in iss";
        fields.wrong("issuer", detail);
    }
    let status = status(&mut fields).unwrap_or(Status::Active);
    let registration = registration(&mut fields, status, plans);
    fields.finish()?;
    Ok(Asked {
        client_id,
        issuer,
        registration,
    })
}

/// Reads the body that replaces what is kept of a client. It says whether the client may be used, so
/// that none is let in again by the way.
///
/// # Errors
/// Whatever is wrong with the body, field by field.
pub(crate) fn change(
    request: &ProxyRequest,
    plans: Option<&UsagePlans>,
) -> Result<Registration, Problem> {
    let mut fields = request.fields()?;
    let status = status(&mut fields);
    if status.is_none() && !fields.has_error("status") {
        fields.wrong("status", "is required");
    }
    let registration = registration(&mut fields, status.unwrap_or(Status::Revoked), plans);
    fields.finish()?;
    Ok(registration)
}

fn registration(fields: &mut Fields, status: Status, plans: Option<&UsagePlans>) -> Registration {
    Registration {
        name: fields.string("name", 1, MAX_NAME_CHARACTERS),
        status,
        usage_plan: usage_plan(fields, plans),
    }
}

fn status(fields: &mut Fields) -> Option<Status> {
    let text = fields.string("status", 1, 16)?;
    let all = [Status::Active, Status::Revoked];
    let status = all.into_iter().find(|status| status.as_str() == text);
    if status.is_none() {
        fields.wrong("status", "must be active or revoked");
    }
    status
}

#[cfg(test)]
mod tests {
    use keygate_tests::event::Event;
    use serde_json::{Value, json};

    use super::*;
    use crate::rig::request;

    fn plans() -> Option<UsagePlans> {
        "standard=stack-standard,partner=plan-partner".parse().ok()
    }

    fn read_new(body: &Value) -> Result<Asked, Problem> {
        let event = Event::new("POST", "/clients").json(body);
        let issuers = [("OAUTH_ISSUER", "https://login.example")];
        let trust = Trust::read(&issuers.into_iter().collect()).unwrap();
        asked(&request(&event), plans().as_ref(), &trust)
    }

    fn read_change(body: &Value) -> Result<Registration, Problem> {
        let event = Event::new("PUT", "/clients/mobile").json(body);
        change(&request(&event), plans().as_ref())
    }

    #[track_caller]
    fn names_the_field(problem: &Problem, field: &str) {
        assert_eq!(problem.kind.slug, "invalid-body", "{field}");
        let problem = problem.to_json("", "");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0]["field"], field);
    }

    #[test]
    fn a_client_is_registered_as_asked_for() {
        let asked = read_new(&json!({
            "client_id": "https://app.example/client.json", "issuer": "https://login.example",
            "name": "é", "usage_plan": "partner",
        }));
        let asked = asked.unwrap();
        assert_eq!(asked.client_id, "https://app.example/client.json");
        assert_eq!(asked.issuer.as_deref(), Some("https://login.example"));
        assert_eq!(asked.registration.status, Status::Active);
        assert_eq!(asked.registration.usage_plan.as_deref(), Some("partner"));
        let shut_out = read_new(&json!({"client_id": "leaky", "status": "revoked"})).unwrap();
        assert_eq!(shut_out.registration.status, Status::Revoked);
        assert_eq!(shut_out.issuer, None);
    }

    #[test]
    fn a_change_says_whether_the_client_may_be_used() {
        let changed = read_change(&json!({"status": "revoked"})).unwrap();
        assert_eq!(changed.status, Status::Revoked);
        for body in [json!({}), json!({"usage_plan": "partner"})] {
            names_the_field(&read_change(&body).unwrap_err(), "status");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        for (field, value) in [
            ("client_id", Value::Null),
            ("client_id", json!("")),
            ("client_id", json!("a\"b")),
            ("client_id", json!("a\\b")),
            ("client_id", json!("a\n")),
            ("client_id", json!("é".repeat(600))),
            ("client_id", json!("..")),
            ("issuer", json!("")),
            ("issuer", json!("a\nb")),
            ("issuer", json!("https://login.example/")),
            ("name", json!("x".repeat(129))),
            ("status", json!("gone")),
            ("usage_plan", json!("none")),
            ("scopes", json!(["books:read"])),
        ] {
            let mut body = json!({"client_id": "mobile"});
            body[field] = value;
            names_the_field(&read_new(&body).unwrap_err(), field);
        }
        for (field, value) in [
            ("status", json!(true)),
            ("client_id", json!("other")),
            ("issuer", json!("https://other.example")),
        ] {
            let mut body = json!({"status": "active"});
            body[field] = value;
            names_the_field(&read_change(&body).unwrap_err(), field);
        }
    }
}
