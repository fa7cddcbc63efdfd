//! `GET /items`, page by page.

use std::collections::BTreeSet;

use keygate_tests::target::Target;

use crate::items::create;

keygate_tests::tests! { for Target:
    a_list_comes_in_pages_that_hold_each_item_once;
    a_list_without_items_has_one_empty_page;
    a_limit_outside_1_to_100_is_refused;
    a_cursor_that_this_list_did_not_give_is_refused;
    another_callers_cursor_opens_nothing;
}

fn a_list_comes_in_pages_that_hold_each_item_once(target: &Target) {
    let token = target.token();
    let created: BTreeSet<String> = (0..7)
        .map(|number| {
            let item = create(target, &token, &format!("item {number}")).json();
            item["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut path = "/items?limit=3".to_owned();
    for page in 0.. {
        assert!(page < 4, "the list does not end");
        let list = target.get(&path).bearer(&token).send().expect(200).json();
        let items = list["items"].as_array().unwrap();
        assert!(items.len() <= 3, "{list}");
        for item in items {
            let id = item["id"].as_str().unwrap().to_owned();
            assert!(seen.insert(id), "twice: {item}");
        }
        match list["next_cursor"].as_str() {
            Some(cursor) => path = format!("/items?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, created);
    let whole = target.get("/items?limit=100").bearer(&token).send();
    let whole = whole.expect(200).json();
    assert_eq!(whole["items"].as_array().unwrap().len(), created.len());
    assert!(whole["next_cursor"].is_null());
}

fn a_list_without_items_has_one_empty_page(target: &Target) {
    let list = target.get("/items").bearer(&target.token()).send();
    let list = list.expect(200).json();
    assert!(list["items"].as_array().unwrap().is_empty());
    assert!(list["next_cursor"].is_null());
}

fn a_limit_outside_1_to_100_is_refused(target: &Target) {
    let token = target.token();
    for limit in ["0", "101", "-1", "ten", "1.5", "", "99999999999999999999"] {
        let list = target.get(&format!("/items?limit={limit}")).bearer(&token);
        list.send().problem(400, "bad-request");
    }
}

fn a_cursor_that_this_list_did_not_give_is_refused(target: &Target) {
    let token = target.token();
    for cursor in ["nonsense", "e30", "%00", "W10"] {
        let list = target
            .get(&format!("/items?cursor={cursor}"))
            .bearer(&token);
        list.send().problem(400, "bad-request");
    }
}

fn another_callers_cursor_opens_nothing(target: &Target) {
    let (owner, other) = (target.token(), target.token());
    for name in ["one", "two"] {
        create(target, &owner, name);
    }
    let page = target.get("/items?limit=1").bearer(&owner).send();
    let page = page.expect(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let list = target
        .get(&format!("/items?cursor={cursor}"))
        .bearer(&other);
    let list = list.send();
    if list.status == 200 {
        assert!(list.json()["items"].as_array().unwrap().is_empty());
    } else {
        list.problem(400, "bad-request");
    }
}
