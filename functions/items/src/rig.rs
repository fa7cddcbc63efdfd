//! What tests stand on: the table in a DynamoDB of its own on loopback, which the SDK reaches like
//! any other, and events as API Gateway sends them.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_outbound::Outbound;
use keygate_problem::Problem;
use keygate_proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
pub(crate) use keygate_tests::event::Event;
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
    pub(crate) fn start() -> Self {
        let (_, url) = keygate_tests::table::serve(json!({
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
        }));
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
        match handler::answer(&request(&event), &self.store).await {
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
        .http_client(keygate_aws::http_client(
            &Outbound::new(&keygate_settings::Settings::default()).unwrap(),
        ));
    Client::from_conf(config.build())
}

/// An event as the handler gets it.
fn request(event: &Event) -> ProxyRequest {
    let settings = ProxySettings {
        allowed_origins: AllowedOrigins::Any,
        public_url: Some(PUBLIC_URL.to_owned()),
    };
    let event = serde_json::from_str(&event.wire()).unwrap();
    ProxyRequest::new(LambdaRequest::ApiGatewayV1(event).into(), &settings)
}
