//! The key table, as far as keys of one owner go.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use keygate::api_key::{ApiKey, ApiKeyError, ApiKeyId, SecretHash};
use keygate::dynamodb::TableError;
use keygate::key_record::{KeyRecord, MalformedRecord, PreviousSecret, Status};
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

/// A position in the list of an owner's keys: the last key before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "(String, u64)", into = "(String, u64)")]
pub(crate) struct Position {
    id: ApiKeyId,
    created_at: u64,
}

impl TryFrom<(String, u64)> for Position {
    type Error = ApiKeyError;

    fn try_from((id, created_at): (String, u64)) -> Result<Self, Self::Error> {
        let id = id.parse()?;
        Ok(Self { id, created_at })
    }
}

impl From<Position> for (String, u64) {
    fn from(position: Position) -> Self {
        (position.id.to_string(), position.created_at)
    }
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
                self.is_written(&record.id, &record.secret).await
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Whether a key has the secret that a write gave it whose condition failed. Where the SDK
    /// tried twice because the first answer was lost, the second try met the first one's work: to
    /// take that for a failure would leave a key whose secret nobody has seen.
    async fn is_written(&self, id: &ApiKeyId, secret: &SecretHash) -> Result<bool, StoreError> {
        let record = self.read(id).await?;
        Ok(record
            .is_some_and(|record| record.status == Status::Active && record.secret.matches(secret)))
    }

    /// One key of an owner; somebody else's is as good as none.
    pub(crate) async fn get(
        &self,
        owner: &str,
        id: &ApiKeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let record = self.read(id).await?;
        Ok(record.filter(|record| record.owner == owner))
    }

    async fn read(&self, id: &ApiKeyId) -> Result<Option<KeyRecord>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        Ok(output.item.as_ref().map(KeyRecord::from_item).transpose()?)
    }

    /// Up to `limit` keys of an owner, oldest first, behind a position; and the next position.
    /// From an index, so a key of this second may still be missing.
    pub(crate) async fn list(
        &self,
        owner: &str,
        limit: usize,
        after: Option<Position>,
    ) -> Result<(Vec<KeyRecord>, Option<Position>), StoreError> {
        let start = after.map(|position| {
            HashMap::from([
                ("pk".to_owned(), text(KeyRecord::pk(&position.id))),
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
            // One more tells whether a page is the last: DynamoDB names a next one also when the
            // limit falls on the end.
            .set_limit(i32::try_from(limit + 1).ok())
            .send()
            .await
            .map_err(TableError::of)?;
        let more = page.items().len() > limit || page.last_evaluated_key().is_some();
        let records = page.items().iter().take(limit).map(KeyRecord::from_item);
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let next = records.last().filter(|_| more).map(|record| Position {
            id: record.id.clone(),
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

    /// Gives a key a new secret in place of `record`'s, and keeps that as `previous` if there is
    /// one; false when the key has changed since `record` was read.
    pub(crate) async fn rotate(
        &self,
        record: &KeyRecord,
        key: &ApiKey,
        previous: Option<&PreviousSecret>,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&record.id)))
            // The table may hold the hash in either form.
            .condition_expression(
                "(secret_sha256 = :current OR secret_sha256 = :bytes) AND #status = :active",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":new", text(key.secret_hash().to_hex()))
            .expression_attribute_values(":current", text(record.secret.to_hex()))
            .expression_attribute_values(":bytes", bytes(&record.secret))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()));
        request = match previous {
            None => request.update_expression(
                "SET secret_sha256 = :new REMOVE previous_sha256, previous_until",
            ),
            Some(previous) => request
                .update_expression(
                    "SET secret_sha256 = :new, previous_sha256 = :previous, \
                     previous_until = :until",
                )
                .expression_attribute_values(":previous", text(previous.hash.to_hex()))
                .expression_attribute_values(":until", number(previous.until)),
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                self.is_written(&record.id, &key.secret_hash()).await
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }
}

fn bytes(hash: &SecretHash) -> AttributeValue {
    AttributeValue::B(Blob::new(hash.to_bytes()))
}

fn text(value: String) -> AttributeValue {
    AttributeValue::S(value)
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
