//! Requests as API Gateway passes them on, against the key table over the real DynamoDB protocol.

mod once;
mod sweeping;
mod usage_keys;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use keygate_api_key::{ApiKey, SecretHash};
use keygate_key_record::{PreviousSecret, SecretMatch, Status, now};
use serde_json::{Value, json};

use crate::rig::{ALL_SCOPES, Event, PUBLIC_URL, Rig};

fn rotate(id: &str) -> Event {
    Event::new("POST", &format!("/keys/{id}/rotate"))
}

fn path_of(id: &str) -> String {
    format!("/keys/{id}")
}

#[tokio::test]
async fn an_issued_key_works_and_is_shown_in_no_later_answer() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    assert_eq!(issued.cache_control.as_deref(), Some("no-store"));
    let path = path_of(issued.id());
    assert_eq!(issued.location, Some(format!("{PUBLIC_URL}{path}")));
    let record = rig.record(issued.id()).await;
    assert_eq!(
        record.secret_match(&issued.key(), now()),
        SecretMatch::Current
    );

    let mut shown = issued.body.clone();
    shown.as_object_mut().unwrap().remove("key");
    let read = rig.answer(Event::new("GET", &path)).await;
    assert_eq!(read.body, shown);
    let list = rig.answer(Event::new("GET", "/keys")).await;
    assert_eq!(list.body["items"], json!([shown]));
    let fields: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "allowed_cidrs",
            "created_at",
            "expires_at",
            "id",
            "name",
            "owner",
            "scopes",
            "status",
            "usage_plan"
        ]
    );
}

#[tokio::test]
async fn a_key_never_opens_more_than_its_issuer_may() {
    let rig = Rig::start().await;
    let body = json!({"name": "wide", "scopes": ["items:read", "items:write"]});
    let event = Event::new("POST", "/keys").by("me", "items:read keys:admin");
    let reply = rig.answer(event.json(&body)).await;
    assert_eq!(reply.slug(), "insufficient-scope");
    let detail = reply.body["detail"].as_str().unwrap();
    assert!(detail.contains("items:write"), "{detail}");
    let list = rig.answer(Event::new("GET", "/keys")).await;
    assert_eq!(list.body["items"], json!([]));
}

#[tokio::test]
async fn a_wrong_field_of_a_request_for_a_key_is_named() {
    let rig = Rig::start().await;
    let good = json!({"name": "a", "scopes": ["items:read"]});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("name", Value::Null),
        ("scopes", json!([])),
        ("scopes", json!(["items read"])),
        ("scopes", json!("items:read")),
        ("scopes", json!([1])),
        ("scopes", Value::Null),
        ("expires_at", json!(now())),
        ("expires_at", json!("tomorrow")),
        ("expires_at", json!({})),
        ("usage_plan", json!("other")),
        ("usage_plan", json!("stack-standard")),
        ("allowed_cidrs", json!("192.0.2.0/24")),
        ("allowed_cidrs", json!(["192.0.2.0"])),
        ("allowed_cidrs", json!(["192.0.2.1/24"])),
        ("allowed_cidrs", json!(["2001:db8::/32", "x"])),
        ("allowed_cidrs", json!(vec!["192.0.2.0/24"; 21])),
        ("owner", json!("somebody")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let reply = rig.answer(Event::new("POST", "/keys").json(&body)).await;
        assert_eq!(reply.slug(), "invalid-body", "{field}: {value}");
        let errors = reply.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0]["field"], field);
    }
}

#[tokio::test]
async fn expiry_usage_plan_and_networks_are_as_asked_for() {
    let rig = Rig::start().await;
    let expiry = now() + 3_600;
    let body = json!({
        "name": "a", "scopes": ["items:read"], "expires_at": expiry, "usage_plan": "partner",
        "allowed_cidrs": ["2001:DB8::/32", "192.0.2.0/24", "192.0.2.0/24"],
    });
    let issued = rig.answer(Event::new("POST", "/keys").json(&body)).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    assert_eq!(issued.body["usage_plan"], "partner");
    let record = rig.record(issued.id()).await;
    assert_eq!(record.expires_at, Some(expiry));
    let networks = json!(["192.0.2.0/24", "2001:db8::/32"]);
    assert_eq!(issued.body["allowed_cidrs"], networks);
    assert_eq!(record.allowed_cidrs.len(), 2);
    // What an answer says can be sent back.
    let mut again = body.clone();
    again["expires_at"] = issued.body["expires_at"].clone();
    let again = rig.answer(Event::new("POST", "/keys").json(&again)).await;
    assert_eq!(again.body["expires_at"], issued.body["expires_at"]);
}

