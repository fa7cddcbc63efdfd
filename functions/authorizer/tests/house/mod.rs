//! An issuer, a table, and the built authorizer between them.

#![allow(dead_code, reason = "each test file needs a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a rig that breaks is a test that fails"
)]

use aws_sdk_dynamodb::types::AttributeValue;
use keygate_api_key::ApiKey;
use keygate_key_record::{Item, KeyRecord, Metadata, Status};
use keygate_tests::authorizer::Authorizer;
use keygate_tests::issuer::{AUDIENCE, Issuer, epoch_seconds};
use keygate_tests::signer::Signer;
use keygate_tests::table::Table;
use serde_json::{Map, Value, json};

pub(crate) struct House {
    pub(crate) signer: Signer,
    pub(crate) issuer: Issuer,
    pub(crate) table: Table,
    pub(crate) authorizer: Authorizer,
}

impl House {
    pub(crate) fn new(binary: &str) -> Self {
        Self::with(binary, &[])
    }

    /// With more settings, or others.
    pub(crate) fn with(binary: &str, more: &[(&str, &str)]) -> Self {
        let signer = Signer::rsa("1");
        let issuer = Issuer::start(&[&signer]);
        let table = Table::start();
        let mut settings = vec![
            ("OAUTH_ISSUER", issuer.url.as_str()),
            ("OAUTH_AUDIENCE", AUDIENCE),
            ("KEY_TABLE", Table::NAME),
            ("AWS_ENDPOINT_URL_DYNAMODB", table.url.as_str()),
            ("DEFAULT_USAGE_KEY", "usage-default"),
        ];
        settings.extend_from_slice(more);
        let authorizer = Authorizer::start(binary, &settings);
        Self {
            signer,
            issuer,
            table,
            authorizer,
        }
    }

    pub(crate) fn put_key(&self, record: &KeyRecord) {
        self.table.put(&wire(&record.to_item()));
    }

    /// A good token but for one claim.
    pub(crate) fn token_with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.issuer.claims();
        claims[claim] = value;
        self.signer.token(&claims)
    }

    pub(crate) fn allowed(&self, authorization: &str) -> Value {
        self.authorizer.authorize(authorization).response()
    }

    pub(crate) fn refused(&self, authorization: &str) -> String {
        self.authorizer.authorize(authorization).error_message()
    }
}

/// A record that lets `key` read books.
pub(crate) fn record(key: &ApiKey) -> KeyRecord {
    KeyRecord {
        id: key.id().clone(),
        secret: key.secret_hash(),
        previous: None,
        owner: "team-a".into(),
        name: "nightly import".into(),
        scopes: "books:read".parse().unwrap(),
        status: Status::Active,
        created_at: epoch_seconds(),
        expires_at: Some(epoch_seconds() + 600),
        usage_key: Some("usage-team-a".into()),
        usage_key_id: None,
        usage_plan: Some("standard".into()),
        allowed_cidrs: Vec::new(),
        metadata: Metadata::default(),
    }
}

pub(crate) fn key_header(key: &ApiKey) -> String {
    format!("ApiKey {}", key.expose())
}

pub(crate) fn wire(item: &Item) -> Value {
    let attribute = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(digits) => json!({"N": digits}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        AttributeValue::M(members) => json!({"M": wire(members)}),
        other => panic!("a key's record has no {other:?}"),
    };
    let members = item
        .iter()
        .map(|(name, value)| (name.clone(), attribute(value)));
    Value::Object(members.collect::<Map<_, _>>())
}
