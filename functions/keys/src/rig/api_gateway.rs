//! A stand-in for API Gateway's management API, an outside service, that fails where it is told
//! to. It keeps what it is told, and checks what API Gateway checks: values are unique, a usage
//! key is on one plan, and what is named exists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::config::retry::RetryConfig;
use aws_sdk_apigateway::config::{BehaviorVersion, Config, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use keygate_key_record::now;
use keygate_outbound::Outbound;
use serde_json::{Value, json};

/// How many entries a page has, whatever the request asks for: few, so that lists have several.
const PAGE: usize = 2;

/// The plans there are, by id and name.
pub(crate) const PLANS: [(&str, &str); 3] = [
    ("plan-other", "other"),
    ("plan-standard", "stack-standard"),
    ("plan-partner", "stack-partner"),
];

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not carried out: 503.
    Unavailable,
    /// It is carried out, and the answer says 503.
    Lost,
    /// It is not carried out: 429.
    Throttled,
    /// It is not carried out: 403.
    Refused,
    /// It finds nothing: 404.
    NotFound,
    /// It is not carried out, as another change is under way: 409.
    Conflict,
    /// It is not answered for a minute.
    Hangs,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) created_at: u64,
    pub(crate) plan: Option<String>,
}

#[derive(Debug, Default)]
struct World {
    keys: Vec<Key>,
    made: usize,
    flushed: Vec<String>,
    calls: Vec<String>,
    faults: Vec<(String, Fault, usize)>,
}

/// The stand-in, and how to look into it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiGateway(Arc<Mutex<World>>);

impl ApiGateway {
    /// Starts it, and gives a client of it whose retries do not wait.
    pub(crate) async fn start() -> (Self, Client) {
        let world = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let retry = RetryConfig::standard().with_initial_backoff(std::time::Duration::ZERO);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(url)
            .retry_config(retry)
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .http_client(keygate_aws::http_client(
                &Outbound::new(&keygate_settings::Settings::default()).unwrap(),
            ));
        (world, Client::from_conf(config.build()))
    }

    /// Has the next calls of this operation fail.
    pub(crate) fn fail(&self, operation: &str, fault: Fault, times: usize) {
        let mut world = self.0.lock().unwrap();
        world.faults.push((operation.to_owned(), fault, times));
    }

    /// Ends every failure.
    pub(crate) fn recover(&self) {
        self.0.lock().unwrap().faults.clear();
    }

    /// The operations called so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// The stages flushed so far, as `api/stage`.
    pub(crate) fn flushed(&self) -> Vec<String> {
        self.0.lock().unwrap().flushed.clone()
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.0.lock().unwrap().keys.clone()
    }

    /// The usage key that meters a key.
    pub(crate) fn key_of(&self, id: &str) -> Option<Key> {
        let value = format!("keygate-usage-{id}");
        self.keys().into_iter().find(|key| key.value == value)
    }

    /// Changes everything that is kept.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Vec<Key>)) {
        change(&mut self.0.lock().unwrap().keys);
    }
}

impl World {
    /// How the next call of an operation fails.
    fn fault(&mut self, operation: &str) -> Option<Fault> {
        let faults = self.faults.iter_mut();
        let mut left = faults.filter(|(name, _, times)| name == operation && *times > 0);
        let (_, fault, times) = left.next()?;
        *times -= 1;
        Some(*fault)
    }

    fn create_key(&mut self, body: &Value) -> Response {
        let value = body["value"].as_str().unwrap().to_owned();
        assert_eq!(body["enabled"], true);
        if self.keys.iter().any(|key| key.value == value) {
            return error(409, "ConflictException");
        }
        self.made += 1;
        let key = Key {
            id: format!("key{}", self.made),
            name: body["name"].as_str().unwrap().to_owned(),
            value,
            created_at: now(),
            plan: None,
        };
        let shown = show(&key);
        self.keys.push(key);
        answer_with(201, &shown)
    }

    fn put_on_plan(&mut self, plan: &str, body: &Value) -> Response {
        assert_eq!(body["keyType"], "API_KEY");
        let known = PLANS.iter().any(|(id, _)| *id == plan);
        let mut keys = self.keys.iter_mut();
        match keys.find(|key| body["keyId"] == key.id.as_str()) {
            Some(key) if known && key.plan.is_none() => {
                key.plan = Some(plan.to_owned());
                answer_with(201, &json!({"id": key.id, "type": "API_KEY"}))
            }
            Some(_) if known => error(409, "ConflictException"),
            _ => error(404, "NotFoundException"),
        }
    }