#[tokio::test]
async fn a_list_holds_the_callers_keys_once_each_and_its_last_page_says_so() {
    let rig = Rig::start().await;
    let mut expected = Vec::new();
    // Several in one second, which only the id tells apart.
    for created_at in [1_000, 1_000, 1_000, 1_000, 2_000, 3_000] {
        let record = rig.put_key("me", created_at).await;
        expected.push(record.id.to_string());
        rig.put_key("other", created_at).await;
    }
    let first = rig.answer(Event::new("GET", "/keys?limit=3")).await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = format!("/keys?limit=3&cursor={cursor}");
    let last = rig.answer(Event::new("GET", &next)).await.body;
    assert!(last["next_cursor"].is_null());
    let pages = [&first, &last].map(|page| page["items"].as_array().unwrap());
    assert_eq!(pages.map(Vec::len), [3, 3]);
    let all = || pages.into_iter().flatten();
    assert!(all().is_sorted_by_key(|key| key["created_at"].as_str().unwrap()));
    let mut seen: Vec<&str> = all().map(|key| key["id"].as_str().unwrap()).collect();
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_cursor_that_the_list_did_not_give_is_refused() {
    let rig = Rig::start().await;
    // base64url of ["x",1], {} and noise.
    for cursor in ["WyJ4IiwxXQ", "e30", "%%"] {
        let event = Event::new("GET", &format!("/keys?cursor={cursor}"));
        assert_eq!(rig.answer(event).await.slug(), "bad-request", "{cursor}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_kept_with_neither_secret_usable() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let id = issued.id();
    assert_eq!(rig.answer(rotate(id)).await.status, 200);
    for _ in 0..2 {
        let reply = rig.answer(Event::new("DELETE", &path_of(id))).await;
        assert_eq!(reply.status, 204);
    }
    let record = rig.record(id).await;
    assert_eq!(record.status, Status::Revoked);
    assert!(record.previous.is_none());
    let read = rig.answer(Event::new("GET", &path_of(id))).await;
    assert_eq!(read.body["status"], "revoked");
    assert_eq!(rig.answer(rotate(id)).await.slug(), "conflict");
}

#[tokio::test]
async fn after_a_rotation_the_former_secret_fades_out() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let before = now();
    let rotated = rig
        .answer(rotate(issued.id()).json(&json!({"grace_seconds": 60})))
        .await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_eq!(rotated.cache_control.as_deref(), Some("no-store"));
    assert!(rotated.body["previous_until"].is_string());
    let record = rig.record(issued.id()).await;
    let until = record.previous.as_ref().unwrap().until;
    assert!((before + 60..=now() + 60).contains(&until));
    assert_eq!(
        record.secret_match(&rotated.key(), until),
        SecretMatch::Current
    );
    assert_eq!(
        record.secret_match(&issued.key(), until - 1),
        SecretMatch::Previous
    );
    assert_eq!(
        record.secret_match(&issued.key(), until),
        SecretMatch::Neither
    );
}

#[tokio::test]
async fn a_rotation_without_grace_leaves_the_new_secret_alone() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    rig.answer(rotate(issued.id())).await;
    let rotated = rig
        .answer(rotate(issued.id()).json(&json!({"grace_seconds": 0})))
        .await;
    assert!(rotated.body.get("previous_until").is_none());
    let record = rig.record(issued.id()).await;
    assert!(record.previous.is_none());
    assert_eq!(record.secret_match(&rotated.key(), 0), SecretMatch::Current);
}

#[tokio::test]
async fn a_grace_period_over_a_week_is_refused_by_name() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    for grace in [json!(604_801), json!(-1), json!("60"), json!(1.5)] {
        let event = rotate(issued.id()).json(&json!({"grace_seconds": grace}));
        let reply = rig.answer(event).await;
        assert_eq!(reply.body["errors"][0]["field"], "grace_seconds", "{grace}");
    }
    let record = rig.record(issued.id()).await;
    assert_eq!(
        record.secret_match(&issued.key(), now()),
        SecretMatch::Current
    );
}

#[tokio::test]
async fn rotating_hands_nobody_a_key_that_opens_more_than_they_may() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let event = rotate(issued.id()).by("me", "items:write keys:admin");
    assert_eq!(rig.answer(event).await.slug(), "insufficient-scope");
    let record = rig.record(issued.id()).await;
    assert_eq!(
        record.secret_match(&issued.key(), now()),
        SecretMatch::Current
    );
}

#[tokio::test]
async fn an_expired_key_is_not_brought_back_by_rotation_before_ttl_deletes_it() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let mut item = rig.item(issued.id()).await;
    item.insert("expires_at".into(), AttributeValue::N("1000".into()));
    rig.put(item).await;
    assert_eq!(rig.answer(rotate(issued.id())).await.slug(), "conflict");
}

#[tokio::test]
async fn a_key_whose_hash_is_stored_in_another_form_can_be_rotated() {
    let rig = Rig::start().await;
    let forms: [fn(&SecretHash) -> AttributeValue; 2] = [
        |hash| AttributeValue::B(Blob::new(hash.to_bytes())),
        |hash| AttributeValue::S(hash.to_hex().to_uppercase()),
    ];
    for form in forms {
        let issued = rig.issue().await;
        let mut item = rig.item(issued.id()).await;
        let hash = issued.key().secret_hash();
        item.insert("secret_sha256".into(), form(&hash));
        rig.put(item).await;
        let rotated = rig.answer(rotate(issued.id())).await;
        assert_eq!(rotated.status, 200, "{}", rotated.body);
        let record = rig.record(issued.id()).await;
        assert_eq!(
            record.secret_match(&rotated.key(), now()),
            SecretMatch::Current
        );
        assert_eq!(
            record.secret_match(&issued.key(), now()),
            SecretMatch::Previous
        );
    }
}

