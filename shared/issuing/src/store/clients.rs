//! The key table, as far as it holds OAuth clients.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, number, read, text, took_place, well_formed, written};
use crate::pages;
use keygate_aws::dynamodb::TableError;
use keygate_key_record::{ClientRecord, Item, MalformedRecord, RegisteredClient};
use keygate_principal::name::is_plain_name;

/// A position in the list of clients: the last client before it, and when that was registered
/// (epoch seconds).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "(String, u64)")]
pub struct ClientPosition(String, u64);

/// A position that no list gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it names what can be no client")]
pub struct NoPosition;

impl TryFrom<(String, u64)> for ClientPosition {
    type Error = NoPosition;

    fn try_from((client_id, created_at): (String, u64)) -> Result<Self, Self::Error> {
        if is_plain_name(&client_id) {
            return Ok(Self(client_id, created_at));
        }
        Err(NoPosition)
    }
}

impl ClientPosition {
    fn of(item: &Item) -> Option<Self> {
        let client_id = item.get("pk")?.as_s().ok()?.strip_prefix("client#")?;
        let created_at = item.get("created_at")?.as_n().ok()?.parse().ok()?;
        Some(Self(client_id.to_owned(), created_at))
    }
}

impl Store {
    /// One client.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or holds no record there.
    pub async fn client(&self, client_id: &str) -> Result<Option<RegisteredClient>, StoreError> {
        let item = self.client_item(client_id).await?;
        let client = item.as_ref().map(RegisteredClient::from_item);
        Ok(client.transpose()?)
    }

    /// A client's record as the table has it.
    pub(crate) async fn client_item(&self, client_id: &str) -> Result<Option<Item>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(client_id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        Ok(output.item)
    }

    /// Up to `limit` clients, in the order of the second in which they were registered, behind a
    /// position; and the next position. From an index, so one of this second may still be missing, and one that
    /// somebody wrote by hand is not there. A malformed record is left out, and logged.
    ///
    /// # Errors
    /// When the table does not answer or refuses.
    pub async fn clients(
        &self,
        limit: usize,
        after: Option<ClientPosition>,
    ) -> Result<(Vec<RegisteredClient>, Option<ClientPosition>), StoreError> {
        let start = after.map(|ClientPosition(client_id, created_at)| {
            let owner = RegisteredClient::INDEXED_AS.to_owned();
            HashMap::from([
                ("pk".to_owned(), text(ClientRecord::pk(&client_id))),
                ("owner".to_owned(), text(owner)),
                ("created_at".to_owned(), number(created_at)),
            ])
        });
        let owner = RegisteredClient::INDEXED_AS;
        let (items, more) = self.page(owner, limit, start).await?;
        let clients = well_formed(&items, RegisteredClient::from_item);
        let last = items.last().filter(|_| more);
        Ok((clients, last.and_then(ClientPosition::of)))
    }

