//! Proxy-integration events as API Gateway sends them to a handler ("Input format of a Lambda function
//! for proxy integration", API Gateway guide).

use serde_json::{Map, Value, json};

/// All scopes that there are.
pub const ALL_SCOPES: &str = "books:read books:write keys:admin";

/// An event in the making.
pub struct Event(Value);

impl Event {
    /// A request by `me` with all scopes. The path is `/collection`, `/collection/ID` or
    /// `/collection/ID/action`, and may have a query.
    pub fn new(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let (resource, id) = match segments[..] {
            [collection, id] => (format!("/{collection}/{{id}}"), Some(id)),
            [collection, id, action] => (format!("/{collection}/{{id}}/{action}"), Some(id)),
            _ => (path.to_owned(), None),
        };
        let query: Map<String, Value> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!([value])))
            .collect();
        Self(json!({
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": {},
            "multiValueHeaders": {"content-type": ["application/json"]},
            "multiValueQueryStringParameters": query,
            "pathParameters": id.map(|id| json!({"id": id})),
            "requestContext": {
                "httpMethod": method,
                "resourcePath": resource,
                "requestId": "request",
                "apiId": "api",
                "stage": "dev",
                "authorizer": {"principal": "me", "scopes": ALL_SCOPES},
            },
            "isBase64Encoded": false,
        }))
    }

    /// The same by somebody else.
    pub fn by(mut self, principal: &str, scopes: &str) -> Self {
        self.0["requestContext"]["authorizer"] = json!({"principal": principal, "scopes": scopes});
        self
    }

    /// The same to another API.
    pub fn to_api(mut self, id: &str) -> Self {
        self.0["requestContext"]["apiId"] = json!(id);
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0["multiValueHeaders"][name] = json!([value]);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// With a body that is this text.
    pub fn text(mut self, body: &str) -> Self {
        self.0["body"] = json!(body);
        self
    }

    /// As it goes over the wire.
    pub fn wire(&self) -> String {
        self.0.to_string()
    }
}

impl From<Event> for Value {
    fn from(event: Event) -> Self {
        event.0
    }
}
