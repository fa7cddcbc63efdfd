//! The event that an authorizer would get of a request, for one that is called by itself.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use keygate_model::{Api, AuthorizerEvents};

use super::authorizer_event::{self, Asked};
use super::exchange::Exchange;
use super::stage::Stage;

/// The event for `GET` or another method on a path below the stage, with this `Authorization`, to a
/// gateway on this port; a
/// TOKEN event where the API has no authorizer to say otherwise.
///
/// # Errors
/// When no request can have this method, path and header.
pub fn authorizer_event(
    api: &Api,
    method: &str,
    path: &str,
    authorization: &str,
    port: u16,
) -> Result<Bytes, http::Error> {
    let stage = Stage::of(api);
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/{}{path}", stage.name))
        .header(AUTHORIZATION, authorization);
    let (parts, ()) = request.body(())?.into_parts();
    let method_arn = stage.method_arn(&parts.method, path);
    let asked = Asked {
        stage: &stage,
        path,
        method_arn: &method_arn,
    };
    let authorizer = api.authorizers.values().next();
    Ok(match authorizer.map(|authorizer| &authorizer.events) {
        None | Some(AuthorizerEvents::Token { .. }) => {
            authorizer_event::token(asked, authorization)
        }
        Some(AuthorizerEvents::Request { .. }) => {
            let mut exchange = Exchange::new(&parts, "127.0.0.1".to_owned(), port);
            exchange.resource_path = Some(path.to_owned());
            authorizer_event::request(asked, &exchange)
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keygate_template::{load, offered};
    use serde_json::Value;

    use super::*;

    fn event(kind: &str) -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let given = [("AuthorizerEvents".to_owned(), kind.to_owned())];
        let parameters = offered::parameters(&given, None, "http://127.0.0.1:3001");
        let api = load(&path, &parameters).unwrap().api;
        let event = authorizer_event(&api, "GET", "/keys", "Bearer x", 3000).unwrap();
        serde_json::from_slice(&event).unwrap()
    }

    #[test]
    fn a_sample_is_of_the_events_that_the_authorizer_gets() {
        let token = event("TOKEN");
        let arn = "arn:aws:execute-api:us-east-1:123456789012:local/dev/GET/keys";
        assert_eq!(token["authorizationToken"], "Bearer x");
        let request = event("REQUEST");
        assert_eq!(request["headers"]["authorization"], "Bearer x");
        assert_eq!(
            request["requestContext"]["identity"]["sourceIp"],
            "127.0.0.1"
        );
        assert_eq!(request["requestContext"]["path"], "/dev/keys");
        for (event, kind) in [(&token, "TOKEN"), (&request, "REQUEST")] {
            assert_eq!(
                (&event["type"], &event["methodArn"]),
                (&kind.into(), &arn.into())
            );
        }
    }
}
