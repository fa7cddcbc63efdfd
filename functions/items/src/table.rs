//! The table: a row for each item, `owner` and `item#<id>`, that holds it as JSON. DynamoDB's own
//! types would change numbers, and nest 32 levels at most.

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Error};
use keygate_aws::dynamodb::{self, TableError};
use keygate_problem::{INTERNAL_ERROR, Problem};
use keygate_settings::{SettingError, Settings};
use uuid::Uuid;

use crate::item::Item;

/// A row, or its key alone.
pub(crate) type Row = HashMap<String, AttributeValue>;

/// The table, and how it is reached.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// Opens the table that `ITEMS_TABLE` names.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, SettingError> {
        let name = settings.required("ITEMS_TABLE", "the DynamoDB table of items")?;
        Ok(Self {
            client: dynamodb::connected(settings).await?,
            name: name.to_owned(),
        })
    }
}

/// The key of an item's row.
pub(crate) fn key(owner: &str, id: Uuid) -> Row {
    Row::from([
        ("owner".to_owned(), text(owner)),
        ("sk".to_owned(), text(format!("item#{id}"))),
    ])
}

/// The row that holds an item.
pub(crate) fn row(owner: &str, item: &Item) -> Result<Row, Problem> {
    let json = serde_json::to_string(item).map_err(unusable)?;
    let mut row = key(owner, item.id);
    row.insert("etag".to_owned(), text(&item.etag));
    row.insert("item".to_owned(), text(json));
    Ok(row)
}

/// The item that a row holds.
pub(crate) fn item(row: &Row) -> Result<Item, Problem> {
    let json = row.get("item").and_then(|value| value.as_s().ok());
    serde_json::from_str(json.map_or("", String::as_str)).map_err(unusable)
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// 503, or 500 when the table refuses the call.
pub(crate) fn unanswered(error: impl Into<Error>) -> Problem {
    TableError::of(error).into_problem()
}

fn unusable(error: impl Display) -> Problem {
    tracing::error!(%error, "an item cannot be read or written");
    Problem::new(&INTERNAL_ERROR, "The item cannot be read or written.")
}
