//! The events that API Gateway sends an authorizer, told apart by themselves: TOKEN and REQUEST of a
//! REST API, and REQUEST of an HTTP API in payload format 1.0 and 2.0 ("Input to an API Gateway
//! Lambda authorizer" and "Control access to HTTP APIs with AWS Lambda authorizers", API Gateway
//! guide).
//!
//! The event arrives as JSON of any shape and is checked here, because a deserializer's error
//! would quote the value that it stumbled over, and that may be the credential.

use std::fmt;
use std::net::IpAddr;

use keygate_policy::MethodArn;
use serde_json::Value;

/// Which of the events it is, and so which answers API Gateway takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventFormat {
    /// A REST API's TOKEN event: one header, and no more of the request.
    Token,
    /// A REST API's REQUEST event.
    Request,
    /// An HTTP API's event in payload format 1.0.
    HttpApi1,
    /// An HTTP API's event in payload format 2.0.
    HttpApi2,
}

/// Where a request carries its credential. Never log it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Presented {
    /// The values of `Authorization`.
    pub(crate) authorization: Vec<String>,
    /// The values of `X-Api-Key`; none in a TOKEN event.
    pub(crate) api_key: Vec<String>,
}

/// One request to authorize.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) format: EventFormat,
    pub(crate) presented: Presented,
    /// What the caller asks for.
    pub(crate) method_arn: MethodArn,
    /// Where the request comes from, as API Gateway saw it; `None` in a TOKEN event.
    pub(crate) source: Option<IpAddr>,
}

/// Why an event is none that this function answers. Nothing of the event is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// `type` is neither.
    #[error("not an authorizer event: its type must be TOKEN or REQUEST")]
    Type,
    /// `version` is none of them.
    #[error("not an authorizer event: a REQUEST has version 1.0, 2.0 or, from a REST API, none")]
    Version,
    /// By the member that should hold it.
    #[error("not an authorizer event: {0} is missing or is no execute-api method ARN")]
    MethodArn(&'static str),
    /// It is something else.
    #[error("not an authorizer event: authorizationToken is no string")]
    AuthorizationToken,
    /// They are something else.
    #[error("not an authorizer event: headers are no object of strings")]
    Headers,
}

/// How many values there are, and nothing of them.
impl fmt::Debug for Presented {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authorization, api_key) = (self.authorization.len(), self.api_key.len());
        write!(formatter, "Presented({authorization} and {api_key} values)")
    }
}

impl AuthorizationRequest {
    /// Whether its API may ask for a yes or a no in place of a policy.
    pub(crate) fn takes_simple_answer(&self) -> bool {
        self.format == EventFormat::HttpApi2
    }

    /// Reads an event. A missing credential is the caller's to mend; all else that is wrong is the
    /// deployment's.
    pub(crate) fn read(event: &Value) -> Result<Self, EventError> {
        let format = format(event)?;
        let arn = match format {
            EventFormat::HttpApi2 => "routeArn",
            _ => "methodArn",
        };
        Ok(Self {
            format,
            presented: presented(event, format)?,
            method_arn: text(event, arn)
                .and_then(MethodArn::parse)
                .ok_or(EventError::MethodArn(arn))?,
            source: source(event, format),
        })
    }
}

fn text<'e>(event: &'e Value, name: &str) -> Option<&'e str> {
    event.get(name).and_then(Value::as_str)
}

fn format(event: &Value) -> Result<EventFormat, EventError> {
    match (text(event, "type"), event.get("version")) {
        (Some("TOKEN"), _) => Ok(EventFormat::Token),
        (Some("REQUEST"), None) => Ok(EventFormat::Request),
        (Some("REQUEST"), Some(Value::String(version))) if version == "1.0" => {
            Ok(EventFormat::HttpApi1)
        }
        (Some("REQUEST"), Some(Value::String(version))) if version == "2.0" => {
            Ok(EventFormat::HttpApi2)
        }
        (Some("REQUEST"), Some(_)) => Err(EventError::Version),
        _ => Err(EventError::Type),
    }
}

