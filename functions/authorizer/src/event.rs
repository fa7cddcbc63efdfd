//! The event that API Gateway sends a TOKEN authorizer ("Input to an API Gateway Lambda
//! authorizer", API Gateway guide).
//!
//! The event arrives as JSON of any shape and is checked here, because a deserializer's error
//! would quote the value that it stumbled over, and that may be the credential.

use serde_json::Value;

use crate::policy::MethodArn;

/// One request to authorize.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationRequest {
    /// The value of the `Authorization` header. Never log it.
    pub(crate) authorization: String,
    /// What the caller asks for.
    pub(crate) method_arn: MethodArn,
}

/// Why an event is none that this function answers. Nothing of the event is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EventError {
    #[error("not a TOKEN authorizer event: its type must be TOKEN")]
    Type,
    #[error("not a TOKEN authorizer event: methodArn is missing or is no execute-api method ARN")]
    MethodArn,
    #[error("not a TOKEN authorizer event: authorizationToken is no string")]
    AuthorizationToken,
}

impl AuthorizationRequest {
    /// Reads an event. A missing token is a missing credential, which is the caller's to mend; all
    /// else that is wrong is the deployment's.
    pub(crate) fn read(event: &Value) -> Result<Self, EventError> {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        if text("type") != Some("TOKEN") {
            return Err(EventError::Type);
        }
        let authorization = match event.get("authorizationToken") {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => return Err(EventError::AuthorizationToken),
        };
        Ok(Self {
            authorization: authorization.to_owned(),
            method_arn: text("methodArn")
                .and_then(MethodArn::parse)
                .ok_or(EventError::MethodArn)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/items";

    fn error(event: &Value) -> EventError {
        AuthorizationRequest::read(event).unwrap_err()
    }

    #[test]
    fn a_token_event_is_read() {
        let event = json!({"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": ARN});
        assert_eq!(
            AuthorizationRequest::read(&event).unwrap().authorization,
            "Bearer x"
        );
    }

    #[test]
    fn what_is_no_token_event_is_said_without_quoting_it() {
        for event in [
            json!({}),
            json!([]),
            json!("Bearer x"),
            json!(null),
            json!({"type": "REQUEST", "methodArn": ARN}),
        ] {
            assert_eq!(error(&event), EventError::Type);
        }
        assert_eq!(error(&json!({"type": "TOKEN"})), EventError::MethodArn);
        assert_eq!(
            error(&json!({"type": "TOKEN", "methodArn": "x"})),
            EventError::MethodArn
        );
        let event = json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": ["Bearer x"]});
        assert_eq!(error(&event), EventError::AuthorizationToken);
    }

    #[test]
    fn a_missing_token_is_a_missing_credential() {
        let event = json!({"type": "TOKEN", "methodArn": ARN});
        assert_eq!(
            AuthorizationRequest::read(&event).unwrap().authorization,
            ""
        );
    }
}
