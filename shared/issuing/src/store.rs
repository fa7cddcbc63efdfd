//! The key table, as far as it holds API keys. What an item holds besides a [`KeyRecord`] is left
//! alone.

mod clients;
mod expiring;
#[cfg(test)]
mod tests;

pub use self::clients::ClientPosition;

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use aws_sdk_dynamodb::{Client, Error};

use crate::pages::{self, PagesError};
use crate::position::Position;
use crate::usage_key::{UsageKey, is_own_value};
use keygate_api_key::{ApiKeyId, SecretHash};
use keygate_aws::dynamodb::TableError;
use keygate_key_record::{Item, KeyRecord, MalformedRecord, RegisteredClient, Status};

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

impl<E: Into<Error>> From<PagesError<E>> for StoreError {
    fn from(error: PagesError<E>) -> Self {
        Self::Table(match error {
            PagesError::Failed(error) => TableError::of(error),
            PagesError::Endless(error) => TableError::Refused(error.to_string()),
        })
    }
}

/// The usage key that an item names, whatever else it holds: a malformed record is shut out like any
/// other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedUsageKey {
    /// API Gateway's own id.
    pub(crate) id: Option<String>,
    /// The `usageIdentifierKey`.
    value: Option<String>,
}

impl NamedUsageKey {
    pub(crate) fn of(item: &Item) -> Self {
        let named = |name: &str| item.get(name)?.as_s().ok().cloned();
        Self {
            id: named("usage_key_id"),
            value: named("usage_key"),
        }
    }

    /// The one that metered a client before its plan was changed.
    pub(crate) fn former(client: &RegisteredClient) -> Option<Self> {
        let former = client.former_usage_key.as_ref()?;
        Some(Self {
            id: Some(former.id.clone()),
            value: None,
        })
    }

    /// Whether the usage key is one that was made for the record alone. A record whose usage key was
    /// taken out names it by the id.
    pub(crate) fn is_own(&self) -> bool {
        match &self.value {
            Some(value) => is_own_value(value),
            None => self.id.is_some(),
        }
    }
}

/// The table.
#[derive(Debug)]
pub struct Store {
    client: Client,
    table: String,
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

    /// Writes a new key's record; false when its id is taken. Unless the table refuses, whether
    /// the record of a call that failed was written is not known.
    pub(crate) async fn create(&self, record: &KeyRecord) -> Result<bool, StoreError> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(record.to_item()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        Ok(took_place(written)? || self.is_written(&record.id, &record.secret).await?)
    }

    /// Whether a key has the secret that a write gave it whose condition failed. Where the SDK
    /// tried twice because the first answer was lost, the second try met the first one's work: to
    /// take that for a failure would leave a key whose secret nobody has seen.
    async fn is_written(&self, id: &ApiKeyId, secret: &SecretHash) -> Result<bool, StoreError> {
        let record = self.get(None, id).await?;
        Ok(record
            .is_some_and(|record| record.status == Status::Active && record.secret.matches(secret)))
    }