fn presented(event: &Value, format: EventFormat) -> Result<Presented, EventError> {
    if format == EventFormat::Token {
        return match event.get("authorizationToken") {
            None | Some(Value::Null) => Ok(Presented::default()),
            Some(Value::String(value)) => Ok(Presented {
                authorization: vec![value.clone()],
                api_key: Vec::new(),
            }),
            Some(_) => Err(EventError::AuthorizationToken),
        };
    }
    Ok(Presented {
        authorization: header(event, "authorization")?,
        api_key: header(event, "x-api-key")?,
    })
}

/// The values of a header, whose name comes in the client's case. A header that was sent twice is
/// whole in `multiValueHeaders` only; where there are none, an HTTP API has joined the values.
fn header(event: &Value, name: &str) -> Result<Vec<String>, EventError> {
    let mut values: Vec<String> = Vec::new();
    for member in ["headers", "multiValueHeaders"] {
        let headers = match event.get(member) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(headers)) => headers,
            Some(_) => return Err(EventError::Headers),
        };
        let named = headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        for (_, value) in named {
            let one = std::slice::from_ref(value);
            for value in value.as_array().map_or(one, Vec::as_slice) {
                let value = value.as_str().ok_or(EventError::Headers)?.to_owned();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    Ok(values)
}

fn source(event: &Value, format: EventFormat) -> Option<IpAddr> {
    let pointer = match format {
        EventFormat::Token => return None,
        EventFormat::Request | EventFormat::HttpApi1 => "/requestContext/identity/sourceIp",
        EventFormat::HttpApi2 => "/requestContext/http/sourceIp",
    };
    let address: IpAddr = event.pointer(pointer)?.as_str()?.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/books";

    fn error(event: &Value) -> EventError {
        AuthorizationRequest::read(event).unwrap_err()
    }

    fn read(event: &Value) -> AuthorizationRequest {
        AuthorizationRequest::read(event).unwrap()
    }

    #[test]
    fn a_token_event_is_read() {
        let event = json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": ARN});
        let request = read(&event);
        assert_eq!(request.format, EventFormat::Token);
        assert_eq!(request.presented.authorization, ["Bearer x"]);
        assert_eq!(request.source, None);
    }

    #[test]
    fn a_missing_credential_is_no_fault_of_the_event() {
        for event in [
            json!({"type": "TOKEN", "methodArn": ARN}),
            json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": null}),
            json!({"type": "REQUEST", "methodArn": ARN}),
            json!({"type": "REQUEST", "methodArn": ARN, "headers": null}),
            json!({"type": "REQUEST", "version": "2.0", "routeArn": ARN, "headers": {}}),
        ] {
            assert_eq!(read(&event).presented, Presented::default(), "{event}");
        }
    }

    #[test]
    fn a_request_event_of_each_api_is_told_by_its_version() {
        let context = json!({
            "identity": {"sourceIp": "192.0.2.7"}, "http": {"sourceIp": "::ffff:192.0.2.8"},
        });
        for (version, arn, format, source) in [
            (None, "methodArn", EventFormat::Request, "192.0.2.7"),
            (Some("1.0"), "methodArn", EventFormat::HttpApi1, "192.0.2.7"),
            (Some("2.0"), "routeArn", EventFormat::HttpApi2, "192.0.2.8"),
        ] {
            let mut event = json!({
                "type": "REQUEST", arn: ARN, "requestContext": context,
                "headers": {"AUTHORIZATION": "Bearer x", "x-api-KEY": "y"},
            });
            if let Some(version) = version {
                event["version"] = json!(version);
            }
            let request = read(&event);
            assert_eq!(request.format, format);
            assert_eq!(request.presented.authorization, ["Bearer x"]);
            assert_eq!(request.presented.api_key, ["y"]);
            assert_eq!(request.source, Some(source.parse().unwrap()));
        }
    }

    /// The samples of `events`, whole as API Gateway sends them.
    #[test]
    fn a_whole_event_of_each_api_is_read() {
        for (sample, format) in [
            (
                include_str!("../../../events/authorizer-request.json"),
                EventFormat::Request,
            ),
            (
                include_str!("../../../events/authorizer-http-api-1.json"),
                EventFormat::HttpApi1,
            ),
            (
                include_str!("../../../events/authorizer-http-api-2.json"),
                EventFormat::HttpApi2,
            ),
        ] {
            let request = read(&serde_json::from_str(sample).unwrap());
            assert_eq!(request.format, format);
            assert_eq!(request.presented.authorization, ["ApiKey kg_not-a-key"]);
            assert!(request.presented.api_key.is_empty());
            assert_eq!(request.method_arn.request(), ("GET", "/keys"));
            assert_eq!(request.source, Some("203.0.113.7".parse().unwrap()));
        }
    }

    /// A client writes it, and each proxy on the way adds to it.
    #[test]
    fn where_a_request_comes_from_is_never_read_from_a_header() {
        let headers = json!({"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"});
        let mut event = json!({"type": "REQUEST", "methodArn": ARN, "headers": headers});
        assert_eq!(read(&event).source, None);
        event["requestContext"] = json!({"identity": {"sourceIp": "2001:db8::1"}});
        assert_eq!(read(&event).source, Some("2001:db8::1".parse().unwrap()));
        // What belongs to another format says nothing.
        event["requestContext"] = json!({"http": {"sourceIp": "192.0.2.7"}});
        assert_eq!(read(&event).source, None);
    }

    #[test]
    fn every_value_of_a_header_counts_once() {
        let event = json!({
            "type": "REQUEST", "methodArn": ARN,
            "headers": {"Authorization": "Bearer b"},
            "multiValueHeaders": {"authorization": ["Bearer a", "Bearer b"]},
        });
        assert_eq!(
            read(&event).presented.authorization,
            ["Bearer b", "Bearer a"]
        );
    }

    #[test]
    fn a_source_address_that_is_none_is_not_known() {
        for context in [
            json!(null),
            json!({"identity": {"sourceIp": "test-invoke"}}),
        ] {
            let event = json!({"type": "REQUEST", "methodArn": ARN, "requestContext": context});
            assert_eq!(read(&event).source, None);
        }
    }

    #[test]
    fn an_event_of_another_kind_is_a_clear_error() {
        for (event, expected) in [
            (json!({}), EventError::Type),
            (json!([]), EventError::Type),
            (json!(null), EventError::Type),
            (json!({"type": "token", "methodArn": ARN}), EventError::Type),
            (
                json!({"version": "2.0", "routeKey": "$default"}),
                EventError::Type,
            ),
            (
                json!({"type": "REQUEST", "version": "3.0"}),
                EventError::Version,
            ),
            (
                json!({"type": "REQUEST", "version": 2}),
                EventError::Version,
            ),
            (
                json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": ["x"]}),
                EventError::AuthorizationToken,
            ),
            (
                json!({"type": "REQUEST", "methodArn": ARN, "headers": []}),
                EventError::Headers,
            ),
            (
                json!({"type": "REQUEST", "methodArn": ARN, "headers": {"Authorization": 1}}),
                EventError::Headers,
            ),
            (json!({"type": "TOKEN"}), EventError::MethodArn("methodArn")),
            (
                json!({"type": "TOKEN", "methodArn": "arn:aws:s3:::bucket"}),
                EventError::MethodArn("methodArn"),
            ),
            (
                json!({"type": "REQUEST", "version": "2.0", "methodArn": ARN}),
                EventError::MethodArn("routeArn"),
            ),
        ] {
            assert_eq!(error(&event), expected, "{event}");
        }
    }
}
