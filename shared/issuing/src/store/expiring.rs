//! The key table, as far as keys are about to expire.

use super::{Store, StoreError, number, text, took_place};
use crate::expiring::{Expiring, Within};
use crate::pages;
use keygate_key_record::{Item, KeyRecord, MalformedRecord, Status};

/// When somebody was told last that a key expires, in epoch seconds. It is a note beside the record.
const NOTICED_AT: &str = "expiry_noticed_at";

impl Store {
    /// The keys in use that expire within a time, the soonest first, and the items that are no keys
    /// although they are named so. Reads the whole table, eventually consistent: there is no index by expiry,
    /// and one would cost each write to spare a scan a day.
    ///
    /// # Errors
    /// When the table does not answer, refuses, or is larger than 1 GB.
    pub async fn expiring(
        &self,
        within: Within,
    ) -> Result<(Vec<Expiring>, Vec<MalformedRecord>), StoreError> {
        let pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression(
                "begins_with(pk, :key) AND #status = :active AND expires_at BETWEEN :now AND :until",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":key", text("key#".to_owned()))
            .expression_attribute_values(":active", text(Status::Active.as_str().to_owned()))
            .expression_attribute_values(":now", number(within.now))
            .expression_attribute_values(":until", number(within.until))
            .into_paginator()
            .send();
        let items = pages::entries(pages, |page| page.items).await?;
        let (mut expiring, mut malformed) = (Vec::new(), Vec::new());
        for item in &items {
            match KeyRecord::from_item(item) {
                Ok(record) if within.ends(&record) => expiring.push(Expiring {
                    record,
                    noticed_at: noticed_at(item),
                }),
                Ok(_) => {}
                Err(error) => malformed.push(error),
            }
        }
        expiring.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok((expiring, malformed))
    }

    /// Notes that somebody was told at `now` (epoch seconds) of a key's expiry; false when the key is gone.
    ///
    /// # Errors
    /// When the table does not answer or refuses.
    pub async fn note_notice(&self, key: &Expiring, now: u64) -> Result<bool, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(KeyRecord::pk(&key.record.id)))
            .update_expression("SET #noticed = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#noticed", NOTICED_AT)
            .expression_attribute_values(":now", number(now));
        took_place(request.send().await)
    }
}

fn order(key: &Expiring) -> (Option<u64>, &str) {
    (key.record.expires_at, key.record.id.as_str())
}

/// A note of another form is as good as none.
fn noticed_at(item: &Item) -> Option<u64> {
    item.get(NOTICED_AT)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::expiring::NoticeDays;
    use crate::rig::{Rig, key_of};

    const NOW: u64 = 1_800_000_000;
    const DAY: u64 = 24 * 60 * 60;

    /// A key that ends in so many days.
    fn key(days: u64) -> KeyRecord {
        let (mut record, _) = key_of("me", NOW - 365 * DAY);
        record.expires_at = Some(NOW + days * DAY);
        record
    }

    #[tokio::test]
    async fn keys_in_use_are_found_by_their_expiry_the_soonest_first() {
        let rig = Rig::start();
        let (late, soon, beyond) = (key(6), key(2), key(8));
        let (mut revoked, mut endless) = (key(2), key(2));
        revoked.status = Status::Revoked;
        endless.expires_at = None;
        for record in [&late, &soon, &beyond, &revoked, &endless] {
            rig.put(record.to_item()).await;
        }
        // What is named like a key and is none, and what is another thing with an expiry.
        let mut broken = key(3).to_item();
        broken.remove("secret_sha256");
        let broken_pk = broken["pk"].as_s().unwrap().clone();
        rig.put(broken).await;
        let mut other = key(2).to_item();
        other.insert("pk".to_owned(), AttributeValue::S("jti#a".to_owned()));
        rig.put(other).await;

        let found = rig.store().expiring(Within::days(7, NOW)).await;
        let (expiring, malformed) = found.unwrap();
        let ids: Vec<_> = expiring.iter().map(|key| &key.record.id).collect();
        assert_eq!(ids, [&soon.id, &late.id]);
        let malformed: Vec<_> = malformed.into_iter().map(|error| error.pk).collect();
        assert_eq!(malformed, [broken_pk]);
    }

    #[tokio::test]
    async fn a_key_that_was_told_of_stays_what_it_was_and_is_not_due() {
        let rig = Rig::start();
        let record = key(5);
        rig.put(record.to_item()).await;
        let within = Within::days(7, NOW);
        let week: NoticeDays = "7".parse().unwrap();
        let find = async || rig.store().expiring(within).await.unwrap().0.remove(0);
        let found = find().await;
        assert!(week.are_due(&found, NOW));
        assert!(rig.store().note_notice(&found, NOW).await.unwrap());
        assert!(!week.are_due(&find().await, NOW));
        assert_eq!(rig.record(&record).await.to_item(), record.to_item());
    }

    #[tokio::test]
    async fn a_key_that_is_gone_is_not_made_again_by_a_note() {
        let rig = Rig::start();
        let gone = Expiring::from(key(5));
        assert!(!rig.store().note_notice(&gone, NOW).await.unwrap());
        assert_eq!(rig.store().all().await.unwrap().0.len(), 0);
    }
}
