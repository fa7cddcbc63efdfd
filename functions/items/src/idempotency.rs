//! `Idempotency-Key`: the same key and body give the same item, whatever the network repeats.
//!
//! A row for the key, `idem#<key>`, holds the item as it was made. One transaction writes it and the
//! item's own row, so that there is never one without the other.

use aws_sdk_dynamodb::Error;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use keygate_problem::{BAD_REQUEST, CONFLICT, IDEMPOTENCY_KEY_REUSED, Problem};
use lambda_http::http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::value::RawValue;

use crate::item::Item;
use crate::table::{self, Table, text, unanswered};

/// How long a key is remembered, in seconds: a day.
const REMEMBERED_FOR: i64 = 24 * 60 * 60;

/// The header `Idempotency-Key`, if there is one; 400 when it is no key, or comes more than once.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut lines = headers.get_all("idempotency-key").iter();
    let visible = |key: &str| !key.contains([' ', '\t']);
    match (lines.next().map(HeaderValue::to_str), lines.next()) {
        (None, _) => Ok(None),
        (Some(Ok(key)), None) if (1..=255).contains(&key.len()) && visible(key) => Ok(Some(key)),
        _ => Err(Problem::new(
            &BAD_REQUEST,
            "The header Idempotency-Key comes once, with 1 to 255 visible ASCII characters.",
        )),
    }
}

/// Writes a new item, unless its key came before: then it is the item that was made, as it was. 422
/// when the key came with another body, 409 while another request with it is under way.
pub(crate) async fn create(
    table: &Table,
    owner: &str,
    key: &str,
    item: Item,
) -> Result<Item, Problem> {
    let now = Timestamp::now().as_second();
    let seconds = |value: i64| AttributeValue::N(value.to_string());
    let row = table::row(owner, &item)?;
    let mut remembered = row.clone();
    remembered.insert("sk".to_owned(), text(format!("idem#{key}")));
    remembered.insert("expires_at".to_owned(), seconds(now + REMEMBERED_FOR));
    let remember = Put::builder()
        .set_item(Some(remembered))
        // DynamoDB deletes late what has expired.
        .condition_expression("attribute_not_exists(sk) OR expires_at <= :now")
        .expression_attribute_values(":now", seconds(now))
        .return_values_on_condition_check_failure(AllOld);
    let create = Put::builder().set_item(Some(row));
    let mut transaction = table.client.transact_write_items();
    for put in [remember, create] {
        let put = put.table_name(&table.name).build().map_err(unanswered)?;
        transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
    }
    match transaction.send().await.map_err(Error::from) {
        Ok(_) => Ok(item),
        Err(error) => made_before(error, &item),
    }
}

/// The answer to a key that came before, by what kept the transaction from being carried out.
fn made_before(error: Error, item: &Item) -> Result<Item, Problem> {
    let Error::TransactionCanceledException(cancelled) = &error else {
        return Err(unanswered(error));
    };
    let mut reasons = cancelled.cancellation_reasons().iter();
    if let Some(record) = reasons.clone().find_map(|reason| reason.item()) {
        let made = table::item(record)?;
        if content(&made) == content(item) {
            return Ok(made);
        }
        let detail = "This Idempotency-Key came before with another body.";
        return Err(Problem::new(&IDEMPOTENCY_KEY_REUSED, detail));
    }
    if reasons.any(|reason| reason.code() == Some("TransactionConflict")) {
        let detail = "A request with this Idempotency-Key is under way.";
        return Err(Problem::new(&CONFLICT, detail).with_header(RETRY_AFTER, "1"));
    }
    Err(unanswered(error))
}

/// What the client wrote.
fn content(item: &Item) -> (&str, Option<&str>, Option<&str>) {
    let attributes = item.attributes.as_deref().map(RawValue::get);
    (&item.name, item.description.as_deref(), attributes)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use lambda_http::http::header::HeaderName;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let values = lines.iter().map(|line| HeaderValue::from_bytes(line));
        let name = HeaderName::from_static("idempotency-key");
        values.map(|line| (name.clone(), line.unwrap())).collect()
    }

    #[test]
    fn a_key_is_one_line_of_at_most_255_visible_ascii_characters() {
        for good in [
            &b"a"[..],
            b"8e03978e-40d5-43dd-bc93-6894a57f9324",
            &[b'x'; 255],
        ] {
            let headers = headers(&[good]);
            assert_eq!(key(&headers).unwrap().map(str::as_bytes), Some(good));
        }
        assert_eq!(key(&headers(&[])).unwrap(), None);
        for bad in [&b""[..], b"a b", b"a\tb", b"\xc3\xa9", &[b'x'; 256]] {
            assert!(key(&headers(&[bad])).is_err(), "{bad:?}");
        }
        assert!(key(&headers(&[b"a", b"a"])).is_err());
    }

    #[test]
    fn a_transaction_in_the_way_is_a_conflict_and_a_table_without_capacity_is_not() {
        let cancelled = |code: &str| {
            let reason = CancellationReason::builder().code(code).build();
            let error = ErrorMetadata::builder().code("TransactionCanceledException");
            let cancelled = TransactionCanceledException::builder().meta(error.build());
            Error::TransactionCanceledException(cancelled.cancellation_reasons(reason).build())
        };
        for (code, slug) in [
            ("TransactionConflict", "conflict"),
            ("ThrottlingError", "service-unavailable"),
            ("ValidationError", "internal-error"),
        ] {
            let problem = made_before(cancelled(code), &item()).unwrap_err();
            assert_eq!(problem.kind.slug, slug, "{code}");
        }
    }

    fn item() -> Item {
        let item = serde_json::json!({
            "id": "0190a8e5-7b5c-7000-8000-000000000000", "name": "a", "etag": "\"b\"",
            "created_at": "2026-11-24T12:00:00Z", "updated_at": "2026-11-24T12:00:00Z",
        });
        serde_json::from_value(item).unwrap()
    }
}
