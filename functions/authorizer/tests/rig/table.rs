//! A key table in a DynamoDB of its own on loopback, which the SDK reaches like any other.

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use keygate::key_record::{Item, KeyRecord};
use serde_json::{Map, Value, json};

pub(crate) struct Table {
    pub(crate) url: String,
    database: Database,
}

impl Table {
    pub(crate) const NAME: &str = "keys";

    pub(crate) fn start() -> Self {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": Self::NAME,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        });
        database
            .create_table(serde_json::from_value(table).unwrap())
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = database.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                dynoxide::server::serve_on(listener, served).await;
            });
        });
        Self { url, database }
    }

    pub(crate) fn put_key(&self, record: &KeyRecord) {
        self.put(&wire(&record.to_item()));
    }

    /// Puts an item in DynamoDB's own JSON.
    pub(crate) fn put(&self, item: &Value) {
        let request = json!({"TableName": Self::NAME, "Item": item});
        self.database
            .put_item(serde_json::from_value(request).unwrap())
            .unwrap();
    }
}

fn wire(item: &Item) -> Value {
    let attribute = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(digits) => json!({"N": digits}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        other => panic!("a key's record has no {other:?}"),
    };
    let members = item
        .iter()
        .map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(members.collect::<Map<_, _>>())
}
