//! The table over the real DynamoDB protocol.

use aws_sdk_dynamodb::primitives::Blob;

use super::*;
use crate::rig::{Rig, key_of};
use keygate_api_key::ApiKey;
use keygate_key_record::{ClientRecord, PreviousSecret, SecretMatch, now};

/// A record with another secret, and the key that has it.
fn with_new_secret(record: &KeyRecord) -> (KeyRecord, ApiKey) {
    let key = ApiKey::generate_for(record.id.clone()).unwrap();
    let rotated = KeyRecord {
        secret: key.secret_hash(),
        previous: Some(PreviousSecret {
            hash: record.secret,
            until: now() + 60,
        }),
        ..record.clone()
    };
    (rotated, key)
}

#[tokio::test]
async fn an_id_that_is_taken_is_never_overwritten() {
    let rig = Rig::start();
    let (record, key) = key_of("other", 1_000);
    assert!(rig.store().create(&record).await.unwrap());
    let mine = KeyRecord {
        owner: "me".to_owned(),
        secret: ApiKey::generate().unwrap().secret_hash(),
        ..record.clone()
    };
    assert!(!rig.store().create(&mine).await.unwrap());
    // Its own creation again, as the SDK tries it when the answer was lost, is done.
    assert!(rig.store().create(&record).await.unwrap());
    // And what was not written is not taken back.
    rig.store().withdraw(&mine).await.unwrap();
    let stored = rig.record(&record).await;
    assert_eq!(stored.owner, "other");
    assert_eq!(stored.secret_match(&key, 0), SecretMatch::Current);
    rig.store().withdraw(&record).await.unwrap();
    assert!(rig.store().get(None, &record.id).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_rotations_of_one_secret_one_takes_place() {
    let rig = Rig::start();
    let (record, issued) = rig.issue().await;
    let (first, key) = with_new_secret(&record);
    let (second, _) = with_new_secret(&record);
    let store = rig.store();
    assert!(store.rotate(&record.secret, &first).await.unwrap());
    assert!(!store.rotate(&record.secret, &second).await.unwrap());
    // The first one again, as the SDK tries it when the answer was lost, is the same rotation.
    assert!(store.rotate(&record.secret, &first).await.unwrap());
    let stored = rig.record(&record).await;
    assert_eq!(stored.secret_match(&key, now()), SecretMatch::Current);
    assert_eq!(stored.secret_match(&issued, now()), SecretMatch::Previous);
}

#[tokio::test]
async fn a_key_that_was_revoked_meanwhile_gets_no_secret() {
    let rig = Rig::start();
    let (record, _) = rig.issue().await;
    let revoked = rig.store().revoke(Some("me"), &record.id).await;
    assert!(revoked.unwrap().is_some());
    let (rotated, key) = with_new_secret(&record);
    let stored = rig.store().rotate(&record.secret, &rotated).await;
    assert!(!stored.unwrap());
    let stored = rig.record(&record).await;
    assert_eq!(stored.secret_match(&key, now()), SecretMatch::Neither);
}

#[tokio::test]
async fn a_key_whose_hash_is_stored_in_another_form_can_be_rotated() {
    let rig = Rig::start();
    let forms: [fn(&SecretHash) -> AttributeValue; 2] = [
        |hash| AttributeValue::B(Blob::new(hash.to_bytes())),
        |hash| AttributeValue::S(hash.to_hex().to_uppercase()),
    ];
    for form in forms {
        let (record, issued) = rig.issue().await;
        let mut item = rig.item(&record).await;
        item.insert("secret_sha256".to_owned(), form(&record.secret));
        rig.put(item).await;
        let (rotated, key) = with_new_secret(&record);
        let store = rig.store();
        assert!(store.rotate(&record.secret, &rotated).await.unwrap());
        let stored = rig.record(&record).await;
        assert_eq!(stored.secret_match(&key, now()), SecretMatch::Current);
        assert_eq!(stored.secret_match(&issued, now()), SecretMatch::Previous);
    }
}

#[tokio::test]
async fn attributes_that_a_former_version_kept_are_left_alone() {
    let rig = Rig::start();
    let (record, _) = rig.issue().await;
    let mut item = rig.item(&record).await;
    for name in ["request_sha256", "rotation_sha256"] {
        item.insert(name.to_owned(), text("0".repeat(64)));
    }
    rig.put(item).await;
    let (rotated, key) = with_new_secret(&record);
    let store = rig.store();
    assert!(store.rotate(&record.secret, &rotated).await.unwrap());
    let stored = rig.record(&record).await;
    assert_eq!(stored.secret_match(&key, now()), SecretMatch::Current);
    assert_eq!(store.of_owner("me").await.unwrap().0.len(), 1);
    assert!(store.revoke(None, &record.id).await.unwrap().is_some());
    let item = rig.item(&record).await;
    assert_eq!(item["rotation_sha256"], text("0".repeat(64)));
}

#[tokio::test]
async fn a_list_holds_an_owners_keys_once_each_and_its_last_page_says_so() {
    let rig = Rig::start();
    let mut expected = Vec::new();
    // Several in one second, which only the id tells apart.
    for created_at in [1_000, 1_000, 1_000, 1_000, 2_000, 3_000] {
        let (record, _) = key_of("me", created_at);
        rig.put(record.to_item()).await;
        rig.put(key_of("other", created_at).0.to_item()).await;
        expected.push(record.id);
    }
    let store = rig.store();
    let (first, next) = store.list("me", 3, None).await.unwrap();
    let (last, end) = store.list("me", 3, next).await.unwrap();
    assert_eq!((first.len(), last.len()), (3, 3));
    assert!(end.is_none());
    let listed = || first.iter().chain(&last);
    assert!(listed().is_sorted_by_key(|record| record.created_at));
    let mut ids: Vec<&ApiKeyId> = listed().map(|record| &record.id).collect();
    let (whole, _) = store.of_owner("me").await.unwrap();
    assert_eq!(
        whole.iter().map(|record| &record.id).collect::<Vec<_>>(),
        ids
    );
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_malformed_record_is_revoked_like_any_other_and_hides_no_other() {
    let rig = Rig::start();
    let [(malformed, _), (other, _)] = [rig.issue().await, rig.issue().await];
    let mut item = rig.item(&malformed).await;
    item.insert("allowed_cidrs".to_owned(), text("192.0.2.0/24".to_owned()));
    rig.put(item).await;
    let store = rig.store();
    // Page by page, as the malformed one may be first or last.
    let mut listed = Vec::new();
    let mut after = None;
    for _ in 0..2 {
        let (page, next) = store.list("me", 1, after).await.unwrap();
        listed.extend(page);
        after = next;
    }
    assert!(after.is_none());
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, other.id);
    for (records, wrong) in [
        store.of_owner("me").await.unwrap(),
        store.all().await.unwrap(),
    ] {
        assert_eq!((records.len(), wrong.len()), (1, 1));
        assert_eq!(wrong[0].pk, KeyRecord::pk(&malformed.id));
    }
    assert!(store.get(None, &malformed.id).await.is_err());
    let revoked = store.revoke(Some("me"), &malformed.id).await;
    assert!(revoked.unwrap().is_some());
    assert_eq!(
        rig.item(&malformed).await["status"],
        text("revoked".to_owned())
    );
}

#[tokio::test]
async fn a_table_is_read_whole_however_many_pages_it_has() {
    let rig = Rig::start();
    // DynamoDB gives 1 MB a page.
    for _ in 0..8 {
        let (mut record, _) = key_of("me", 1_000);
        record.name = "x".repeat(300_000);
        rig.put(record.to_item()).await;
    }
    rig.put(Item::from([("pk".to_owned(), text("client#a".to_owned()))]))
        .await;
    assert_eq!(rig.store().all().await.unwrap().0.len(), 8);
    assert_eq!(rig.store().of_owner("me").await.unwrap().0.len(), 8);
}

#[tokio::test]
async fn somebody_elses_key_is_as_good_as_none() {
    let rig = Rig::start();
    let (record, key) = rig.issue().await;
    let store = rig.store();
    assert!(
        store
            .get(Some("other"), &record.id)
            .await
            .unwrap()
            .is_none()
    );
    let revoked = store.revoke(Some("other"), &record.id).await;
    assert_eq!(revoked.unwrap(), None);
    let nobodys = ApiKey::generate().unwrap();
    assert_eq!(store.revoke(None, nobodys.id()).await.unwrap(), None);
    let stored = rig.record(&record).await;
    assert_eq!(stored.status, Status::Active);
    assert_eq!(stored.secret_match(&key, now()), SecretMatch::Current);
}

/// Registers a client that is metered, and gives its record as the table has it.
async fn registered(rig: &Rig, client_id: &str) -> (RegisteredClient, Item) {
    let client = RegisteredClient {
        client_id: client_id.to_owned(),
        record: ClientRecord {
            usage_key: Some("keygate-usage-0123456789ab".to_owned()),
            status: Status::Active,
            issuer: None,
        },
        name: None,
        created_at: 1_000,
        usage_key_id: Some("a1b2c3d4e5".to_owned()),
        usage_plan: Some("standard".to_owned()),
        former_usage_key: None,
    };
    assert!(rig.store().create_client(&client).await.unwrap());
    let item = rig.store().client_item(client_id).await.unwrap();
    (client, item.unwrap())
}

#[tokio::test]
async fn a_client_that_was_changed_since_it_was_read_is_neither_changed_nor_removed() {
    let rig = Rig::start();
    let store = rig.store();
    let meanwhile: [fn(&mut RegisteredClient); 4] = [
        |client| client.record.status = Status::Revoked,
        |client| client.record.usage_key = Some("keygate-usage-ba9876543210".to_owned()),
        |client| client.usage_key_id = None,
        // Removed and registered anew.
        |client| client.created_at += 1,
    ];
    for (number, meanwhile) in (0..).zip(meanwhile) {
        let (client, read) = registered(&rig, &format!("client-{number}")).await;
        let (mut other, mut planned) = (client.clone(), client.clone());
        meanwhile(&mut other);
        assert!(store.change_client(&read, &other).await.unwrap());
        planned.usage_plan = Some("partner".to_owned());
        assert!(!store.change_client(&read, &planned).await.unwrap());
        assert!(!store.delete_client(&client.client_id, &read).await.unwrap());
        store.withdraw_client(&client).await.unwrap();
        let stored = store.client(&client.client_id).await.unwrap();
        assert_eq!(stored, Some(other), "{number}");
    }
    let (client, read) = registered(&rig, "unchanged").await;
    assert!(store.delete_client("unchanged", &read).await.unwrap());
    assert!(!store.change_client(&read, &client).await.unwrap());
}

#[tokio::test]
async fn a_client_that_is_registered_anew_while_it_is_removed_stays() {
    let rig = Rig::start();
    let store = rig.store();
    let (client, _) = registered(&rig, "mobile").await;
    let mut read = store.unmeter_client("mobile").await.unwrap().unwrap();
    read.remove("usage_key");
    assert!(store.delete_client("mobile", &read).await.unwrap());
    let mut anew = client;
    anew.record = ClientRecord {
        usage_key: None,
        status: Status::Revoked,
        issuer: None,
    };
    anew.usage_key_id = None;
    assert!(store.create_client(&anew).await.unwrap());
    assert!(!store.delete_client("mobile", &read).await.unwrap());
    assert_eq!(store.client("mobile").await.unwrap(), Some(anew));
}
