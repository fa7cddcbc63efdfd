//! The key table, as far as it holds API keys.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde::{Deserialize, Serialize};

use keygate_api_key::{ApiKey, ApiKeyError, ApiKeyId, SecretHash};
use keygate_aws::dynamodb::TableError;
use keygate_key_record::{Item, KeyRecord, MalformedRecord, PreviousSecret, Status};

/// The attribute with the fingerprint of the request that made the key, where it came under an
/// idempotency key. The authorizer has no use for it, so it is no part of [`KeyRecord`].
const REQUEST: &str = "request_sha256";
/// The attribute with the fingerprint of the request that rotated a key last, where it came under
/// an idempotency key, and else [`UNKNOWN_ROTATION`]. A key that was not rotated has none.
const ROTATION: &str = "rotation_sha256";
/// What stands for a rotation that cannot be known again. No fingerprint is the same.
pub(super) const UNKNOWN_ROTATION: &str = "none";

/// Why the table gave no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
pub struct Position {
    id: ApiKeyId,
    created_at: u64,
}

impl Position {
    /// An item's position, whatever else it holds.
    fn of(item: &Item) -> Result<Self, MalformedRecord> {
        let text = |name: &str| item.get(name)?.as_s().ok();
        let pk = text("pk").cloned().unwrap_or_default();
        let id = pk.strip_prefix("key#").and_then(|id| id.parse().ok());
        let created_at = item.get("created_at").and_then(|number| number.as_n().ok());
        match (id, created_at.and_then(|digits| digits.parse().ok())) {
            (Some(id), Some(created_at)) => Ok(Self { id, created_at }),
            _ => Err(MalformedRecord {
                pk,
                attribute: "created_at",
            }),
        }
    }
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
pub struct Store {
    client: Client,
    table: String,
}

/// A key's record with what only issuing keeps beside it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) record: KeyRecord,
    /// The fingerprint of the request that made the key, where it came under an idempotency key.
    pub(super) request: Option<String>,
    /// What the key was rotated by last, if it was.
    pub(super) rotation: Option<String>,
}

impl Store {
    /// The table of this name. Nothing is read.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Writes a new key's record; false when its id is taken.
    ///
    /// # Errors
    /// When the table does not answer or refuses. Whether the record was written is then known
    /// only if it refuses.
    pub async fn create(
        &self,
        record: &KeyRecord,
        request: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut item = record.to_item();
        if let Some(request) = request {
            item.insert(REQUEST.to_owned(), text(request.to_owned()));
        }
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
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

    /// Takes back a record that [`create`](Self::create) may have written. One that has got
    /// another secret since stays.
    pub(super) async fn withdraw(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&record.id)))
            .condition_expression("secret_sha256 = :secret")
            .expression_attribute_values(":secret", text(record.secret.to_hex()))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(())
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// One key, whose owner is `owner` if one is given; somebody else's is as good as none.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or holds no record there.
    pub async fn get(
        &self,
        owner: Option<&str>,
        id: &ApiKeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let record = self.read(id).await?;
        Ok(record.filter(|record| owner.is_none_or(|owner| record.owner == owner)))
    }

    async fn read(&self, id: &ApiKeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.stored(id).await?.map(|stored| stored.record))
    }

    /// One key with what is kept beside it.
    pub(super) async fn stored(&self, id: &ApiKeyId) -> Result<Option<Stored>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        let Some(item) = output.item else {
            return Ok(None);
        };
        let text = |name: &str| item.get(name).and_then(|text| text.as_s().ok()).cloned();
        Ok(Some(Stored {
            record: KeyRecord::from_item(&item)?,
            request: text(REQUEST),
            rotation: text(ROTATION),
        }))
    }

    /// Up to `limit` keys of an owner, oldest first, behind a position; and the next position.
    /// From an index, so a key of this second may still be missing. A malformed record is left out,
    /// and logged.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or holds something else than keys.
    pub async fn list(
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
        let items = page.items().get(..limit).unwrap_or(page.items());
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            match KeyRecord::from_item(item) {
                Ok(record) => records.push(record),
                Err(error) => tracing::error!(%error, "left out of a list"),
            }
        }
        let last = items.last().filter(|_| more).map(Position::of);
        Ok((records, last.transpose()?))
    }

    /// Every key of the table, as it is now, in no order; and the items that are no keys although
    /// they are named so. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer or refuses.
    pub async fn all(&self) -> Result<(Vec<KeyRecord>, Vec<MalformedRecord>), StoreError> {
        let mut records = Vec::new();
        let mut malformed = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .filter_expression("begins_with(pk, :key)")
                .expression_attribute_values(":key", text("key#".to_owned()))
                .set_exclusive_start_key(start)
                .consistent_read(true)
                .send()
                .await
                .map_err(TableError::of)?;
            for item in page.items() {
                match KeyRecord::from_item(item) {
                    Ok(record) => records.push(record),
                    Err(error) => malformed.push(error),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok((records, malformed));
            }
        }
    }

    /// Shuts a key out for good, and gives its usage key, if it has one; `None` when there is no
    /// such key, or `owner` is given and not its owner. Revoked again it stays as it is. The record
    /// is not read: a malformed one is revoked like any other.
    pub(super) async fn revoke(
        &self,
        owner: Option<&str>,
        id: &ApiKeyId,
    ) -> Result<Option<Option<String>>, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .update_expression("SET #status = :revoked REMOVE previous_sha256, previous_until")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":revoked", text(Status::Revoked.as_str().to_owned()))
            .return_values(ReturnValue::AllNew);
        if let Some(owner) = owner {
            request = request
                .condition_expression("#owner = :owner")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":owner", text(owner.to_owned()));
        }
        match request.send().await {
            Ok(output) => {
                let usage_key = output
                    .attributes
                    .as_ref()
                    .and_then(|item| item.get("usage_key"));
                Ok(Some(usage_key.and_then(|value| value.as_s().ok()).cloned()))
            }
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                Ok(None)
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Gives a key a new secret in place of `record`'s, with `previous` as the former one if there
    /// is one, and `rotation` as what it was rotated by, if this is a rotation; false when the key
    /// has changed since `record` was read.
    ///
    /// # Errors
    /// When the table does not answer or refuses.
    pub async fn rotate(
        &self,
        record: &KeyRecord,
        key: &ApiKey,
        previous: Option<&PreviousSecret>,
        rotation: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&record.id)))
            // The table may hold the hash in any of these forms.
            .condition_expression(
                "secret_sha256 IN (:current, :capitals, :bytes) AND #status = :active",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":new", text(key.secret_hash().to_hex()))
            .expression_attribute_values(":current", text(record.secret.to_hex()))
            .expression_attribute_values(":capitals", text(record.secret.to_hex().to_uppercase()))
            .expression_attribute_values(":bytes", bytes(&record.secret))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()));
        let mut set = vec!["secret_sha256 = :new"];
        let mut remove = Vec::new();
        match previous {
            None => remove.extend(["previous_sha256", "previous_until"]),
            Some(previous) => {
                set.extend(["previous_sha256 = :previous", "previous_until = :until"]);
                request = request
                    .expression_attribute_values(":previous", text(previous.hash.to_hex()))
                    .expression_attribute_values(":until", number(previous.until));
            }
        }
        match rotation {
            None => remove.push(ROTATION),
            Some(rotation) => {
                set.push("rotation_sha256 = :rotation");
                let rotation = text(rotation.to_owned());
                request = request.expression_attribute_values(":rotation", rotation);
            }
        }
        let mut changes = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            changes = format!("{changes} REMOVE {}", remove.join(", "));
        }
        request = request.update_expression(changes);
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
