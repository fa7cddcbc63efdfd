//! The table of items: partition key `owner`, sort key `sk`, so that nobody reaches what another
//! owns whatever the id.

mod once;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use keygate_aws::dynamodb::TableError;
use uuid::Uuid;

pub(crate) use self::once::Created;
use crate::etag::Precondition;
use crate::item::{Content, Item, MalformedItem};

/// What a replacement writes, besides the version.
const REPLACED: [&str; 5] = [
    "name",
    "description",
    "attributes",
    "updated_at",
    "last_write",
];

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
    /// are more. Fewer than `limit` do not mean the end: `DynamoDB` reads 1 MB at most, which also
    /// keeps a page below the 6 MB that Lambda answers.
    pub(crate) async fn list(
        &self,
        owner: &str,
        limit: usize,
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
            .consistent_read(true)
            // One more tells whether a page is the last: DynamoDB names a next one also when the
            // limit falls on the end.
            .set_limit(i32::try_from(limit + 1).ok())
            .send()
            .await
            .map_err(TableError::of)?;
        let more = page.items().len() > limit || page.last_evaluated_key().is_some();
        let items = page.items().iter().take(limit).map(Item::from_attributes);
        Ok((items.collect::<Result<Vec<_>, _>>()?, more))
    }

    /// One item of an owner.
    pub(crate) async fn get(&self, owner: &str, id: Uuid) -> Result<Option<Item>, StoreError> {
        let attributes = self.read(item_key(owner, id)).await?;
        Ok(attributes.as_ref().map(Item::from_attributes).transpose()?)
    }

    /// Writes a new item.
    pub(crate) async fn create(&self, owner: &str, content: Content) -> Result<Item, StoreError> {
        let item = new_item(content);
        // No condition that the id is new, which 74 random bits see to: the SDK's second try,
        // when the first one's answer was lost, would meet the first one's item.
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.to_attributes(owner)))
            .send()
            .await
            .map_err(TableError::of)?;
        Ok(item)
    }

    /// Replaces an item's content, if its version is one that `precondition` allows.
    pub(crate) async fn replace(
        &self,
        owner: &str,
        id: Uuid,
        content: &Content,
        precondition: &Precondition,
    ) -> Result<Written<Item>, StoreError> {
        let write = Uuid::new_v4().to_string();
        let (condition, condition_values) = condition(precondition);
        let mut values = content.to_attributes();
        values.insert("updated_at".to_owned(), text(&Timestamp::now().to_string()));
        values.insert("last_write".to_owned(), text(&write));
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item_key(owner, id)))
            .update_expression(replacement(&values))
            .condition_expression(condition)
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::AllNew);
        for name in REPLACED {
            request = request.expression_attribute_names(format!("#{name}"), name);
        }
        for (name, value) in values {
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
                if error.err().is_conditional_check_failed_exception() =>
            {
                self.why_not_replaced(owner, id, &write).await
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Deletes an item, if its version is one that `precondition` allows.
    pub(crate) async fn delete(
        &self,
        owner: &str,
        id: Uuid,
        precondition: &Precondition,
    ) -> Result<Written<()>, StoreError> {
        let (condition, values) = condition(precondition);
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
                let found = self.read(item_key(owner, id)).await?;
                Ok(found.map_or(Written::Missing, |_| Written::Stale))
            }
            Err(error) => Err(TableError::of(error).into()),
        }
    }

    /// Why the condition of a replacement failed. Where the SDK tried twice because the first
    /// answer was lost, the second try met the first one's version: then it was done.
    async fn why_not_replaced(
        &self,
        owner: &str,
        id: Uuid,
        write: &str,
    ) -> Result<Written<Item>, StoreError> {
        let Some(found) = self.read(item_key(owner, id)).await? else {
            return Ok(Written::Missing);
        };
        let last = found.get("last_write").and_then(|last| last.as_s().ok());
        if last.is_some_and(|last| last == write) {
            return Ok(Written::Done(Item::from_attributes(&found)?));
        }
        Ok(Written::Stale)
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

fn new_item(content: Content) -> Item {
    // The id first: ids and times of creation are in the same order.
    let id = Uuid::now_v7();
    let created_at = Timestamp::now();
    Item {
        id,
        content,
        created_at,
        updated_at: created_at,
        version: 1,
    }
}

/// The update that sets `values` and leaves no other content behind.
fn replacement(values: &Attributes) -> String {
    let (set, removed): (Vec<_>, Vec<_>) = REPLACED
        .into_iter()
        .partition(|name| values.contains_key(*name));
    let set: Vec<String> = set
        .iter()
        .map(|name| format!("#{name} = :{name}"))
        .collect();
    let mut update = format!("SET item_version = item_version + :one, {}", set.join(", "));
    if !removed.is_empty() {
        let removed: Vec<String> = removed.iter().map(|name| format!("#{name}")).collect();
        update.push_str(" REMOVE ");
        update.push_str(&removed.join(", "));
    }
    update
}

/// That an item is there, in a version that a request may change.
fn condition(precondition: &Precondition) -> (String, Attributes) {
    let mut values = Attributes::new();
    let mut list = |prefix: &str, versions: &[u64]| {
        let names = versions.iter().enumerate().map(|(at, version)| {
            let name = format!(":{prefix}{at}");
            values.insert(name.clone(), AttributeValue::N(version.to_string()));
            name
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let mut conditions = vec!["attribute_exists(sk)".to_owned()];
    match precondition.only.as_deref() {
        None => {}
        // No tag that could be one of ours: never true for an item.
        Some([]) => conditions.push("attribute_not_exists(sk)".to_owned()),
        Some(only) => conditions.push(format!("item_version IN ({})", list("only", only))),
    }
    if !precondition.except.is_empty() {
        let except = list("except", &precondition.except);
        conditions.push(format!("NOT item_version IN ({except})"));
    }
    (conditions.join(" AND "), values)
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