    fn delete_key(&mut self, id: &str) -> Response {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        if self.keys.len() == before {
            return error(404, "NotFoundException");
        }
        StatusCode::ACCEPTED.into_response()
    }

    fn plans(&self, query: &BTreeMap<String, String>) -> Vec<Value> {
        let wanted = query.get("keyId");
        let on = |plan: &str| {
            let mut keys = self.keys.iter();
            wanted
                .is_none_or(|id| keys.any(|key| key.id == *id && key.plan.as_deref() == Some(plan)))
        };
        let plans = PLANS.iter().filter(|(id, _)| on(id));
        let stages = json!([{"apiId": "api", "stage": "dev"}]);
        plans
            .map(|(id, name)| json!({"id": id, "name": name, "apiStages": stages}))
            .collect()
    }
}

async fn answer(
    State(api): State<ApiGateway>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    let parts: Vec<&str> = uri.path().split('/').skip(1).collect();
    let operation = match (method.as_str(), &parts[..]) {
        ("GET", ["usageplans"]) => "GetUsagePlans",
        ("GET", ["usageplans", _, "keys"]) => "GetUsagePlanKeys",
        ("POST", ["usageplans", _, "keys"]) => "CreateUsagePlanKey",
        ("GET", ["apikeys"]) => "GetApiKeys",
        ("POST", ["apikeys"]) => "CreateApiKey",
        ("DELETE", ["apikeys", _]) => "DeleteApiKey",
        ("DELETE", ["restapis", _, "stages", _, "cache", "authorizers"]) => {
            "FlushStageAuthorizersCache"
        }
        _ => panic!("{method} {uri} is not expected"),
    };
    let fault = {
        let mut world = api.0.lock().unwrap();
        world.calls.push(operation.to_owned());
        world.fault(operation)
    };
    match fault {
        Some(Fault::Unavailable) => return error(503, "ServiceUnavailableException"),
        Some(Fault::Throttled) => return error(429, "TooManyRequestsException"),
        Some(Fault::Refused) => return error(403, "AccessDeniedException"),
        Some(Fault::Conflict) => return error(409, "ConflictException"),
        Some(Fault::NotFound) => return error(404, "NotFoundException"),
        Some(Fault::Hangs) => tokio::time::sleep(std::time::Duration::from_mins(1)).await,
        Some(Fault::Lost) | None => {}
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = carry_out(&mut api.0.lock().unwrap(), operation, &parts, &query, &body);
    match fault {
        Some(Fault::Lost) => error(503, "ServiceUnavailableException"),
        _ => answer,
    }
}

fn carry_out(
    world: &mut World,
    operation: &str,
    parts: &[&str],
    query: &BTreeMap<String, String>,
    body: &Value,
) -> Response {
    match operation {
        "GetUsagePlans" => page(&world.plans(query), query),
        "CreateApiKey" => world.create_key(body),
        "CreateUsagePlanKey" => world.put_on_plan(parts[1], body),
        "DeleteApiKey" => world.delete_key(parts[1]),
        "GetUsagePlanKeys" => {
            let keys = world.keys.iter();
            let keys = keys.filter(|key| key.plan.as_deref() == Some(parts[1]));
            page(&keys.map(show).collect::<Vec<_>>(), query)
        }
        "GetApiKeys" => {
            let beginning = query.get("name").map_or("", String::as_str);
            let keys = world.keys.iter();
            let keys = keys.filter(|key| key.name.starts_with(beginning));
            page(&keys.map(show).collect::<Vec<_>>(), query)
        }
        _ => {
            world.flushed.push(format!("{}/{}", parts[1], parts[3]));
            StatusCode::ACCEPTED.into_response()
        }
    }
}

fn show(key: &Key) -> Value {
    json!({
        "id": key.id, "name": key.name, "value": key.value, "enabled": true,
        "createdDate": key.created_at,
    })
}

fn page(all: &[Value], query: &BTreeMap<String, String>) -> Response {
    let start: usize = query.get("position").map_or(0, |at| at.parse().unwrap());
    let end = (start + PAGE).min(all.len());
    let mut page = json!({"item": all[start..end]});
    if end < all.len() {
        page["position"] = json!(end.to_string());
    }
    answer_with(200, &page)
}

fn answer_with(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

fn error(status: u16, kind: &'static str) -> Response {
    let body = json!({"message": "as told"}).to_string();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("x-amzn-errortype", kind)], body).into_response()
}
