//! What API Gateway is told, in the form in which it goes over the wire ("Output from an API Gateway
//! Lambda authorizer" and "Control access to HTTP APIs with AWS Lambda authorizers", API Gateway
//! guide).
//!
//! Only the exact error text `Unauthorized` becomes 401 at the client. Every other error is the
//! gateway response `AUTHORIZER_FAILURE` or `AUTHORIZER_CONFIGURATION_ERROR`, which the template
//! makes 503.

use std::borrow::Cow;
use std::collections::BTreeMap;

use keygate_policy::Policy;
use keygate_principal::name::in_access_log;
use lambda_runtime::Diagnostic;
use serde::Serialize;

use crate::decision::{Fault, Grant, Rejection};
use crate::event::{AuthorizationRequest, EventError, EventFormat};

/// An answer of the kind that the event's API takes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// For a REST API, and an HTTP API that wants one.
    Policy(PolicyAnswer),
    /// For an HTTP API that asks for each route by itself.
    Simple(SimpleAnswer),
}

/// A policy and what goes with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer {
    /// The principal as the access log has it, where it stands by this name.
    principal_id: String,
    policy_document: Policy,
    /// Strings only: API Gateway takes no nested values. `principal`, `credential` and `scopes` are
    /// always there; `client_id`, `key_id`, `issuer`, the claims that are passed on and metadata where the
    /// credential has them.
    context: Context,
    /// Left out when there is none: `null` is no usage key. HTTP APIs have no usage plans.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<String>,
}

/// Yes or no for the route that was asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimpleAnswer {
    is_authorized: bool,
    context: Context,
}

type Context = BTreeMap<Cow<'static, str>, String>;

/// An error for the Runtime API. Its texts are these and no other, so that nothing of a request
/// can be in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerError {
    /// The credential is at fault.
    Unauthorized,
    /// Something that the decision depends on is.
    Unavailable,
    /// The event is none that this function answers.
    Event(EventError),
}

impl Answer {
    /// A policy, in which is what the grant opens.
    pub(crate) fn policy(grant: Grant, request: &AuthorizationRequest) -> Self {
        let has_usage_plans = matches!(request.format, EventFormat::Token | EventFormat::Request);
        Self::Policy(PolicyAnswer {
            context: context(&grant),
            principal_id: in_access_log(&grant.principal.name).into_owned(),
            policy_document: grant.policy,
            usage_identifier_key: grant.usage_key.filter(|_| has_usage_plans),
        })
    }

    /// Yes or no, for the one route that was asked for.
    pub(crate) fn simple(is_authorized: bool, grant: &Grant) -> Self {
        Self::Simple(SimpleAnswer {
            is_authorized,
            context: context(grant),
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
    let own = [
        ("principal", principal.name.clone()),
        ("credential", principal.credential.as_str().to_owned()),
        ("scopes", principal.scopes.to_string()),
    ];
    let own = own.into_iter().chain(optional);
    let told = principal.told.iter();
    told.map(|(name, value)| (Cow::Owned(name.clone()), value.clone()))
        .chain(own.map(|(name, value)| (Cow::Borrowed(name), value)))
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

impl From<EventError> for AnswerError {
    fn from(error: EventError) -> Self {
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
    use keygate_policy::{MethodArn, Policies, Room};
    use serde_json::{Value, json};

    use super::*;
    use crate::decision::Refusal;
    use crate::event::Presented;
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
        let table = "GET /books books:read\nGET /books/{id} books:read\nPOST /books books:write";
        let policies = Policies::new(&table.parse().unwrap(), Room::of(None, None)).unwrap();
        let scopes = scopes.parse().unwrap();
        let arn = request(EventFormat::Token, "GET/books").method_arn;
        Grant {
            policy: policies.policy(&arn, &scopes).unwrap(),
            principal: Principal {
                name: "alice".into(),
                credential: CredentialKind::Jwt,
                scopes,
                client_id: Some("app".into()),
                key_id: None,
                issuer: Some("https://login.example.com/".into()),
                told: BTreeMap::new(),
            },
            usage_key: Some("usage-app".into()),
        }
    }

    fn wire_for(format: EventFormat, grant: Grant) -> Value {
        let answer = Answer::policy(grant, &request(format, "GET/books"));
        serde_json::to_value(answer).unwrap()
    }

    fn wire(grant: Grant) -> Value {
        wire_for(EventFormat::Token, grant)
    }

    #[test]
    fn an_allow_has_the_wire_form_that_api_gateway_reads() {
        assert_eq!(
            wire(grant("books:read")),
            json!({
                "principalId": "alice",
                "policyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow",
                        "Resource": [format!("{STAGE}/GET/books"), format!("{STAGE}/GET/books/*")],
                    }, {
                        "Action": "execute-api:Invoke",
                        "Effect": "Deny",
                        "Resource": [format!("{STAGE}/GET/books/*/*")],
                    }],
                },
                "context": {
                    "principal": "alice",
                    "credential": "jwt",
                    "scopes": "books:read",
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
        denied.principal.told = [("metadata_tenant".to_owned(), "acme".to_owned())].into();
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
                    "metadata_tenant": "acme",
                },
            })
        );
    }

    #[test]
    fn claims_are_told_and_never_in_place_of_our_own_names() {
        let mut told = grant("books:read");
        let claims = [("claim_tenant", "acme"), ("principal", "mallory")];
        told.principal.told = claims
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let context = &wire(told)["context"];
        assert_eq!(context["claim_tenant"], "acme");
        assert_eq!(context["principal"], "alice");
    }

    #[test]
    fn the_principal_s_id_can_stand_in_a_log_line_and_the_context_has_the_name_itself() {
        let mut windows = grant("books:read");
        windows.principal.name = r"DOMAIN\user".into();
        let answer = wire(windows);
        assert_eq!(answer["principalId"], "DOMAIN%5Cuser");
        assert_eq!(answer["context"]["principal"], r"DOMAIN\user");
    }

    #[test]
    fn the_published_event_types_read_the_answer() {
        let read: ApiGatewayCustomAuthorizerResponse =
            serde_json::from_value(wire(grant("books:read"))).unwrap();
        assert_eq!(read.usage_identifier_key.as_deref(), Some("usage-app"));
        assert_eq!(read.policy_document.statement[0].resource.len(), 2);
    }

    #[test]
    fn the_text_for_a_bad_credential_is_exactly_unauthorized_and_for_a_fault_never() {
        let text = |error: AnswerError| Diagnostic::from(error).error_message;
        let refused = AnswerError::from(Rejection::Refused(Refusal::Revoked(Revoked::Client)));
        assert_eq!(text(refused), "Unauthorized");
        for fault in [Fault::Deadline, Fault::Event(EventError::Type)] {
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
            let answer = wire_for(format, grant("books:read"));
            assert_eq!(
                answer.get("usageIdentifierKey").and_then(Value::as_str),
                key
            );
            assert_eq!(answer["principalId"], "alice");
            assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
        }
    }

    #[test]
    fn a_simple_answer_says_yes_or_no_and_who_is_calling() {
        for is_open in [true, false] {
            let answer = Answer::simple(is_open, &grant("books:read"));
            let answer = serde_json::to_value(answer).unwrap();
            assert_eq!(answer["isAuthorized"], is_open);
            assert_eq!(answer["context"]["principal"], "alice");
            assert_eq!(answer.as_object().unwrap().len(), 2);
        }
    }
}
