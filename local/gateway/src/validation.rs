//! Request validation ("Use request validation for REST APIs in API Gateway", API Gateway guide): required
//! parameters first, then the body.

use bytes::Bytes;
use keygate_model::{BodySchema, ParameterPlace, Validation};
use serde_json::Value;

use super::content_type;
use super::exchange::Exchange;
use super::fault::{Fault, ResponseType};
use super::proxy_event::query_pairs;

/// Holds a request against what its method asks for.
pub(super) fn check(
    validation: &Validation,
    exchange: &Exchange,
    body: &Bytes,
) -> Result<(), Fault> {
    let missing = validation.parameters.iter();
    let missing = missing.filter(|(place, name)| !has(*place, name, exchange));
    let missing: Vec<&str> = missing.map(|(_, name)| name.as_str()).collect();
    if !missing.is_empty() {
        let mut fault = Fault::new(ResponseType::BadRequestParameters);
        fault.message = format!(
            "Missing required request parameters: [{}]",
            missing.join(", ")
        );
        fault.validation = Some(fault.message.clone());
        return Err(fault);
    }
    match validation.bodies.get(&content_type::of(exchange)) {
        Some(schema) => check_body(schema, body),
        // No model is for it, so nothing is held against it.
        None => Ok(()),
    }
}

/// Whether a request has a parameter that is not blank.
fn has(place: ParameterPlace, name: &str, exchange: &Exchange) -> bool {
    let is_filled = |value: &str| !value.trim().is_empty();
    match place {
        ParameterPlace::Header => exchange.header(name).is_some_and(is_filled),
        ParameterPlace::Path => {
            let mut named = exchange.path_parameters.iter();
            named.any(|(key, value)| key == name && is_filled(value))
        }
        ParameterPlace::Query => {
            let pairs = query_pairs(exchange.query.as_deref());
            let mut named = pairs.iter();
            named.any(|(key, value)| key == name && is_filled(value))
        }
    }
}

/// Holds a body against its model; no body is an empty object.
fn check_body(schema: &BodySchema, body: &Bytes) -> Result<(), Fault> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    let reason = match serde_json::from_slice::<Value>(text) {
        Ok(value) => match schema.first_error(&value) {
            Some(reason) => reason,
            None => return Ok(()),
        },
        Err(error) => error.to_string(),
    };
    let mut fault = Fault::new(ResponseType::BadRequestBody);
    fault.validation = Some(format!("[{reason}]"));
    Err(fault)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::json;

    use super::*;

    fn refused(path: &str, headers: &[(&str, &str)], body: &str) -> Option<Fault> {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let exchange = Exchange::new(&parts, "127.0.0.1".into(), 80);
        let schema = json!({
            "type": "object", "required": ["title"],
            "properties": {"title": {"type": "string"}, "pages": {"type": "integer", "minimum": 1}},
        });
        let validation = Validation {
            parameters: [
                (ParameterPlace::Header, "X-Shop".to_owned()),
                (ParameterPlace::Query, "lang".to_owned()),
            ]
            .into(),
            bodies: [(
                content_type::JSON.to_owned(),
                BodySchema::of(&schema).unwrap(),
            )]
            .into(),
        };
        check(&validation, &exchange, &Bytes::from(body.to_owned())).err()
    }

    #[test]
    fn parameters_that_are_missing_or_blank_are_named_together() {
        for (path, headers, expected) in [
            ("/dev/books", &[][..], "[X-Shop, lang]"),
            ("/dev/books?lang=", &[("x-shop", "a")][..], "[lang]"),
            ("/dev/books?lang=en", &[("x-shop", " ")][..], "[X-Shop]"),
        ] {
            let fault = refused(path, headers, "{}").unwrap();
            assert_eq!(fault.kind, ResponseType::BadRequestParameters);
            let expected = format!("Missing required request parameters: {expected}");
            assert_eq!(fault.message, expected);
        }
    }

    #[test]
    fn a_body_is_held_against_the_model_of_its_content_type() {
        let good = r#"{"title": "Emma", "pages": 300}"#;
        let cases = [
            (None, good, true),
            (Some("application/json; charset=utf-8"), good, true),
            (None, "", false),
            (None, "{}", false),
            (None, "{", false),
            (None, r#"{"title": 1}"#, false),
            (None, r#"{"title": "a", "pages": 0}"#, false),
            (Some("text/plain"), "anything", true),
        ];
        for (content_type, body, is_taken) in cases {
            let mut headers = vec![("x-shop", "a")];
            headers.extend(content_type.map(|value| ("content-type", value)));
            let fault = refused("/dev/books?lang=en", &headers, body);
            assert_eq!(
                fault.is_none(),
                is_taken,
                "{content_type:?} {body}: {fault:?}"
            );
            if let Some(fault) = fault {
                assert_eq!(fault.kind, ResponseType::BadRequestBody);
                assert_eq!(fault.message, "Invalid request body");
                assert!(fault.validation.is_some());
            }
        }
    }
}
