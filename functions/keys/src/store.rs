//! The key table, as far as keys of one owner go.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use keygate::api_key::{ApiKey, ApiKeyId};
use keygate::dynamodb::TableError;
use keygate::key_record::{KeyRecord, MalformedRecord, Status};
use serde::{Deserialize, Serialize};

/// Why the table gave no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The table does not answer, or refuses the call.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The table holds something else than keys.
    #[error(transparent)]
    Malformed(#[from] MalformedRecord),
}

/// A position in the list of an owner's keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Position {
    id: String,
    created_at: u64,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Store {
    client: Client,
    table: String,
}

impl Store {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes a new key's record; false when its id is taken.
    pub(crate) async fn create(&self, record: &KeyRecord) -> Result<bool, StoreError> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(record.to_item()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// One key of an owner; somebody else's is as good as none.
    pub(crate) async fn get(
        &self,
        owner: &str,
        id: &ApiKeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        let record = output.item.as_ref().map(KeyRecord::from_item).transpose()?;
        Ok(record.filter(|record| record.owner == owner))
    }

    /// Up to `limit` keys of an owner, oldest first, behind a position; and the next position.
    /// From an index, so a key of this second may still be missing.
    pub(crate) async fn list(
        &self,
        owner: &str,
        limit: i32,
        after: Option<Position>,
    ) -> Result<(Vec<KeyRecord>, Option<Position>), StoreError> {
        let start = after.map(|position| {
            HashMap::from([
                ("pk".to_owned(), text(format!("key#{}", position.id))),
                ("owner".to_owned(), text(owner.to_owned())),
                ("created_at".to_owned(), number(position.created_at)),
            ])
        });
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("owner-index")
            .key_condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner.to_owned()))
            .set_exclusive_start_key(start)
            .limit(limit)
            .send()
            .await
            .map_err(TableError::of)?;
        let records = page.items().iter().map(KeyRecord::from_item);
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let more = page.last_evaluated_key().is_some();
        let next = records.last().filter(|_| more).map(|record| Position {
            id: record.id.to_string(),
            created_at: record.created_at,
        });
        Ok((records, next))
    }

    /// Shuts a key out for good; false when the owner has no such key.
    pub(crate) async fn revoke(&self, owner: &str, id: &ApiKeyId) -> Result<bool, StoreError> {
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .update_expression("SET #status = :revoked REMOVE previous_sha256, previous_until")
            .condition_expression("#owner = :owner")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":revoked", text(Status::Revoked.as_str().to_owned()))
            .expression_attribute_values(":owner", text(owner.to_owned()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Gives a key a new secret, and its former one until `until` (epoch seconds); false when the
    /// key has changed since `record` was read.
    pub(crate) async fn rotate(
        &self,
        record: &KeyRecord,
        key: &ApiKey,
        until: u64,
    ) -> Result<bool, StoreError> {
        let written = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&record.id)))
            .update_expression(
                "SET secret_sha256 = :new, previous_sha256 = :current, previous_until = :until",
            )
            .condition_expression("secret_sha256 = :current AND #status = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":new", text(key.secret_hash().to_hex()))
            .expression_attribute_values(":current", text(record.secret.to_hex()))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }
}

fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
