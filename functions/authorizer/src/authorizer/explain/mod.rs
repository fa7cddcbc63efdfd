//! `explain`: every check of a credential with its outcome, for a person who looks into a 401.
//!
//! It makes the checks of [`crate::verify`] and [`crate::api_key`] one by one, goes on behind a
//! failed one where the next can still be made, and shows claims and records, never a secret or a
//! signature. It runs where an operator starts it, not in Lambda.

mod key;
mod report;
mod token;

use std::net::IpAddr;
use std::time::SystemTime;

use keygate_principal::scope::Scopes;
use keygate_routes::ROUTES;

use crate::authorizer::Authorizer;
use crate::credential::Credential;
use crate::decision::{Refusal, Rejection};
use crate::event::Presented;

pub(crate) use self::report::Report;

/// A check's failure.
#[derive(Debug)]
struct Failure {
    /// The reason code.
    code: &'static str,
    /// The reason in words.
    reason: String,
    /// Whether nobody can tell, rather than the credential being at fault.
    is_fault: bool,
}

impl Failure {
    fn of(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code(),
            reason: rejection.to_string(),
            is_fault: matches!(rejection, Rejection::Faulted(_)),
        }
    }

    fn of_refusal(refusal: impl Into<Refusal>) -> Self {
        Self::of(&refusal.into().into())
    }
}

impl Authorizer {
    /// Explains what a request with this `Authorization` header would be told; a credential without
    /// a scheme counts as one behind `Bearer`. `source` is where the request would come from.
    pub(crate) async fn explain(&self, presented: &str, source: Option<IpAddr>) -> Report {
        let presented = presented.trim();
        let header = match presented.split_once(' ') {
            None if !presented.is_empty() => format!("Bearer {presented}"),
            _ => presented.to_owned(),
        };
        let presented = Presented {
            authorization: vec![header],
            api_key: Vec::new(),
        };
        let mut report = Report::default();
        let scopes = match Credential::of(&presented) {
            Err(error) => {
                let failure = Failure::of_refusal(error);
                let forms = "Bearer <JWT>, Bearer <API key> or ApiKey <API key>";
                report.failed("credential", "not shown", failure, Some(forms.to_owned()));
                None
            }
            Ok(Credential::Token(text)) => {
                report.passed("credential", "a token");
                self.explain_token(text, SystemTime::now(), &mut report)
                    .await
            }
            Ok(Credential::ApiKey(key)) => {
                let found = format!("an API key with the id {}", key.id());
                report.passed("credential", found);
                self.explain_key(&key, source, &mut report).await
            }
        };
        if let Some(scopes) = scopes {
            explain_routes(&scopes, &mut report);
        }
        report
    }
}

/// The routes that need a credential, and whether these scopes open them.
fn explain_routes(scopes: &Scopes, report: &mut Report) {
    for route in &ROUTES {
        if let Some(scope) = route.scope {
            let name = format!("{} {}", route.method, route.path);
            report.route(scopes.contains(scope), name, scope);
        }
    }
}
