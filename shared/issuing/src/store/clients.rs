//! The key table, as far as it holds OAuth clients.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use serde::{Deserialize, Serialize};

use super::{NamedUsageKey, Store, StoreError, number, text, took_place, written};
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
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(client_id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(TableError::of)?;
        let client = output.item.as_ref().map(RegisteredClient::from_item);
        Ok(client.transpose()?)
    }

    /// Up to `limit` clients, in the order in which they were registered, behind a position; and the
    /// next position. From an index, so one of this second may still be missing, and one that
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
        let page = self
            .query(RegisteredClient::INDEXED_AS)
            .set_exclusive_start_key(start)
            // One more tells whether a page is the last.
            .set_limit(i32::try_from(limit + 1).ok())
            .send()
            .await
            .map_err(TableError::of)?;
        let more = page.items().len() > limit || page.last_evaluated_key().is_some();
        let items = page.items().get(..limit).unwrap_or(page.items());
        let (clients, malformed) = read(items);
        for error in malformed {
            tracing::error!(%error, "left out of a list");
        }
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
        Ok(read(&pages::entries(pages, |page| page.items).await?))
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
        let mut request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(&client.client_id)))
            .condition_expression("attribute_not_exists(usage_key_id)");
        if let Some(id) = &client.usage_key_id {
            request = request
                .condition_expression("usage_key_id = :id")
                .expression_attribute_values(":id", text(id.clone()));
        }
        took_place(request.send().await).map(drop)
    }

    /// Writes a client's record in place of the one that was read; false when that has got another
    /// usage key meanwhile, or is gone. Whatever else the item holds is left alone.
    pub(crate) async fn change_client(
        &self,
        read: &RegisteredClient,
        changed: &RegisteredClient,
    ) -> Result<bool, StoreError> {
        let request = self.change(changed);
        let request = match &read.usage_key_id {
            None => request.condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(#usage_key_id)",
            ),
            Some(former) => request
                .condition_expression("#usage_key_id = :former")
                .expression_attribute_values(":former", text(former.clone())),
        };
        Ok(took_place(request.send().await)? || self.is_client(changed).await?)
    }

    /// The update that writes what a change may change.
    fn change(&self, changed: &RegisteredClient) -> UpdateItemFluentBuilder {
        let optional = [
            ("name", &changed.name),
            ("usage_key", &changed.record.usage_key),
            ("usage_key_id", &changed.usage_key_id),
            ("usage_plan", &changed.usage_plan),
        ];
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(&changed.client_id)))
            // By these a list knows it, and a record that was written by hand has none.
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#created_at", "created_at")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":owner", text(RegisteredClient::INDEXED_AS.to_owned()))
            .expression_attribute_values(":created_at", number(changed.created_at))
            .expression_attribute_values(
                ":status",
                text(changed.record.status.as_str().to_owned()),
            );
        let mut set = vec![
            "#owner = :owner".to_owned(),
            "#created_at = :created_at".to_owned(),
            "#status = :status".to_owned(),
        ];
        let mut removed = Vec::new();
        for (name, value) in optional {
            request = request.expression_attribute_names(format!("#{name}"), name);
            match value {
                None => removed.push(format!("#{name}")),
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    let value = text(value.clone());
                    request = request.expression_attribute_values(format!(":{name}"), value);
                }
            }
        }
        let mut update = format!("SET {}", set.join(", "));
        if !removed.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&removed.join(", "));
        }
        request.update_expression(update)
    }

    /// Takes a client's usage key out of its record, and says which; `None` when there is no record.
    /// The record still names it by API Gateway's id, so that this can be done again.
    pub(crate) async fn unmeter_client(
        &self,
        client_id: &str,
    ) -> Result<Option<NamedUsageKey>, StoreError> {
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
        let written = written(unmetered)?;
        Ok(written.map(|output| NamedUsageKey::of(&output.attributes.unwrap_or_default())))
    }

    /// Deletes a client's record.
    pub(crate) async fn delete_client(&self, client_id: &str) -> Result<(), StoreError> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(ClientRecord::pk(client_id)))
            .send()
            .await;
        took_place(deleted).map(drop)
    }

    /// Whether the table has this record. Where the SDK tried twice because the first answer was
    /// lost, the second try's condition met the first one's work.
    async fn is_client(&self, client: &RegisteredClient) -> Result<bool, StoreError> {
        Ok(self.client(&client.client_id).await?.as_ref() == Some(client))
    }
}

/// The clients among items, and what is wrong with the others.
fn read(items: &[Item]) -> (Vec<RegisteredClient>, Vec<MalformedRecord>) {
    let mut clients = Vec::with_capacity(items.len());
    let mut malformed = Vec::new();
    for item in items {
        match RegisteredClient::from_item(item) {
            Ok(client) => clients.push(client),
            Err(error) => malformed.push(error),
        }
    }
    (clients, malformed)
}