    /// Takes back a record that [`create`](Self::create) may have written.
    pub(crate) async fn withdraw(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&record.id)))
            .condition_expression("secret_sha256 = :secret")
            .expression_attribute_values(":secret", text(record.secret.to_hex()))
            .send()
            .await;
        took_place(deleted).map(drop)
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
        let record = KeyRecord::from_item(&item)?;
        Ok(Some(record).filter(|record| owner.is_none_or(|owner| record.owner == owner)))
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
        let (items, more) = self.page(owner, limit, start).await?;
        let records = well_formed(&items, KeyRecord::from_item);
        let last = items.last().filter(|_| more).map(Position::of);
        Ok((records, last.transpose()?))
    }

    /// Up to `limit` items of an owner, oldest first, behind one of them; and whether there are more.
    async fn page(
        &self,
        owner: &str,
        limit: usize,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let page = self
            .query(owner)
            .set_exclusive_start_key(start)
            // One more tells whether a page is the last: DynamoDB names a next one also when the
            // limit falls on the end.
            .set_limit(i32::try_from(limit + 1).ok())
            .send()
            .await
            .map_err(TableError::of)?;
        let more = page.items().len() > limit || page.last_evaluated_key().is_some();
        let mut items = page.items.unwrap_or_default();
        items.truncate(limit);
        Ok((items, more))
    }

    /// Every key of an owner, oldest first, and the items that are none. As
    /// [`list`](Self::list) from an index.
    ///
    /// # Errors
    /// When the table does not answer or refuses.
    pub async fn of_owner(
        &self,
        owner: &str,
    ) -> Result<(Vec<KeyRecord>, Vec<MalformedRecord>), StoreError> {
        let pages = self.query(owner).into_paginator().send();
        let items = pages::entries(pages, |page| page.items).await?;
        Ok(read(&items, KeyRecord::from_item))
    }

    /// Every key of the table, as it is now, in no order; and the items that are no keys although
    /// they are named so. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or is larger than 1 GB.
    pub async fn all(&self) -> Result<(Vec<KeyRecord>, Vec<MalformedRecord>), StoreError> {
        let pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :key)")
            .expression_attribute_values(":key", text("key#".to_owned()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let items = pages::entries(pages, |page| page.items).await?;
        Ok(read(&items, KeyRecord::from_item))
    }

    /// Shuts a key out for good, and says what meters it; `None` when there is no such key, or `owner`
    /// is given and not its owner. Revoked again it stays as it is. The record is not read: a malformed one is revoked
    /// like any other.
    pub(crate) async fn revoke(
        &self,
        owner: Option<&str>,
        id: &ApiKeyId,
    ) -> Result<Option<NamedUsageKey>, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(id)))
            .update_expression("SET #status = :revoked REMOVE previous_sha256, previous_until")
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllNew)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":revoked", text(Status::Revoked.as_str().to_owned()));
        if let Some(owner) = owner {
            request = request
                .condition_expression("#owner = :owner")
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":owner", text(owner.to_owned()));
        }
        let written = written(request.send().await)?;
        Ok(written.map(|output| NamedUsageKey::of(&output.attributes.unwrap_or_default())))
    }

    /// Writes API Gateway's id of a usage key into the record that is metered by this value; false
    /// when the record is gone, revoked, or metered by another.
    pub(crate) async fn name_usage_key(
        &self,
        pk: String,
        usage_key: &UsageKey,
    ) -> Result<bool, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .update_expression("SET usage_key_id = :id")
            .condition_expression("usage_key = :value AND #status = :active")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":id", text(usage_key.id.clone()))
            .expression_attribute_values(":value", text(usage_key.value.clone()))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()));
        took_place(request.send().await)
    }

    /// Gives a key the secrets of `rotated`; false when its secret is no longer `from`, or it is
    /// revoked.
    pub(crate) async fn rotate(
        &self,
        from: &SecretHash,
        rotated: &KeyRecord,
    ) -> Result<bool, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&rotated.id)))
            // The table may hold the hash in any of these forms.
            .condition_expression(
                "secret_sha256 IN (:current, :capitals, :bytes) AND #status = :active",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":new", text(rotated.secret.to_hex()))
            .expression_attribute_values(":current", text(from.to_hex()))
            .expression_attribute_values(":capitals", text(from.to_hex().to_uppercase()))
            .expression_attribute_values(":bytes", bytes(from))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()));
        let request = match &rotated.previous {
            None => request.update_expression(
                "SET secret_sha256 = :new REMOVE previous_sha256, previous_until",
            ),
            Some(previous) => request
                .update_expression(
                    "SET secret_sha256 = :new, previous_sha256 = :former, previous_until = :until",
                )
                .expression_attribute_values(":former", text(previous.hash.to_hex()))
                .expression_attribute_values(":until", number(previous.until)),
        };
        let changed = took_place(request.send().await)?;
        Ok(changed || self.is_written(&rotated.id, &rotated.secret).await?)
    }

    fn query(
        &self,
        owner: &str,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name("owner-index")
            .key_condition_expression("#owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner.to_owned()))
    }
}

/// What a write that took place answered; `None` when its condition does not hold.
fn written<T>(write: Result<T, impl Into<Error>>) -> Result<Option<T>, StoreError> {
    match write.map_err(Into::into) {
        Ok(output) => Ok(Some(output)),
        Err(Error::ConditionalCheckFailedException(_)) => Ok(None),
        Err(error) => Err(TableError::of(error).into()),
    }
}

/// Whether a write took place; false when its condition does not hold.
fn took_place<T>(write: Result<T, impl Into<Error>>) -> Result<bool, StoreError> {
    Ok(written(write)?.is_some())
}

/// The records among items, read by `from_item`, and what is wrong with the others.
fn read<R>(
    items: &[Item],
    from_item: impl Fn(&Item) -> Result<R, MalformedRecord>,
) -> (Vec<R>, Vec<MalformedRecord>) {
    let mut records = Vec::with_capacity(items.len());
    let mut malformed = Vec::new();
    for item in items {
        match from_item(item) {
            Ok(record) => records.push(record),
            Err(error) => malformed.push(error),
        }
    }
    (records, malformed)
}

/// The records among items; the log says what is wrong with the others.
fn well_formed<R>(
    items: &[Item],
    from_item: impl Fn(&Item) -> Result<R, MalformedRecord>,
) -> Vec<R> {
    let (records, malformed) = read(items, from_item);
    for error in malformed {
        tracing::error!(%error, "left out of a list");
    }
    records
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
