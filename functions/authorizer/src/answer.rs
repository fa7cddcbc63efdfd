//! What API Gateway is told, in the form in which it goes over the wire.
//!
//! Only the exact error text `Unauthorized` becomes 401 at the client. Every other error is the
//! gateway response `AUTHORIZER_FAILURE` or `AUTHORIZER_CONFIGURATION_ERROR`, which the template
//! makes 503.

use std::collections::BTreeMap;

use lambda_runtime::Diagnostic;
use serde::Serialize;

use crate::decision::{Fault, Grant, Rejection};
use crate::policy::Policy;

/// A policy and what goes with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    principal_id: String,
    policy_document: Policy,
    /// Strings only: API Gateway takes no nested values. `principal`, `credential` and `scopes` are
    /// always there; `client_id`, `key_id` and `issuer` where the credential has them.
    context: BTreeMap<&'static str, String>,
    /// Left out when there is none: `null` is no usage key.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<String>,
}

/// An error for the Runtime API. Its texts are these and no other, so that nothing of a request
/// can be in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerError {
    /// The credential is at fault.
    Unauthorized,
    /// Something that the decision depends on is.
    Unavailable,
    /// The event is none that this function answers.
    Event(crate::event::EventError),
}

impl From<Grant> for Answer {
    fn from(grant: Grant) -> Self {
        let principal = grant.principal;
        let mut context = BTreeMap::from([
            ("principal", principal.name.clone()),
            ("credential", principal.credential.as_str().to_owned()),
            ("scopes", principal.scopes.to_string()),
        ]);
        let optional = [
            ("client_id", principal.client_id),
            ("key_id", principal.key_id),
            ("issuer", principal.issuer),
        ];
        context.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Self {
            principal_id: principal.name,
            policy_document: grant.policy,
            context,
            usage_identifier_key: grant.usage_key,
        }
    }
}

impl From<Rejection> for AnswerError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(_) => Self::Unauthorized,
            Rejection::Faulted(Fault::Event(error)) => Self::Event(error),
            Rejection::Faulted(_) => Self::Unavailable,
        }
    }
}

impl From<AnswerError> for Diagnostic {
    fn from(error: AnswerError) -> Self {
        let (error_type, error_message) = match error {
            AnswerError::Unauthorized => ("Unauthorized", "Unauthorized".to_owned()),
            AnswerError::Unavailable => (
                "ServiceUnavailable",
                "the credential could not be checked now; the log has the reason".to_owned(),
            ),
            AnswerError::Event(error) => ("UnknownEvent", error.to_string()),
        };
        Self {
            error_type: error_type.to_owned(),
            error_message,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerResponse;
    use serde_json::{Value, json};

    use super::*;
    use crate::decision::Refusal;
    use crate::policy::MethodArn;
    use crate::principal::{CredentialKind, Principal};

    fn grant(scopes: &str) -> Grant {
        let arn = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/GET/items";
        let scopes = scopes.parse().unwrap();
        Grant {
            policy: Policy::for_scopes(&MethodArn::parse(arn).unwrap(), &scopes),
            principal: Principal {
                name: "alice".into(),
                credential: CredentialKind::Jwt,
                scopes,
                client_id: Some("app".into()),
                key_id: None,
                issuer: Some("https://login.example.com/".into()),
            },
            usage_key: Some("usage-app".into()),
        }
    }

    fn wire(grant: Grant) -> Value {
        serde_json::to_value(Answer::from(grant)).unwrap()
    }

    #[test]
    fn an_allow_has_the_wire_form_that_api_gateway_reads() {
        let stage = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";
        assert_eq!(
            wire(grant("items:read")),
            json!({
                "principalId": "alice",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow",
                        "Resource": [format!("{stage}/GET/items"), format!("{stage}/GET/items/*")],
                    }],
                },
                "context": {
                    "principal": "alice",
                    "credential": "jwt",
                    "scopes": "items:read",
                    "client_id": "app",
                    "issuer": "https://login.example.com/",
                },
                "usageIdentifierKey": "usage-app",
            })
        );
    }

    #[test]
    fn a_deny_has_the_wire_form_that_api_gateway_reads() {
        let mut denied = grant("");
        denied.usage_key = None;
        denied.principal.client_id = None;
        denied.principal.issuer = None;
        denied.principal.key_id = Some("0123456789ab".into());
        denied.principal.credential = CredentialKind::ApiKey;
        assert_eq!(
            wire(denied),
            json!({
                "principalId": "alice",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": "Deny",
                        "Resource": ["arn:aws:execute-api:eu-west-1:123456789012:abc123/dev/*"],
                    }],
                },
                "context": {
                    "principal": "alice",
                    "credential": "api_key",
                    "scopes": "",
                    "key_id": "0123456789ab",
                },
            })
        );
    }

    #[test]
    fn the_published_event_types_read_the_answer() {
        let read: ApiGatewayCustomAuthorizerResponse =
            serde_json::from_value(wire(grant("items:read"))).unwrap();
        assert_eq!(read.usage_identifier_key.as_deref(), Some("usage-app"));
        assert_eq!(read.policy_document.statement[0].resource.len(), 2);
    }

    #[test]
    fn the_text_for_a_bad_credential_is_exactly_unauthorized_and_for_a_fault_never() {
        let text = |error: AnswerError| Diagnostic::from(error).error_message;
        let refused = AnswerError::from(Rejection::Refused(Refusal::ClientRevoked));
        assert_eq!(text(refused), "Unauthorized");
        for fault in [
            Fault::Deadline,
            Fault::Event(crate::event::EventError::Type),
        ] {
            assert!(!text(Rejection::Faulted(fault).into()).contains("Unauthorized"));
        }
    }
}
