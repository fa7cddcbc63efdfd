use std::collections::BTreeMap;

use super::*;
use crate::trip::{AuthorizerStep, CheckState};

fn trip(id: &str) -> Trip {
    Trip {
        request_id: id.to_owned(),
        received: "2026-11-26T01:27:01Z".parse().unwrap(),
        method: "GET".to_owned(),
        path: "/dev/books".to_owned(),
        route: None,
        status: 401,
        error_type: None,
        reason: None,
        milliseconds: 1.0,
        authorizer: Some(AuthorizerStep {
            function: "Authorizer".to_owned(),
            milliseconds: 1.0,
            is_called: true,
            answered_in: None,
            error: Some("Unauthorized".to_owned()),
        }),
        plan: None,
        handler: None,
        caller: BTreeMap::new(),
        lines: Vec::new(),
    }
}

fn trips() -> Arc<Trips> {
    Arc::new(Trips::new(Watcher::none()))
}

#[test]
fn the_reason_is_the_authorizers_whichever_of_the_two_comes_first() {
    let line = r#"{"decision":"unauthorized","reason":"token-expired","detail":"it is over","request_id":"a"}"#;
    for line_is_first in [true, false] {
        let trips = trips();
        trips.begin("a");
        if line_is_first {
            trips.note(Some("a"), None, "Authorizer", line);
        }
        trips.finish(trip("a"), None);
        trips.note(Some("a"), None, "Authorizer", line);
        let Found::One(found) = trips.find("a") else {
            panic!("it is not kept");
        };
        assert_eq!(found.reason.as_deref(), Some("it is over (token-expired)"));
    }
}

#[test]
fn an_id_may_be_cut_short_where_it_is_the_only_one() {
    let trips = trips();
    trips.finish(trip("12345678-a"), None);
    trips.finish(trip("12345678-b"), None);
    trips.finish(trip("abcdefgh-c"), None);
    assert_eq!(trips.find("12345678"), Found::Several);
    assert!(matches!(trips.find("12345678-a"), Found::One(_)));
    assert!(matches!(trips.find("abcdefgh"), Found::One(_)));
    assert_eq!(trips.find("abc"), Found::None);
    assert_eq!(trips.find("no-such-request"), Found::None);
}

#[test]
fn what_is_kept_is_bounded_and_the_oldest_go_first() {
    let trips = trips();
    let line = "x".repeat(MAX_OF_ONE / 2 - 2 * LINE_COST);
    for number in 0..2 * MAX_TRIPS {
        let id = number.to_string();
        trips.begin(&id);
        for _ in 0..3 {
            trips.note(None, Some(&id), "Handler", &line);
        }
        trips.finish(trip(&id), None);
    }
    let kept = trips.kept();
    assert!(kept.bytes <= MAX_OF_ALL && kept.bytes > MAX_OF_ALL / 2);
    assert_eq!(kept.entries.len(), kept.order.len());
    drop(kept);
    assert_eq!(trips.find("0"), Found::None);
    let last = (2 * MAX_TRIPS - 1).to_string();
    let Found::One(found) = trips.find(&last) else {
        panic!("the last one is gone");
    };
    assert_eq!(found.lines.len(), 2);
}

#[test]
fn empty_lines_are_bounded_too() {
    let trips = trips();
    trips.begin("a");
    for _ in 0..MAX_OF_ONE {
        trips.note(None, Some("a"), "Handler", "");
    }
    assert!(trips.kept().entries["a"].lines.len() <= MAX_OF_ONE / LINE_COST);
}

#[test]
fn a_line_that_names_an_id_of_somebody_elses_is_its_own_requests() {
    let trips = trips();
    for id in ["a", "earlier"] {
        trips.begin(id);
    }
    let line = r#"{"message":"called","requestId":"an upstream's"}"#;
    trips.note(Some("an upstream's"), Some("a"), "Handler", line);
    trips.note(Some("earlier"), Some("a"), "Handler", "late");
    trips.note(Some("an upstream's"), None, "Handler", "nobody's");
    for id in ["a", "earlier"] {
        trips.finish(trip(id), None);
        let Found::One(found) = trips.find(id) else {
            panic!("{id} is not kept");
        };
        assert_eq!(found.lines.len(), 1, "{id}");
    }
    assert_eq!(trips.kept().entries.len(), 2);
}

