//! What tests stand on: the key table in a DynamoDB of its own on loopback, which the SDK reaches
//! like any other, and events as API Gateway sends them.

pub(crate) mod api_gateway;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_api_key::ApiKey;
use keygate_issuing::{Issuing, Store};
use keygate_key_record::{Item, KeyRecord, Status};
use keygate_outbound::Outbound;
use keygate_problem::Problem;
use keygate_proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
pub(crate) use keygate_tests::event::{ALL_SCOPES, Event};
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use self::api_gateway::ApiGateway;
use crate::handler::Keys;

pub(crate) const TABLE: &str = "keys";
/// Where the tests' API is.
pub(crate) const PUBLIC_URL: &str = "https://api.example.com/dev";

pub(crate) struct Rig {
    client: Client,
    pub(crate) keys: Keys,
    pub(crate) api_gateway: ApiGateway,
}

impl Rig {
    /// A rig whose keys get usage keys, on a plan by its name or by its id.
    pub(crate) async fn start() -> Self {
        let mut rig = Self::without_plans();
        let (api_gateway, client) = ApiGateway::start().await;
        let plans = "standard=stack-standard,partner=plan-partner".parse();
        let store = Store::new(rig.client.clone(), TABLE.to_owned());
        rig.keys.issuing = Issuing::new(store).with_usage_keys(client, plans.unwrap());
        rig.api_gateway = api_gateway;
        rig
    }

    /// A rig without usage plans.
    pub(crate) fn without_plans() -> Self {
        let (_, url) = keygate_tests::table::serve(json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "owner", "AttributeType": "S"},
                {"AttributeName": "created_at", "AttributeType": "N"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "owner-index",
                "KeySchema": [
                    {"AttributeName": "owner", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }],
        }));
        Self::on(client(&url, RetryConfig::standard()))
    }

    /// A rig whose table nobody serves.
    pub(crate) fn without_table() -> Self {
        // Port 1 (tcpmux) refuses on loopback.
        Self::on(client("http://127.0.0.1:1", RetryConfig::disabled()))
    }

    fn on(client: Client) -> Self {
        let issuing = Issuing::new(Store::new(client.clone(), TABLE.to_owned()));
        Self {
            client,
            keys: Keys { issuing },
            api_gateway: ApiGateway::default(),
        }
    }

    /// A key's item in the table.
    pub(crate) async fn item(&self, id: &str) -> Item {
        let get = self.client.get_item().table_name(TABLE);
        let get = get.key("pk", AttributeValue::S(format!("key#{id}")));
        get.send().await.unwrap().item.unwrap()
    }

    pub(crate) async fn record(&self, id: &str) -> KeyRecord {
        KeyRecord::from_item(&self.item(id).await).unwrap()
    }

    /// Everything that the table holds.
    pub(crate) async fn items(&self) -> Vec<Item> {
        let scanned = self.client.scan().table_name(TABLE).send().await;
        scanned.unwrap().items.unwrap_or_default()
    }

    pub(crate) async fn delete(&self, id: &str) {
        let delete = self.client.delete_item().table_name(TABLE);
        let delete = delete.key("pk", AttributeValue::S(format!("key#{id}")));
        delete.send().await.unwrap();
    }

    pub(crate) async fn drop_table(&self) {
        let delete = self.client.delete_table().table_name(TABLE);
        delete.send().await.unwrap();
    }

    pub(crate) async fn put(&self, item: Item) {
        let put = self.client.put_item().table_name(TABLE);
        put.set_item(Some(item)).send().await.unwrap();
    }

    /// Puts a key of `owner` that was created at `created_at` (epoch seconds).
    pub(crate) async fn put_key(&self, owner: &str, created_at: u64) -> KeyRecord {
        let key = ApiKey::generate().unwrap();
        let record = KeyRecord {
            id: key.id().clone(),
            secret: key.secret_hash(),
            previous: None,
            owner: owner.to_owned(),
            name: "by hand".to_owned(),
            scopes: "items:read".parse().unwrap(),
            status: Status::Active,
            created_at,
            expires_at: None,
            usage_key: None,
            usage_plan: None,
            allowed_cidrs: Vec::new(),
        };
        self.put(record.to_item()).await;
        record
    }

    /// Issues a key to `me`.
    pub(crate) async fn issue(&self) -> Reply {
        let event = Event::new("POST", "/keys");
        let body = json!({"name": "nightly import", "scopes": ["items:read"]});
        let reply = self.answer(event.json(&body)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply
    }

    /// Answers an event as the function would.
    pub(crate) async fn answer(&self, event: Event) -> Reply {
        match self.keys.answer(&request(&event)).await {
            Ok(response) => Reply::of(&response),
            Err(problem) => Reply {
                status: problem.kind.status,
                cache_control: None,
                location: None,
                body: problem.to_json(PUBLIC_URL, "request"),
                problem: Some(problem),
            },
        }
    }
}

/// A response, or the problem that stands for one.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) cache_control: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Value,
    pub(crate) problem: Option<Problem>,
}

impl Reply {
    fn of(response: &Response<Body>) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            cache_control: header("cache-control"),
            location: header("location"),
            body: serde_json::from_slice(response.body()).unwrap_or_default(),
            problem: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    /// The whole key that the answer shows.
    pub(crate) fn key(&self) -> ApiKey {
        self.body["key"].as_str().unwrap().parse().unwrap()
    }

    /// A header of the problem.
    pub(crate) fn problem_header(&self, name: &str) -> Option<&str> {
        let headers = &self.problem.as_ref()?.headers;
        let found = headers.iter().find(|(header, _)| header == name)?;
        Some(found.1.as_str())
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
