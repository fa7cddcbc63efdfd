//! Creation under an idempotency key: the item and the key's record in one transaction, so that
//! there is never one without the other.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use keygate_aws::dynamodb::TableError;
use keygate_idempotency_key::IdempotencyKey;
use keygate_key_record::now;

use super::{Attributes, Store, StoreError, key_of, new_item};
use crate::idempotency::{self, Record};
use crate::item::{Content, Item};

/// How often the transaction is tried while others with the same key are in its way.
const ATTEMPTS: u32 = 3;
/// How long to wait before the second try; the third waits twice that.
const PAUSE: Duration = Duration::from_millis(20);

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

impl Store {
    /// Writes a new item unless its idempotency key came before.
    pub(crate) async fn create_once(
        &self,
        owner: &str,
        content: Content,
        key: &IdempotencyKey,
    ) -> Result<Created, StoreError> {
        let fingerprint = content.fingerprint();
        let item = new_item(content);
        for attempt in 1..=ATTEMPTS {
            let record = Record {
                id: item.id,
                created_at: item.created_at,
                fingerprint: fingerprint.clone(),
            };
            let now = now();
            let remember = record.to_attributes(owner, key, now);
            match self
                .write_both(&item.to_attributes(owner), &remember, now)
                .await
            {
                Ok(()) => return Ok(Created::Item(Box::new(item))),
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(TableError::of(error).into()),
            }
            let remembered = self.read(key_of(owner, idempotency::sk(key))).await?;
            let remembered =
                remembered.and_then(|attributes| Record::from_attributes(&attributes, now));
            if let Some(remembered) = remembered {
                return Ok(replayed(&remembered, item, &fingerprint));
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(PAUSE * attempt).await;
            }
        }
        Ok(Created::UnderWay)
    }

    async fn write_both(
        &self,
        item: &Attributes,
        record: &Attributes,
        now: u64,
    ) -> Result<(), SdkError<TransactWriteItemsError>> {
        let put = |attributes: &Attributes| {
            Put::builder()
                .table_name(&self.table)
                .set_item(Some(attributes.clone()))
        };
        // A record whose time is over may still be there, and may be overwritten.
        let remember = put(record)
            .condition_expression("attribute_not_exists(sk) OR expires_at <= :now")
            .expression_attribute_values(":now", AttributeValue::N(now.to_string()));
        let mut transaction = self.client.transact_write_items();
        for put in [remember, put(item)] {
            let put = put.build().map_err(SdkError::construction_failure)?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        transaction.send().await.map(drop)
    }
}

/// The answer to a key that came before. The body that comes again is the body that made the item,
/// so the item is as it was made, whatever has become of it since.
fn replayed(record: &Record, item: Item, fingerprint: &str) -> Created {
    if record.fingerprint != fingerprint {
        return Created::OtherContent;
    }
    Created::Item(Box::new(Item {
        id: record.id,
        created_at: record.created_at,
        updated_at: record.created_at,
        ..item
    }))
}

/// Whether the transaction met the key's record, or another transaction that writes it.
fn is_contended(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(error) = error.as_service_error() else {
        return false;
    };
    match error {
        TransactWriteItemsError::TransactionInProgressException(_) => true,
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code())
            .filter(|code| *code != "None")
            .all(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict")),
        _ => false,
    }
}
