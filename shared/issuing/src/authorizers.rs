//! What API Gateway says of an API's Lambda authorizers, for whoever is told by no setting.

use aws_sdk_apigateway::types::{Authorizer, AuthorizerType};

use crate::apigateway::ApiGatewayError;
use crate::authorizer_events::AuthorizerEvents;
use crate::issuing::Issuing;
use crate::metering::PAGE;

/// How an authorizer names the source address among its identity sources.
const SOURCE_ADDRESS: &str = "context.identity.sourceIp";

/// Why nobody can say which events an API's authorizer gets, or rely on them.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthorizersError {
    /// API Gateway does not answer or refuses, as for an API that there is not.
    #[error(transparent)]
    ApiGateway(#[from] ApiGatewayError),
    /// The authorizer of this name is told the source address, and its answer for one address is
    /// kept for every other.
    #[error(
        "the authorizer {0} is told where a request comes from, but its answers are kept for \
         requests from elsewhere as well: name {SOURCE_ADDRESS} among its identity sources, or keep \
         none"
    )]
    SharedAnswers(String),
}

impl Issuing {
    /// The events of an API's authorizers: `REQUEST` where every one gets these. `None` where API
    /// Gateway is not to be asked, or the API has no Lambda authorizer.
    ///
    /// # Errors
    /// When API Gateway cannot be asked, or answers for one address are kept for others.
    pub async fn authorizer_events(
        &self,
        api_id: &str,
    ) -> Result<Option<AuthorizerEvents>, AuthorizersError> {
        let Some(metering) = &self.metering else {
            return Ok(None);
        };
        let listed = metering.client.get_authorizers().rest_api_id(api_id);
        // An API has 10 authorizers at most.
        let listed = listed.limit(PAGE).send().await;
        let listed = listed.map_err(ApiGatewayError::of)?;
        events(listed.items())
    }
}

fn events(authorizers: &[Authorizer]) -> Result<Option<AuthorizerEvents>, AuthorizersError> {
    let mut events = None;
    for authorizer in authorizers {
        match authorizer.r#type() {
            Some(AuthorizerType::Token) => return Ok(Some(AuthorizerEvents::Token)),
            Some(AuthorizerType::Request) => events = Some(AuthorizerEvents::Request),
            _ => {}
        }
    }
    let mut authorizers = authorizers.iter();
    let shares = |authorizer: &&Authorizer| {
        authorizer.r#type() == Some(&AuthorizerType::Request) && shares_answers(authorizer)
    };
    match authorizers.find(shares) {
        Some(authorizer) => Err(AuthorizersError::SharedAnswers(
            authorizer.name().unwrap_or_default().to_owned(),
        )),
        None => Ok(events),
    }
}

/// Whether answers are kept, by identity sources of which none is the source address.
fn shares_answers(authorizer: &Authorizer) -> bool {
    let mut sources = authorizer.identity_source().unwrap_or_default().split(',');
    // API Gateway keeps answers for 300 seconds when it is not told.
    let is_kept = authorizer.authorizer_result_ttl_in_seconds() != Some(0);
    is_kept && !sources.any(|source| source.trim() == SOURCE_ADDRESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "method.request.header.Authorization, context.identity.sourceIp";

    fn authorizer(kind: AuthorizerType, sources: &str, ttl: Option<i32>) -> Authorizer {
        Authorizer::builder()
            .name("Credential")
            .r#type(kind)
            .identity_source(sources)
            .set_authorizer_result_ttl_in_seconds(ttl)
            .build()
    }

    #[test]
    fn every_authorizer_must_be_told_the_source_address() {
        let token = || authorizer(AuthorizerType::Token, "method.request.header.X", Some(60));
        let request = || authorizer(AuthorizerType::Request, BOTH, Some(60));
        let users = || authorizer(AuthorizerType::CognitoUserPools, "x", None);
        for (authorizers, expected) in [
            (vec![], None),
            (vec![users()], None),
            (vec![token()], Some(AuthorizerEvents::Token)),
            (vec![request(), users()], Some(AuthorizerEvents::Request)),
            (vec![request(), token()], Some(AuthorizerEvents::Token)),
        ] {
            assert_eq!(events(&authorizers).unwrap(), expected);
        }
    }

    #[test]
    fn answers_that_are_kept_must_be_kept_by_source_address() {
        let header = "method.request.header.Authorization";
        let close = "method.request.header.Authorization,context.identity.sourceIpX";
        for (sources, ttl, is_shared) in [
            (BOTH, Some(60), false),
            (BOTH, None, false),
            (header, Some(60), true),
            (header, None, true),
            (close, Some(1), true),
            ("", None, true),
            (header, Some(0), false),
            ("", Some(0), false),
        ] {
            let authorizers = [authorizer(AuthorizerType::Request, sources, ttl)];
            let found = events(&authorizers);
            assert_eq!(found.is_err(), is_shared, "{sources} {ttl:?}");
        }
    }
}
