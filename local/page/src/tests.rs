use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use keygate_gateway::papers::{Answer, Papers};
use keygate_gateway::trip::{
    AuthorizerStep, CheckMade, CheckState, HandlerStep, LogLine, PlanStep, Trip,
};
use keygate_gateway::trips::Whole;

/// A request in which every text that others choose is this one.
fn whole(text: &str) -> Whole {
    let text = || text.to_owned();
    let trip = Trip {
        request_id: "c4863037-bf55-4130-a6b9-a28f3559eb17".to_owned(),
        received: "2026-11-26T01:27:01Z".parse().unwrap(),
        method: text(),
        path: text(),
        route: Some(text()),
        status: 403,
        error_type: Some(text()),
        reason: Some(text()),
        milliseconds: 0.4,
        authorizer: Some(AuthorizerStep {
            function: text(),
            milliseconds: 0.1,
            is_called: true,
            answered_in: None,
            error: Some(text()),
        }),
        plan: Some(PlanStep {
            milliseconds: 0.1,
            usage_key_id: Some(text()),
            left: None,
        }),
        handler: Some(HandlerStep {
            function: text(),
            milliseconds: 0.1,
            status: None,
            error: Some(text()),
        }),
        caller: BTreeMap::from([
            ("principal".to_owned(), text()),
            ("scopes".to_owned(), text()),
        ]),
        lines: vec![LogLine {
            function: text(),
            line: text(),
        }],
    };
    Whole {
        trip,
        papers: Some(Papers {
            asked: Some(text()),
            event: Some(text()),
            answer: Answer {
                status: 403,
                headers: vec![("x".to_owned(), text())],
                body: text(),
            },
        }),
        checks: Some(vec![CheckMade {
            name: "credential".to_owned(),
            state: CheckState::Failed,
            found: text(),
            expected: Some(text()),
            failure: Some((text(), text())),
        }]),
    }
}

fn stage(text: &str) -> Stage {
    Stage {
        url: text.to_owned(),
        routes: vec![RouteShown {
            method: text.to_owned(),
            path: text.to_owned(),
            opens: text.to_owned(),
            is_public: true,
            function: Some(text.to_owned()),
        }],
        scopes: vec![text.to_owned()],
        ..Stage::default()
    }
}

/// The views that have others' text in them.
fn views(text: &str) -> String {
    let (whole, stage) = (whole(text), stage(text));
    let views = html! {
        (requests::section(std::slice::from_ref(&whole.trip), &Filter::default(), &stage))
        (trip::view(&whole, true))
        (routes::view(&stage))
    };
    page(View::Requests, text, &stage, Some(text), &views).into_string()
}

/// The tags, without what stands in quotes within them.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let mut is_quoted = false;
        let end = rest.find(|letter| {
            is_quoted ^= letter == '"';
            letter == '>' && !is_quoted
        });
        let end = end.expect("every tag ends");
        let parts = rest[..end].split('"').step_by(2);
        tags.push(parts.collect());
        rest = &rest[end..];
    }
    tags
}

#[test]
fn hostile_text_is_text() {
    let attack = r#""><script>alert(1)</script><img src=x onerror='alert(1)'>"#;
    let html = views(attack);
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(!html.contains("<img src=x"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
}

#[test]
fn nothing_in_the_page_is_inline() {
    let html = views("x");
    for inline in [
        " style=",
        "<style",
        " onclick",
        " onerror",
        "javascript:",
        "<script>",
    ] {
        assert!(!html.contains(inline), "{inline}");
    }
}

proptest! {
    #[test]
    fn no_text_adds_a_tag_or_an_attribute(text in any::<String>()) {
        // Not empty, as some of it is left out where there is no text.
        let plain = tags(&views("x"));
        let said = tags(&views(&format!("x{text}")));
        prop_assert_eq!(said, plain);
    }

    #[test]
    fn no_text_hides_in_the_page(text in "[\u{0}-\u{9}\u{b}-\u{1f}\u{200b}-\u{202e}]{1,8}") {
        let html = views(&text);
        let read: Vec<&str> = html.split('<').filter_map(|tag| tag.split_once('>')).map(|(_, text)| text).collect();
        let html = read.concat();
        let hidden = |letter: char| keygate_visible::is_invisible(letter) && !matches!(letter, '\n' | '\t');
        prop_assert!(!html.contains(hidden), "{:?}", html);
    }
}
