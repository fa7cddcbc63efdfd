//! What tests stand on: the table in a DynamoDB of its own on loopback, which the SDK reaches like
//! any other, and events as API Gateway sends them.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use keygate::outbound::Outbound;
use keygate::problem::Problem;
use keygate::proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use crate::handler;
use crate::store::Store;

const TABLE: &str = "items";
/// Where the tests' API is.
pub(crate) const PUBLIC_URL: &str = "https://api.example.com/dev";

pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) store: Store,
}

/// A response, or the problem that stands for one.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Value,
    pub(crate) problem: Option<Problem>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                {"AttributeName": "owner", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "owner", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        });
        database
            .create_table(serde_json::from_value(table).unwrap())
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let client = client(&url, RetryConfig::standard());
        Self {
            store: Store::new(client.clone(), TABLE.to_owned()),
            client,
        }
    }

    /// A rig whose table nobody serves.
    pub(crate) fn without_table() -> Self {
        // Port 1 (tcpmux) refuses on loopback.
        let client = client("http://127.0.0.1:1", RetryConfig::disabled());
        Self {
            store: Store::new(client.clone(), TABLE.to_owned()),
            client,
        }
    }

    /// Everything that the table holds.
    pub(crate) async fn contents(&self) -> Vec<HashMap<String, AttributeValue>> {
        let scanned = self.client.scan().table_name(TABLE).send().await;
        scanned.unwrap().items.unwrap_or_default()
    }

    pub(crate) async fn put(&self, attributes: HashMap<String, AttributeValue>) {
        let put = self.client.put_item().table_name(TABLE);
        put.set_item(Some(attributes)).send().await.unwrap();
    }

    /// Answers an event as the function would.
    pub(crate) async fn answer(&self, event: Event) -> Reply {
        match handler::answer(&event.request(), &self.store).await {
            Ok(response) => Reply::of(&response),
            Err(problem) => Reply {
                status: problem.kind.status,
                etag: None,
                location: None,
                body: problem.to_json(PUBLIC_URL, "request"),
                problem: Some(problem),
            },
        }
    }
}

impl Reply {
    fn of(response: &Response<Body>) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            etag: header("etag"),
            location: header("location"),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
            problem: None,
        }
    }

    /// The slug of the problem's type.
    pub(crate) fn slug(&self) -> &str {
        self.problem
            .as_ref()
            .map_or("", |problem| problem.kind.slug)
    }
}

fn client(endpoint: &str, retry: RetryConfig) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .retry_config(retry)
        .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
        .http_client(keygate::aws::http_client(&Outbound::new().unwrap()));
    Client::from_conf(config.build())
}

/// A proxy-integration event in the making.
pub(crate) struct Event(Value);

impl Event {
    /// A request by somebody with all scopes of items. The path may have a query.
    pub(crate) fn new(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let id = path.strip_prefix("/items/");
        let resource = if id.is_some() {
            "/items/{id}"
        } else {
            "/items"
        };
        let query: serde_json::Map<String, Value> = query
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
                "stage": "dev",
                "authorizer": {"principal": "me", "scopes": "items:read items:write"},
            },
            "isBase64Encoded": false,
        }))
    }

    pub(crate) fn by(mut self, principal: &str, scopes: &str) -> Self {
        self.0["requestContext"]["authorizer"] = json!({"principal": principal, "scopes": scopes});
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.0["multiValueHeaders"][name] = json!([value]);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    pub(crate) fn text(mut self, body: &str) -> Self {
        self.0["body"] = json!(body);
        self
    }

    fn request(&self) -> ProxyRequest {
        let settings = ProxySettings {
            allowed_origins: AllowedOrigins::Any,
            public_url: Some(PUBLIC_URL.to_owned()),
        };
        let event = serde_json::from_str(&self.0.to_string()).unwrap();
        ProxyRequest::new(LambdaRequest::ApiGatewayV1(event).into(), &settings)
    }
}