fn told(trips: &Trips, since: u64) -> (Vec<String>, u64) {
    let (trips, now) = trips.latest(since, 2, |trip| trip.status == 401);
    let ids = trips.into_iter().map(|trip| trip.request_id);
    (ids.collect(), now)
}

#[test]
fn a_list_is_told_what_has_changed_since_the_newest_first() {
    let trips = trips();
    for id in ["a", "b", "c"] {
        trips.finish(trip(id), None);
    }
    let served = Trip {
        status: 200,
        ..trip("d")
    };
    trips.finish(served, None);
    let (ids, then) = told(&trips, 0);
    assert_eq!(ids, ["c", "b"]);
    assert_eq!(told(&trips, then), (Vec::new(), then));
    // Only a decision changes what a list shows.
    trips.note(None, Some("a"), "Authorizer", "a line");
    assert_eq!(told(&trips, then).0, [""; 0]);
    let line = r#"{"decision":"deny","reason":"r"}"#;
    trips.note(None, Some("a"), "Authorizer", line);
    assert_eq!(told(&trips, then).0, ["a"]);
}

#[test]
fn what_functions_fail_with_and_what_is_checked_is_counted() {
    let trips = trips();
    for number in 0..2 * MAX_TRIPS {
        let failed = Trip {
            reason: Some("x".repeat(MAX_OF_ONE / 2)),
            ..trip(&number.to_string())
        };
        trips.finish(failed, None);
    }
    let bytes = trips.kept().bytes;
    assert!(bytes <= MAX_OF_ALL && bytes > MAX_OF_ALL / 2, "{bytes}");
    let last = (2 * MAX_TRIPS - 1).to_string();
    let check = CheckMade {
        name: "x".repeat(MAX_OF_ONE),
        state: CheckState::Passed,
        found: String::new(),
        expected: None,
        failure: None,
    };
    trips.keep_checks(&last, vec![check]);
    assert!(trips.kept().entries[&last].bytes > MAX_OF_ONE);
    assert!(trips.kept().bytes <= MAX_OF_ALL);
}

#[test]
fn what_was_sent_and_answered_leaves_room_for_lines() {
    let trips = trips();
    let papers = Papers {
        asked: Some("x".repeat(MAX_OF_ONE)),
        ..Papers::default()
    };
    trips.finish(trip("a"), Some(papers));
    trips.note(None, Some("a"), "Handler", "a late line");
    assert_eq!(trips.whole("a").unwrap().trip.lines.len(), 1);
}

#[test]
fn events_and_answers_are_kept_within_the_same_bound_and_a_hundred_a_second() {
    let (to_check, mut events) = mpsc::channel(1);
    let trips = Arc::new(Trips::new(Watcher::none()).shown(to_check));
    let kept = (0..1_000).filter(|_| trips.keeps_papers()).count();
    assert!((100..900).contains(&kept), "{kept}");
    assert!(!self::trips().keeps_papers());
    for number in 0..2 * MAX_TRIPS {
        let papers = Papers {
            asked: Some("x".repeat(MAX_OF_ONE / 2)),
            ..Papers::default()
        };
        trips.finish(trip(&number.to_string()), Some(papers));
    }
    let bytes = trips.kept().bytes;
    assert!(bytes <= MAX_OF_ALL && bytes > MAX_OF_ALL / 2, "{bytes}");
    // What nobody has the time to check is not kept for it.
    for id in ["first", "second"] {
        trips.check("Authorizer", id, Bytes::from_static(b"{}"));
    }
    assert_eq!(events.try_recv().unwrap().request_id, "first");
    assert!(events.try_recv().is_err());
    trips.keep_checks("no-such-request", Vec::new());
    assert!(trips.whole("no-such-request").is_none());
}

#[test]
fn a_credential_in_a_line_is_struck_out_where_the_line_is_kept() {
    let trips = trips();
    trips.begin("a");
    trips.note(None, Some("a"), "Handler", "Authorization: Bearer opaque");
    trips.finish(trip("a"), None);
    let lines = trips.whole("a").unwrap().trip.lines;
    assert_eq!(lines[0].line, "Authorization: [struck out]");
}
