//! What tests stand on: the table in a DynamoDB of its own on loopback, which the SDK reaches like
//! any other, and events as API Gateway sends them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use keygate_outbound::Outbound;
use keygate_problem::Problem;
use keygate_proxy::{AllowedOrigins, ProxyRequest, ProxySettings};
pub(crate) use keygate_tests::event::Event;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use crate::handler;
use crate::table::Table;

const TABLE: &str = "items";
/// Where the tests' API is.
pub(crate) const PUBLIC_URL: &str = "https://api.example.com/dev";

pub(crate) struct Rig {
    table: Arc<Table>,
    lost: Lost,
}

/// A response, or the problem that stands for one.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: String,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
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
        let backoff = Duration::from_millis(1);
        Self::at(&url, RetryConfig::standard().with_initial_backoff(backoff))
    }

    /// A rig whose table nobody serves.
    pub(crate) fn without_table() -> Self {
        // Port 1 (tcpmux) refuses on loopback.
        Self::at("http://127.0.0.1:1", RetryConfig::disabled())
    }

    fn at(endpoint: &str, retry: RetryConfig) -> Self {
        let lost = Lost::default();
        let outbound = Outbound::new(&keygate_settings::Settings::default()).unwrap();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .retry_config(retry)
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .http_client(Losing(keygate_aws::http_client(&outbound), lost.clone()));
        Self {
            table: Arc::new(Table {
                client: Client::from_conf(config.build()),
                name: TABLE.to_owned(),
            }),
            lost,
        }
    }

    /// Has the next call of this operation carried out, and its answer lost on the way.
    pub(crate) fn lose_the_answer_of(&self, operation: &'static str) {
        *self.lost.lock().unwrap() = Some(operation);
    }

    /// Whether the answer was lost.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost.lock().unwrap().is_none()
    }

    /// Everything that the table holds.
    pub(crate) async fn contents(&self) -> Vec<HashMap<String, AttributeValue>> {
        let scanned = self.table.client.scan().table_name(TABLE).send().await;
        scanned.unwrap().items.unwrap_or_default()
    }

    pub(crate) async fn put(&self, attributes: HashMap<String, AttributeValue>) {
        let put = self.table.client.put_item().table_name(TABLE);
        put.set_item(Some(attributes)).send().await.unwrap();
    }

    /// Answers an event as the function would.
    pub(crate) async fn answer(&self, event: Event) -> Reply {
        match handler::answer(request(&event), Arc::clone(&self.table)).await {
            Ok(response) => Reply::of(&response),
            Err(problem) => Reply {
                status: problem.kind.status,
                etag: String::new(),
                location: None,
                text: String::new(),
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
            etag: header("etag").unwrap_or_default(),
            location: header("location"),
            text: String::from_utf8(response.body().to_vec()).unwrap(),
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

    /// The path of the item.
    pub(crate) fn path(&self) -> String {
        format!("/items/{}", self.body["id"].as_str().unwrap())
    }
}

/// The function's own routes.
const ROUTES: &str = "GET /items items:read\nPOST /items items:write\nGET /items/{id} items:read\n\
                      PUT /items/{id} items:write\nDELETE /items/{id} items:write";

/// A request by `me`, who may do everything.
pub(crate) fn ask(method: &str, path_and_query: &str) -> Event {
    Event::new(method, path_and_query).by("me", "items:read items:write")
}

/// An event as the handler gets it.
fn request(event: &Event) -> ProxyRequest {
    let settings = ProxySettings {
        allowed_origins: AllowedOrigins::Any,
        public_url: Some(PUBLIC_URL.to_owned()),
        routes: ROUTES.parse().ok().map(Arc::new),
    };
    let event = serde_json::from_str(&event.wire()).unwrap();
    ProxyRequest::new(LambdaRequest::ApiGatewayV1(event).into(), &settings)
}

/// The operation whose next answer is lost.
type Lost = Arc<Mutex<Option<&'static str>>>;

/// The function's HTTP client on a line that loses answers.
#[derive(Debug)]
struct Losing<C>(C, Lost);

impl HttpClient for Losing<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.0.http_connector(settings, components);
        SharedHttpConnector::new(Losing(inner, Arc::clone(&self.1)))
    }
}

impl HttpConnector for Losing<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_lost = {
            let mut lost = self.1.lock().unwrap();
            let named = lost.take_if(|operation| target.ends_with(*operation));
            named.is_some()
        };
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            match answer.await? {
                _ if is_lost => Err(ConnectorError::io("the answer was lost".into())),
                answer => Ok(answer),
            }
        })
    }
}
