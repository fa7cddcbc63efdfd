//! The table of items: partition key `owner`, sort key `sk`, so that nobody reaches what another
//! owns whatever the id.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem};
use jiff::Timestamp;
use keygate::dynamodb::TableError;
use keygate::key_record::now;
use uuid::Uuid;

use crate::idempotency::{IdempotencyKey, Record};
use crate::item::{Content, Item, MalformedItem};

type Attributes = HashMap<String, AttributeValue>;

/// Why the table gave no answer, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The table does not answer, or refuses the call.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The table holds something else than items.
    #[error(transparent)]
    Malformed(#[from] MalformedItem),
}

/// How a conditional write ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Written<T> {
    /// It took place.
    Done(T),
    /// The owner has no such item.
    Missing,
    /// The item has another version than the condition names.
    Stale,
}

/// How a creation with an idempotency key ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Created {
    /// The item, new or made by the same request before.
    Item(Box<Item>),
    /// The key came before with other content.
    OtherContent,
    /// Another request with the key is under way.
    UnderWay,
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

    /// Up to `limit` items of an owner, oldest first, behind the item `after`; and whether there
    /// may be more.
    pub(crate) async fn list(
        &self,
        owner: &str,
        limit: i32,
        after: Option<Uuid>,
    ) -> Result<(Vec<Item>, bool), StoreError> {
        let start = after.map(|id| item_key(owner, id));
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#owner = :owner AND begins_with(sk, :item)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":item", text("item#"))
            .set_exclusive_start_key(start)
            .limit(limit)
            .send()
            .await
            .map_err(TableError::of)?;
        let items = page.items().iter().map(Item::from_attributes);
        let items = items.collect::<Result<Vec<_>, _>>()?;
        Ok((items, page.last_evaluated_key().is_some()))
    }

    /// One item of an owner.
    pub(crate) async fn get(&self, owner: &str, id: Uuid) -> Result<Option<Item>, StoreError> {
        let attributes = self.read(item_key(owner, id)).await?;
        Ok(attributes.as_ref().map(Item::from_attributes).transpose()?)
    }

    /// Writes a new item.
    pub(crate) async fn create(&self, owner: &str, content: Content) -> Result<Item, StoreError> {
        let item = new_item(Uuid::now_v7(), content, Timestamp::now());
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.to_attributes(owner)))
            .condition_expression("attribute_not_exists(sk)")
            .send()
            .await
            .map_err(TableError::of)?;
        Ok(item)
    }

    /// Writes a new item unless its idempotency key came before.
    pub(crate) async fn create_once(
        &self,
        owner: &str,
        content: Content,
        key: &IdempotencyKey,
    ) -> Result<Created, StoreError> {
        let fingerprint = content.fingerprint();
        let item = new_item(Uuid::now_v7(), content, Timestamp::now());
        let record = Record {
            id: item.id,
            created_at: item.created_at,
            fingerprint: fingerprint.clone(),
        };
        let now = now();
        let put = |attributes: Attributes| {
            Put::builder()
                .table_name(&self.table)
                .set_item(Some(attributes))
        };
        // A record whose time is over may still be there, and may be overwritten.
        let remember = put(record.to_attributes(owner, key, now))
            .condition_expression("attribute_not_exists(sk) OR expires_at <= :now")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
        let write = put(item.to_attributes(owner)).condition_expression("attribute_not_exists(sk)");
        let mut transaction = self.client.transact_write_items();
        for put in [remember, write] {
            let put = put.build().map_err(TableError::of)?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match transaction.send().await {
            Ok(_) => return Ok(Created::Item(Box::new(item))),
            Err(error) if is_cancelled(&error) => {}
            Err(error) => return Err(TableError::of(error).into()),
        }
        let record = self.read(key_of(owner, key.sk())).await?;
        let record = record.and_then(|attributes| Record::from_attributes(&attributes, now));
        Ok(match record {
            None => Created::UnderWay,
            Some(record) if record.fingerprint != fingerprint => Created::OtherContent,
            Some(record) => Created::Item(Box::new(new_item(
                record.id,
                item.content,
                record.created_at,
            ))),
        })
    }

    /// Replaces an item's content, if its version is among `versions` where there are any.
    pub(crate) async fn replace(
        &self,
        owner: &str,
        id: Uuid,
        content: &Content,
        versions: Option<&[u64]>,
    ) -> Result<Written<Item>, StoreError> {
        let mut values = content.to_attributes();
        let (given, absent): (Vec<_>, Vec<_>) = ["description", "attributes"]
            .into_iter()
            .partition(|name| values.contains_key(*name));
        let mut sets = vec![
            "#name = :name".to_owned(),
            "updated_at = :now".to_owned(),
            "item_version = item_version + :one".to_owned(),
        ];
        sets.extend(given.iter().map(|name| format!("#{name} = :{name}")));
        let absent: Vec<String> = absent.iter().map(|name| format!("#{name}")).collect();
        let mut update = format!("SET {}", sets.join(", "));
        if !absent.is_empty() {
            update = format!("{update} REMOVE {}", absent.join(", "));
        }
        let (condition, condition_values) = condition(versions);
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item_key(owner, id)))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(":now", text(&Timestamp::now().to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew);
        for name in ["name", "description", "attributes"] {
            request = request.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in values.drain() {
            request = request.expression_attribute_values(format!(":{name}"), value);
        }
        for (name, value) in condition_values {
            request = request.expression_attribute_values(name, value);
        }
        match request.send().await {
            Ok(output) => {
                let attributes = output.attributes.unwrap_or_default();
                Ok(Written::Done(Item::from_attributes(&attributes)?))
            }
            Err(SdkError::ServiceError(error))
                if matches!(
                    error.err(),
                    UpdateItemError::ConditionalCheckFailedException(_)
                ) =>
            {
                self.why_not(owner, id).await
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Deletes an item, if its version is among `versions` where there are any.
    pub(crate) async fn delete(
        &self,
        owner: &str,
        id: Uuid,
        versions: Option<&[u64]>,
    ) -> Result<Written<()>, StoreError> {
        let (condition, values) = condition(versions);
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item_key(owner, id)))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values));
        match request.send().await {
            Ok(_) => Ok(Written::Done(())),
            Err(SdkError::ServiceError(error))
                if error.err().is_conditional_check_failed_exception() =>
            {
                self.why_not(owner, id).await
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Why a condition failed.
    async fn why_not<T>(&self, owner: &str, id: Uuid) -> Result<Written<T>, StoreError> {
        let found = self.read(item_key(owner, id)).await?;
        Ok(if found.is_some() {
            Written::Stale
        } else {
            Written::Missing
        })
    }

    async fn read(&self, key: Attributes) -> Result<Option<Attributes>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        Ok(output.item)
    }
}

fn new_item(id: Uuid, content: Content, created_at: Timestamp) -> Item {
    Item {
        id,
        content,
        created_at,
        updated_at: created_at,
        version: 1,
    }
}

/// That an item is there, in one of these versions where there are any.
fn condition(versions: Option<&[u64]>) -> (String, Attributes) {
    let Some(versions) = versions else {
        return ("attribute_exists(sk)".to_owned(), Attributes::new());
    };
    let values: Attributes = versions
        .iter()
        .enumerate()
        .map(|(at, version)| (format!(":v{at}"), AttributeValue::N(version.to_string())))
        .collect();
    if values.is_empty() {
        // No tag that could be one of ours: never true for an item.
        return (
            "attribute_exists(sk) AND attribute_not_exists(sk)".to_owned(),
            values,
        );
    }
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    (
        format!(
            "attribute_exists(sk) AND item_version IN ({})",
            names.join(", ")
        ),
        values,
    )
}

fn is_cancelled(error: &SdkError<TransactWriteItemsError>) -> bool {
    matches!(error, SdkError::ServiceError(error)
        if error.err().is_transaction_canceled_exception()
            || error.err().is_transaction_in_progress_exception())
}

fn item_key(owner: &str, id: Uuid) -> Attributes {
    key_of(owner, Item::sk(id))
}

fn key_of(owner: &str, sk: String) -> Attributes {
    Attributes::from([
        ("owner".to_owned(), text(owner)),
        ("sk".to_owned(), AttributeValue::S(sk)),
    ])
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
