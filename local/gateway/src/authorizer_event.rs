//! The event that an authorizer gets ("Input to an API Gateway Lambda authorizer", API Gateway guide).

use bytes::Bytes;
use serde_json::{Value, json};

use super::event_headers::headers;
use super::exchange::Exchange;
use super::proxy_event::{query, request_context};
use super::stage::Stage;

/// A request on its way to the authorizer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) stage: &'a Stage,
    /// The path below the stage.
    pub(super) path: &'a str,
    pub(super) method_arn: &'a str,
}

/// A TOKEN event: one header, and nothing else of the request.
pub(super) fn token(asked: Asked<'_>, credential: &str) -> Bytes {
    let event = json!({
        "type": "TOKEN",
        "methodArn": asked.method_arn,
        "authorizationToken": credential,
    });
    Bytes::from(event.to_string())
}

/// A REQUEST event: all of the request but its body.
pub(super) fn request(asked: Asked<'_>, exchange: &Exchange) -> Bytes {
    let (headers, multi_headers) = headers(exchange);
    let (query, multi_query) = query(exchange.query.as_deref());
    let parameters = exchange.path_parameters.iter();
    let parameters = parameters.map(|(name, value)| (name.clone(), json!(value)));
    let event = json!({
        "type": "REQUEST",
        "methodArn": asked.method_arn,
        "resource": exchange.resource_path,
        "path": asked.path,
        "httpMethod": exchange.method.as_str(),
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": or_empty(query),
        "multiValueQueryStringParameters": or_empty(multi_query),
        "pathParameters": Value::Object(parameters.collect()),
        "stageVariables": asked.stage.variables,
        "requestContext": request_context(exchange, asked.stage),
    });
    Bytes::from(event.to_string())
}

/// Where a handler's event says `null`, an authorizer's has an empty object.
fn or_empty(value: Value) -> Value {
    match value {
        Value::Null => json!({}),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_request_event_has_every_member_and_says_where_the_request_comes_from() {
        let request = http::Request::get("/dev/books/7?q=1&q=2")
            .header("Authorization", "Bearer x")
            .header("X-Forwarded-For", "198.51.100.1");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut exchange = Exchange::new(&parts, "192.0.2.1".to_owned(), 3000);
        exchange.resource_path = Some("/books/{id}".to_owned());
        exchange.path_parameters = vec![("id".to_owned(), "7".to_owned())];
        let stage = Stage {
            api_id: "local".to_owned(),
            name: "dev".to_owned(),
            variables: BTreeMap::new(),
            binary: crate::binary::BinaryMediaTypes::default(),
        };
        let asked = Asked {
            stage: &stage,
            path: "/books/7",
            method_arn: "arn",
        };
        let event: Value = serde_json::from_slice(&super::request(asked, &exchange)).unwrap();
        let members: Vec<&str> = event
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let expected = [
            "headers",
            "httpMethod",
            "methodArn",
            "multiValueHeaders",
            "multiValueQueryStringParameters",
            "path",
            "pathParameters",
            "queryStringParameters",
            "requestContext",
            "resource",
            "stageVariables",
            "type",
        ];
        assert_eq!(members, expected);
        assert_eq!(event["type"], "REQUEST");
        assert_eq!(event["resource"], "/books/{id}");
        assert_eq!(event["pathParameters"], json!({"id": "7"}));
        assert_eq!(event["queryStringParameters"], json!({"q": "2"}));
        assert_eq!(
            event["multiValueQueryStringParameters"],
            json!({"q": ["1", "2"]})
        );
        assert_eq!(event["stageVariables"], json!({}));
        assert_eq!(event["headers"]["authorization"], "Bearer x");
        let context = &event["requestContext"];
        assert_eq!(context["identity"]["sourceIp"], "192.0.2.1");
        assert_eq!(context["stage"], "dev");
        assert_eq!(context.get("authorizer"), None);
    }
}
