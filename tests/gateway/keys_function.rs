//! The built `keys` as a process of a test's own, on the services of a gateway.

use std::path::PathBuf;

use keygate_tests::event::Event;
use keygate_tests::function::Function;
use keygate_tests::keygate::Keygate;
use serde_json::{Value, json};

use crate::faulty::{Fault, Faulty};
use crate::services::{KEY_TABLE, STACK, UsageKey, dynamodb, usage_key_of, usage_keys};
use keygate_tests::target::Target;

/// A plan by its name and one by its id.
const USAGE_PLANS: &str = "standard=keygate-local-standard,partner=partnerusageplan";

/// The function's own routes.
const ROUTES: &str = "GET /keys keys:admin\nPOST /keys keys:admin\nGET /keys/{id} keys:admin\n\
                      DELETE /keys/{id} keys:admin\nPOST /keys/{id}/rotate keys:admin\n\
                      GET /keys/{id}/usage keys:admin\nGET /clients/{id}/usage keys:admin\n\
                      GET /clients keys:admin\nPOST /clients keys:admin\n\
                      GET /clients/{id} keys:admin\nPUT /clients/{id} keys:admin\n\
                      DELETE /clients/{id} keys:admin";

/// The function, whose API Gateway and DynamoDB are a gateway's, behind listeners that can fail.
pub(crate) struct KeysFunction {
    function: Function,
    program: PathBuf,
    settings: Vec<(String, String)>,
    pub(crate) api_gateway: Faulty,
    pub(crate) dynamodb: Faulty,
    pub(crate) gateway: Keygate,
    pub(crate) own: Target,
}

impl KeysFunction {
    pub(crate) fn start(target: &Target) -> Self {
        Self::with(target, &[("USAGE_PLANS", USAGE_PLANS)])
    }

    /// With these settings besides the table and the services.
    pub(crate) fn with(target: &Target, more: &[(&str, &str)]) -> Self {
        let (gateway, own) = target.own(&[]);
        let before = |service: &str| Faulty::before(target.reaching(&gateway), service);
        let api_gateway = before(&gateway.ready.api_gateway);
        let dynamodb = before(&gateway.ready.dynamodb);
        let mut settings = vec![
            ("KEY_TABLE", KEY_TABLE),
            ("ROUTES", ROUTES),
            ("STACK_NAME", STACK),
            ("AWS_ENDPOINT_URL_API_GATEWAY", api_gateway.url.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url.as_str()),
        ];
        settings.extend_from_slice(more);
        let program = target.build().directory.join("keys");
        let function = Function::start(&program, &settings);
        let settings = settings.iter();
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            function,
            program,
            settings: settings.collect(),
            api_gateway,
            dynamodb,
            gateway,
            own,
        }
    }

    /// Starts the function anew on another table, which holds what the table holds now, as one that was
    /// restored from a backup does.
    pub(crate) fn restore_to(&mut self, table: &str) {
        let call = |action: &str, body: &Value| dynamodb(&self.own, &self.gateway, action, body);
        let described = call("DescribeTable", &json!({"TableName": KEY_TABLE}));
        let described = &described["Table"];
        let index = &described["GlobalSecondaryIndexes"][0];
        let create = json!({
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": described["KeySchema"],
            "AttributeDefinitions": described["AttributeDefinitions"],
            "GlobalSecondaryIndexes": [{
                "IndexName": index["IndexName"], "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
            }],
        });
        call("CreateTable", &create);
        let scanned = call("Scan", &json!({"TableName": KEY_TABLE}));
        for item in scanned["Items"].as_array().unwrap() {
            call("PutItem", &json!({"TableName": table, "Item": item}));
        }
        call("DeleteTable", &json!({"TableName": KEY_TABLE}));
        self.settings.retain(|(name, _)| name != "KEY_TABLE");
        self.settings
            .push(("KEY_TABLE".to_owned(), table.to_owned()));
        self.restart();
    }

    /// Starts the function anew, which remembers nothing then.
    pub(crate) fn restart(&mut self) {
        let settings = self.settings.iter();
        let settings: Vec<(&str, &str)> =
            settings.map(|(name, value)| (&**name, &**value)).collect();
        self.function = Function::start(&self.program, &settings);
    }

    /// Answers a request to the gateway's API.
    pub(crate) fn answer(&self, event: Event) -> Answer {
        let event = event.to_api("local");
        let response = self.function.invoke(event.into()).response();
        let body = response["body"].as_str().unwrap_or_default();
        Answer {
            status: response["statusCode"].as_u64().unwrap(),
            headers: response["multiValueHeaders"].clone(),
            body: serde_json::from_str(body).unwrap_or_default(),
            faults: [self.api_gateway.faults(), self.dynamodb.faults()].concat(),
        }
    }

    /// What the function says of a key's or a client's usage.
    pub(crate) fn usage(&self, collection: &str, id: &str) -> Answer {
        self.answer(Event::new("GET", &format!("/{collection}/{id}/usage")))
    }

    /// Asks for a key of `me`.
    pub(crate) fn ask(&self) -> Answer {
        let body = json!({"name": "a", "scopes": ["books:read"]});
        self.answer(Event::new("POST", "/keys").json(&body))
    }

    /// The id of a new key of `me`.
    pub(crate) fn issue(&self) -> String {
        self.ask().expect(201).id()
    }

    pub(crate) fn revoke(&self, id: &str) -> Answer {
        self.answer(Event::new("DELETE", &format!("/keys/{id}")))
    }

    /// Ends the former secret at once.
    pub(crate) fn rotate_without_grace(&self, id: &str) -> Answer {
        let event = Event::new("POST", &format!("/keys/{id}/rotate"));
        self.answer(event.json(&json!({"grace_seconds": 0})))
    }

    /// What the function says of a key of `me`.
    pub(crate) fn read(&self, id: &str) -> Value {
        let event = Event::new("GET", &format!("/keys/{id}"));
        self.answer(event).expect(200).body
    }

    /// The usage keys that the function has made.
    pub(crate) fn usage_keys(&self) -> Vec<UsageKey> {
        usage_keys(&self.own, &self.gateway, &format!("{STACK}."))
    }

    pub(crate) fn usage_key_of(&self, id: &str) -> Option<UsageKey> {
        usage_key_of(&self.own, &self.gateway, id)
    }
}

/// What the function answers.
pub(crate) struct Answer {
    status: u64,
    headers: Value,
    pub(crate) body: Value,
    /// What failed meanwhile.
    faults: Vec<(String, Fault, usize)>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u64) -> Self {
        assert_eq!(self.status, status, "{:?}: {:?}", self.faults, self.body);
        self
    }

    /// The answer is a problem of this type, and says nothing of what the services said.
    #[track_caller]
    pub(crate) fn problem(self, slug: &str) -> Self {
        let kind = self.body["type"].as_str().unwrap_or_default();
        assert!(
            kind.ends_with(&format!("/problems/{slug}")),
            "{:?}: {:?}",
            self.faults,
            self.body
        );
        let detail = self.body["detail"].as_str().unwrap_or_default();
        for leak in ["as told", "127.0.0.1", "Exception"] {
            assert!(!detail.contains(leak), "{detail}");
        }
        if slug == "service-unavailable" {
            assert_eq!(self.headers["retry-after"], json!(["1"]));
        }
        self
    }

    #[track_caller]
    pub(crate) fn id(&self) -> String {
        let id = self.body["id"].as_str();
        id.expect("the answer has an id").to_owned()
    }
}
