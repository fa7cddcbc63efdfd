//! What API Gateway is told, in the form in which it goes over the wire ("Output from an API Gateway
//! Lambda authorizer" and "Control access to HTTP APIs with AWS Lambda authorizers", API Gateway
//! guide).
//!
//! Only the exact error text `Unauthorized` becomes 401 at the client. Every other error is the
//! gateway response `AUTHORIZER_FAILURE` or `AUTHORIZER_CONFIGURATION_ERROR`, which the template
//! makes 503.

use std::collections::BTreeMap;

use lambda_runtime::Diagnostic;
use serde::Serialize;

use crate::decision::{Fault, Grant, Rejection};
use crate::event::{AuthorizationRequest, EventFormat};
use crate::policy::Policy;

/// An answer of the kind that the event's API takes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Policy(PolicyAnswer),
    Simple(SimpleAnswer),
}

/// A policy and what goes with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyAnswer {
    principal_id: String,
    policy_document: Policy,
    /// Strings only: API Gateway takes no nested values. `principal`, `credential` and `scopes` are
    /// always there; `client_id`, `key_id` and `issuer` where the credential has them.
    context: Context,
    /// Left out when there is none: `null` is no usage key. HTTP APIs have no usage plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<String>,
}

/// Yes or no for the route that was asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimpleAnswer {
    is_authorized: bool,
    context: Context,
}

type Context = BTreeMap<&'static str, String>;

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

impl Answer {
    /// What a grant means for a request. `simple_responses` is how an HTTP API of payload format 2.0
    /// wants to be answered.
    pub(crate) fn new(
        grant: Grant,
        request: &AuthorizationRequest,
        simple_responses: bool,
    ) -> Self {
        let context = context(&grant);
        if simple_responses && request.format == EventFormat::HttpApi2 {
            return Self::Simple(SimpleAnswer {
                is_authorized: grant.policy.allows(&request.method_arn),
                context,
            });
        }
        let has_usage_plans = matches!(request.format, EventFormat::Token | EventFormat::Request);
        Self::Policy(PolicyAnswer {
            principal_id: grant.principal.name,
            policy_document: grant.policy,
            context,
            usage_identifier_key: grant.usage_key.filter(|_| has_usage_plans),
        })
    }
}

fn context(grant: &Grant) -> Context {
    let principal = &grant.principal;
    let optional = [
        ("client_id", &principal.client_id),
        ("key_id", &principal.key_id),
        ("issuer", &principal.issuer),
    ];
    let optional = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)));
    [
        ("principal", principal.name.clone()),
        ("credential", principal.credential.as_str().to_owned()),
        ("scopes", principal.scopes.to_string()),
    ]
    .into_iter()
    .chain(optional)
    .collect()
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

impl From<crate::event::EventError> for AnswerError {
    fn from(error: crate::event::EventError) -> Self {
        Self::Event(error)
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
    use crate::event::Presented;
    use crate::policy::{MethodArn, OpenRoutes};
    use crate::principal::{CredentialKind, Principal};
    use crate::revocation::Revoked;

    const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";

    fn request(format: EventFormat, route: &str) -> AuthorizationRequest {
        AuthorizationRequest {
            format,
            presented: Presented::default(),
            method_arn: MethodArn::parse(&format!("{STAGE}/{route}")).unwrap(),
            source: None,
        }
    }

    fn grant(scopes: &str) -> Grant {
        let scopes = scopes.parse().unwrap();
        let arn = request(EventFormat::Token, "GET/items").method_arn;
        Grant {
            policy: OpenRoutes::default().policy(&arn, &scopes).unwrap(),
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

    fn wire_for(format: EventFormat, grant: Grant) -> Value {
        let answer = Answer::new(grant, &request(format, "GET/items"), false);
        serde_json::to_value(answer).unwrap()
    }

    fn wire(grant: Grant) -> Value {
        wire_for(EventFormat::Token, grant)
    }

    fn simple(scopes: &str, route: &str) -> Value {
        let answer = Answer::new(grant(scopes), &request(EventFormat::HttpApi2, route), true);
        serde_json::to_value(answer).unwrap()
    }

    #[test]
    fn an_allow_has_the_wire_form_that_api_gateway_reads() {
        assert_eq!(
            wire(grant("items:read")),
            json!({
                "principalId": "alice",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow",
                        "Resource": [format!("{STAGE}/GET/items"), format!("{STAGE}/GET/items/*")],
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
                        "Resource": [format!("{STAGE}/*")],
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
        let refused = AnswerError::from(Rejection::Refused(Refusal::Revoked(Revoked::Client)));
        assert_eq!(text(refused), "Unauthorized");
        for fault in [
            Fault::Deadline,
            Fault::Event(crate::event::EventError::Type),
        ] {
            assert!(!text(Rejection::Faulted(fault).into()).contains("Unauthorized"));
        }
    }

    #[test]
    fn a_rest_api_of_either_event_is_told_the_usage_key_and_an_http_api_is_not() {
        for (format, key) in [
            (EventFormat::Token, Some("usage-app")),
            (EventFormat::Request, Some("usage-app")),
            (EventFormat::HttpApi1, None),
            (EventFormat::HttpApi2, None),
        ] {
            let answer = wire_for(format, grant("items:read"));
            assert_eq!(
                answer.get("usageIdentifierKey").and_then(Value::as_str),
                key
            );
            assert_eq!(answer["principalId"], "alice");
            assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
        }
    }

    #[test]
    fn a_simple_answer_says_yes_for_an_open_route_only() {
        let answer = simple("items:read", "GET/items/7");
        assert_eq!(answer["isAuthorized"], true);
        assert_eq!(answer["context"]["principal"], "alice");
        assert_eq!(answer.as_object().unwrap().len(), 2);
        for route in [
            "POST/items",
            "GET/keys",
            "GET/",
            "GET/items2",
            "OPTIONS/items",
            "GET/*",
        ] {
            assert_eq!(
                simple("items:read", route)["isAuthorized"],
                false,
                "{route}"
            );
        }
        assert_eq!(simple("", "GET/items")["isAuthorized"], false);
    }
}