#[tokio::test]
async fn a_malformed_record_is_revoked_like_any_other_and_hides_no_other() {
    let rig = Rig::start().await;
    let (malformed, other) = (rig.issue().await, rig.issue().await);
    let mut item = rig.item(malformed.id()).await;
    let text = AttributeValue::S("192.0.2.0/24".into());
    item.insert("allowed_cidrs".into(), text);
    rig.put(item).await;
    for path in ["/keys", "/keys?limit=1"] {
        let mut path = path.to_owned();
        let mut listed = Vec::new();
        loop {
            let page = rig.answer(Event::new("GET", &path)).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let keys = page.body["items"].as_array().unwrap();
            listed.extend(keys.iter().map(|key| key["id"].clone()));
            let Some(cursor) = page.body["next_cursor"].as_str() else {
                break;
            };
            path = format!("/keys?limit=1&cursor={cursor}");
        }
        assert_eq!(listed, [json!(other.id())]);
    }
    let reply = rig
        .answer(Event::new("DELETE", &path_of(malformed.id())))
        .await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert!(rig.api_gateway.key_of(malformed.id()).is_none());
    assert_eq!(rig.api_gateway.flushed().len(), 1);
}

#[tokio::test]
async fn of_two_rotations_of_one_secret_one_takes_place() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let record = rig.record(issued.id()).await;
    let [first, second] = [(); 2].map(|()| ApiKey::generate_for(record.id.clone()).unwrap());
    let previous = Some(PreviousSecret {
        hash: record.secret,
        until: now() + 60,
    });
    let store = &rig.keys.issuing.store;
    assert!(
        store
            .rotate(&record, &first, previous.as_ref(), None)
            .await
            .unwrap()
    );
    assert!(
        !store
            .rotate(&record, &second, previous.as_ref(), None)
            .await
            .unwrap()
    );
    // The first one again, as the SDK tries it when the answer was lost, is the same rotation.
    assert!(
        store
            .rotate(&record, &first, previous.as_ref(), None)
            .await
            .unwrap()
    );
    let now_stored = rig.record(issued.id()).await;
    assert_eq!(now_stored.secret_match(&first, now()), SecretMatch::Current);
    assert_eq!(
        now_stored.secret_match(&issued.key(), now()),
        SecretMatch::Previous
    );
}

#[tokio::test]
async fn an_id_that_is_taken_is_never_overwritten() {
    let rig = Rig::start().await;
    let record = rig.put_key("other", 1_000).await;
    let mut mine = record.clone();
    mine.owner = "me".to_owned();
    mine.secret = ApiKey::generate().unwrap().secret_hash();
    assert!(!rig.keys.issuing.store.create(&mine, None).await.unwrap());
    // Its own creation again, as the SDK tries it when the answer was lost, is done.
    assert!(rig.keys.issuing.store.create(&record, None).await.unwrap());
    assert_eq!(rig.record(record.id.as_str()).await.owner, "other");
}

#[tokio::test]
async fn somebody_elses_key_is_as_good_as_none() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    let nobodys = ApiKey::generate().unwrap().id().to_string();
    for id in [issued.id(), nobodys.as_str(), "short", "client-12345"] {
        for event in [
            Event::new("GET", &path_of(id)),
            Event::new("DELETE", &path_of(id)),
            rotate(id),
        ] {
            let reply = rig.answer(event.by("other", ALL_SCOPES)).await;
            assert_eq!(reply.slug(), "not-found", "{id}");
        }
    }
    let record = rig.record(issued.id()).await;
    assert_eq!(record.status, Status::Active);
    assert_eq!(
        record.secret_match(&issued.key(), now()),
        SecretMatch::Current
    );
}

#[tokio::test]
async fn a_caller_without_keys_admin_is_refused_behind_the_gateway_too() {
    let rig = Rig::start().await;
    let issued = rig.issue().await;
    for event in [
        Event::new("GET", "/keys"),
        Event::new("POST", "/keys").json(&json!({"name": "a", "scopes": ["items:read"]})),
        Event::new("GET", &path_of(issued.id())),
        Event::new("DELETE", &path_of(issued.id())),
        rotate(issued.id()),
    ] {
        let reply = rig.answer(event.by("me", "items:read items:write")).await;
        assert_eq!(reply.slug(), "insufficient-scope");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_service_unavailable_with_retry_after() {
    let rig = Rig::without_table();
    let path = path_of("0123456789ab");
    for event in [
        Event::new("GET", "/keys"),
        Event::new("POST", "/keys").json(&json!({"name": "a", "scopes": ["items:read"]})),
        Event::new("GET", &path),
        Event::new("DELETE", &path),
        rotate("0123456789ab"),
    ] {
        let reply = rig.answer(event).await;
        assert_eq!(reply.slug(), "service-unavailable");
        let problem = reply.problem.unwrap();
        assert_eq!(problem.headers[0].0, "retry-after");
        assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
    }
}
