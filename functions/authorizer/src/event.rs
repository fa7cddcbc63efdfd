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
mod tests;