    /// Every client of the table, those that somebody wrote by hand included, in no order; and the
    /// items that are no clients although they are named so. Reads the whole table.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or is larger than 1 GB.
    pub async fn all_clients(
        &self,
    ) -> Result<(Vec<RegisteredClient>, Vec<MalformedRecord>), StoreError> {
        let pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :client)")
            .expression_attribute_values(":client", text(ClientRecord::pk("")))
            .consistent_read(true)
            .into_paginator()
            .send();
        let items = pages::entries(pages, |page| page.items).await?;
        Ok(read(&items, RegisteredClient::from_item))
    }

    /// Writes a new client's record; false when there is one.
    pub(crate) async fn create_client(
        &self,
        client: &RegisteredClient,
    ) -> Result<bool, StoreError> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(client.to_item()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        Ok(took_place(written)? || self.is_client(client).await?)
    }

    /// Takes back a record that [`create_client`](Self::create_client) may have written.
    pub(crate) async fn withdraw_client(
        &self,
        client: &RegisteredClient,
    ) -> Result<(), StoreError> {
        self.delete_client(&client.client_id, &client.to_item())
            .await
            .map(drop)
    }

    /// Writes a client's record in place of the one that was read; false when that was changed
    /// meanwhile, or is gone. Whatever else the item holds is left alone.
    pub(crate) async fn change_client(
        &self,
        read: &Item,
        changed: &RegisteredClient,
    ) -> Result<bool, StoreError> {
        let as_read = AsRead::of(read);
        let request = as_read.values.into_iter().fold(
            self.change(changed)
                .condition_expression(as_read.expression),
            |request, (name, value)| request.expression_attribute_values(name, value),
        );
        Ok(took_place(request.send().await)? || self.is_client(changed).await?)
    }

    /// The update that writes what a change may change.
    fn change(&self, changed: &RegisteredClient) -> UpdateItemFluentBuilder {
        // By owner and time a list knows it, and a record that was written by hand has none.
        let mut item = changed.to_item();
        item.remove("pk");
        let changeable = CHANGEABLE.iter();
        let removed: Vec<String> = changeable
            .filter(|name| !item.contains_key(**name))
            .map(|name| format!("#{name}"))
            .collect();
        let set: Vec<String> = item
            .keys()
            .map(|name| format!("#{name} = :{name}"))
            .collect();
        let mut update = format!("SET {}", set.join(", "));
        if !removed.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&removed.join(", "));
        }
        let looked_at = AsRead::NAMES.iter().chain(&CHANGEABLE);
        let names = looked_at.map(|name| (*name).to_owned());
        let names = names.chain(item.keys().cloned());
        let values = item.iter();
        let values = values.map(|(name, value)| (format!(":{name}"), value.clone()));
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(&changed.client_id)))
            .update_expression(update)
            .set_expression_attribute_names(Some(
                names.map(|name| (format!("#{name}"), name)).collect(),
            ))
            .set_expression_attribute_values(Some(values.collect()))
    }

    /// Takes a client's usage key out of its record, and gives the record of before; `None` when there
    /// is none. It still names the usage key by API Gateway's id, so that this can be done again.
    pub(crate) async fn unmeter_client(&self, client_id: &str) -> Result<Option<Item>, StoreError> {
        let unmetered = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(client_id)))
            .update_expression("REMOVE usage_key")
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        Ok(written(unmetered)?.map(|output| output.attributes.unwrap_or_default()))
    }

    /// Deletes a client's record that was read; false when it was changed meanwhile, or is gone.
    pub(crate) async fn delete_client(
        &self,
        client_id: &str,
        read: &Item,
    ) -> Result<bool, StoreError> {
        let as_read = AsRead::of(read);
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(client_id)))
            .condition_expression(as_read.expression)
            .set_expression_attribute_names(Some(AsRead::names()))
            .set_expression_attribute_values(
                Some(as_read.values).filter(|values| !values.is_empty()),
            )
            .send()
            .await;
        took_place(deleted)
    }

    /// Whether the table has this record. Where the SDK tried twice because the first answer was
    /// lost, the second try's condition met the first one's work.
    async fn is_client(&self, client: &RegisteredClient) -> Result<bool, StoreError> {
        Ok(self.client(&client.client_id).await?.as_ref() == Some(client))
    }
}

/// What a change writes, or takes out.
const CHANGEABLE: [&str; 6] = [
    "name",
    "usage_key",
    "usage_key_id",
    "usage_plan",
    RegisteredClient::FORMER_ID,
    RegisteredClient::FORMER_UNTIL,
];

/// The condition that a client's record is still the one that was read.
struct AsRead {
    expression: String,
    values: HashMap<String, AttributeValue>,
}

impl AsRead {
    /// What it looks at.
    const NAMES: [&str; 7] = [
        "status",
        "created_at",
        "issuer",
        "name",
        "usage_key",
        "usage_key_id",
        "usage_plan",
    ];

    fn of(item: &Item) -> Self {
        let mut values = HashMap::new();
        let conditions = Self::NAMES.map(|name| match item.get(name) {
            Some(value) => {
                let placeholder = format!(":read_{name}");
                values.insert(placeholder.clone(), value.clone());
                format!("#{name} = {placeholder}")
            }
            None => format!("attribute_not_exists(#{name})"),
        });
        let expression = format!("attribute_exists(pk) AND {}", conditions.join(" AND "));
        Self { expression, values }
    }

    /// The names in the expression.
    fn names() -> HashMap<String, String> {
        let names = Self::NAMES.into_iter();
        names
            .map(|name| (format!("#{name}"), name.to_owned()))
            .collect()
    }
}
