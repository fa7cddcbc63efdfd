//! What tests stand on: a key table over the real DynamoDB protocol, on loopback.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_outbound::Outbound;
use keygate_settings::Settings;
use keygate_tests::table::Table;

use crate::issuing::Issuing;
use crate::networks::Networks;
use crate::order::Order;
use crate::store::Store;
use keygate_api_key::ApiKey;
use keygate_key_record::{Item, KeyRecord, Metadata, Status, now};

/// An empty key table, and keys in it that have no usage key.
pub(crate) struct Rig {
    pub(crate) issuing: Issuing,
    client: Client,
    _table: Table,
}

impl Rig {
    pub(crate) fn start() -> Self {
        let table = Table::with_owner_index();
        let outbound = Outbound::new(&Settings::default()).unwrap();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&table.url)
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .http_client(keygate_aws::http_client(&outbound));
        let client = Client::from_conf(config.build());
        Self {
            issuing: Issuing::new(Store::new(client.clone(), Table::NAME.to_owned())),
            client,
            _table: table,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.issuing.store
    }

    /// Issues a key to `me`.
    pub(crate) async fn issue(&self) -> (KeyRecord, ApiKey) {
        let order = Order {
            owner: "me".to_owned(),
            name: "nightly import".to_owned(),
            scopes: "books:read".parse().unwrap(),
            expires_at: None,
            usage_plan: None,
            networks: Networks::default(),
            metadata: Metadata::default(),
        };
        let issued = self.issuing.issue(&order).await.unwrap();
        (issued.record, issued.key)
    }

    /// The item of a key.
    pub(crate) async fn item(&self, record: &KeyRecord) -> Item {
        let get = self.client.get_item().table_name(Table::NAME);
        let get = get.key("pk", AttributeValue::S(KeyRecord::pk(&record.id)));
        get.send().await.unwrap().item.unwrap()
    }

    /// The record of a key, as the table has it.
    pub(crate) async fn record(&self, record: &KeyRecord) -> KeyRecord {
        KeyRecord::from_item(&self.item(record).await).unwrap()
    }

    pub(crate) async fn put(&self, item: Item) {
        let put = self.client.put_item().table_name(Table::NAME);
        put.set_item(Some(item)).send().await.unwrap();
    }
}

/// A key of `owner` that was created at `created_at` (epoch seconds), with its record.
pub(crate) fn key_of(owner: &str, created_at: u64) -> (KeyRecord, ApiKey) {
    let key = ApiKey::generate().unwrap();
    let record = KeyRecord {
        id: key.id().clone(),
        secret: key.secret_hash(),
        previous: None,
        owner: owner.to_owned(),
        name: "by hand".to_owned(),
        scopes: "books:read".parse().unwrap(),
        status: Status::Active,
        created_at,
        expires_at: Some(now() + 600),
        usage_key: None,
        usage_key_id: None,
        usage_plan: None,
        allowed_cidrs: Vec::new(),
        metadata: Metadata::default(),
    };
    (record, key)
}
