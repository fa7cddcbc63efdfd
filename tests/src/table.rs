//! A table in a DynamoDB of its own on loopback, which the SDK reaches like any other.

use dynoxide::Database;
use serde_json::{Value, json};

/// Serves a DynamoDB with the one table that `definition` (a `CreateTable` request) describes, and
/// returns it with its address.
pub fn serve(definition: Value) -> (Database, String) {
    let database = Database::memory().unwrap();
    database
        .create_table(serde_json::from_value(definition).unwrap())
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
    (database, url)
}

/// A key table and the database that serves it.
pub struct Table {
    /// Where the database answers.
    pub url: String,
    database: Database,
}

impl Table {
    /// The table's name.
    pub const NAME: &str = "keys";

    /// A new, empty table.
    pub fn start() -> Self {
        Self::of(json!({
            "TableName": Self::NAME,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        }))
    }

    /// The same with the index that lists an owner's keys, which takes no item whose owner is no
    /// string.
    pub fn with_owner_index() -> Self {
        Self::of(json!({
            "TableName": Self::NAME,
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
        }))
    }

    fn of(definition: Value) -> Self {
        let (database, url) = serve(definition);
        Self { url, database }
    }

    /// Puts an item in DynamoDB's own JSON.
    pub fn put(&self, item: &Value) {
        let request = json!({"TableName": Self::NAME, "Item": item});
        self.database
            .put_item(serde_json::from_value(request).unwrap())
            .unwrap();
    }
}
