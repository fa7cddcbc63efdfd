//! Names that hide something, or would show the text around them in another order: whoever reads what
//! `keygate` and the functions write sees it.

use std::process::Output;

use serde_json::Value;

use crate::operator::{run, said};
use keygate_tests::keygate::wait_for;
use keygate_tests::target::Target;

keygate_tests::tests! { for Target:
    what_a_key_s_name_hides_is_shown_to_people_and_stays_for_programs needs "own-gateway";
    what_a_claim_hides_is_shown_by_explain needs "own-gateway";
    what_a_claim_hides_is_shown_in_the_logs needs "access-log", "own-gateway";
    what_an_argument_hides_is_shown_in_the_error needs "own-gateway";
}

/// Shown in another order, of no width, and a line of its own to some.
const NAME: &str = "bob\u{202e}nimda\u{2066}\u{200b}\u{2028}\u{feff}";
const SHOWN: &str = r"bob\u{202e}nimda\u{2066}\u{200b}\u{2028}\u{feff}";
const AS_JSON: &str = r"bob\u202enimda\u2066\u200b\u2028\ufeff";

/// Nothing of the text is hidden but by line breaks.
#[track_caller]
fn is_visible(text: &str) {
    let hides = |character: char| {
        let is_hidden = matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        );
        is_hidden || (character.is_control() && character != '\n')
    };
    assert!(!text.contains(hides), "{text:?}");
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn what_a_key_s_name_hides_is_shown_to_people_and_stays_for_programs(target: &Target) {
    let (gateway, _own) = target.own(&[]);
    let name = format!("{NAME}\u{1b}[31m\u{85}\n");
    let mut arguments = vec!["create", "--scope", "books:read"];
    arguments.extend(["--name", &name, "--owner", NAME]);
    let created = run(target, &gateway, &arguments);
    assert_eq!(
        (&created["name"], &created["owner"]),
        (&name.clone().into(), &NAME.into())
    );
    let id = created["id"].as_str().unwrap();
    for command in [&["list"][..], &["show", id], &["list", "--owner", NAME]] {
        let table = printed(&target.build().keys(&gateway, command));
        is_visible(&table);
        let name = format!(r"{SHOWN}\u{{1b}}[31m\u{{85}}\u{{a}}");
        assert!(table.contains(&name), "{table}");
        let json = [command, &["--output", "json"]].concat();
        let json = printed(&target.build().keys(&gateway, &json));
        is_visible(&json);
        assert!(json.contains(&format!(r#""{AS_JSON}""#)), "{json}");
        let value: Value = serde_json::from_str(&json).unwrap();
        let mut records = value.as_array().cloned().unwrap_or(vec![value]);
        records.retain(|record| record["id"] == id);
        assert_eq!(records.len(), 1, "{json}");
        assert_eq!(records[0]["owner"], NAME);
    }
}

fn what_a_claim_hides_is_shown_by_explain(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let audience = format!("{NAME}\nok      aud               keygate-local");
    for claims in [&[("client_id", NAME)][..], &[("audience", &audience)]] {
        let token = own.token_with(claims);
        let output = target.build().explain(&gateway, &[], &token);
        let said = String::from_utf8(output.stdout).unwrap();
        is_visible(&said);
        assert!(said.contains(SHOWN), "{said}");
        let forged = "\nok      aud               keygate-local\n";
        assert_eq!(said.contains(forged), claims[0].0 == "client_id", "{said}");
    }
}

fn what_a_claim_hides_is_shown_in_the_logs(target: &Target) {
    let (gateway, own) = target.own(&[]);
    let token = own.token_with(&[("client_id", NAME)]);
    let reply = own.get("/books").bearer(&token).send().expect(200);
    let id = reply.must_header("x-amzn-requestid");
    let access = wait_for(|| {
        let printed = gateway.stdout();
        let line = printed.lines().find(|line| line.contains(id))?;
        Some(line.to_owned())
    });
    let access = access.expect("the request has a line");
    let decision = wait_for(|| {
        let said = gateway.stderr();
        let line = said.lines().find(|line| line.contains("\"decision\":"))?;
        Some(line.to_owned())
    });
    let decision = decision.expect("the decision has a line");
    let (_, decision) = decision.split_once("] ").unwrap();
    for line in [&access, decision] {
        is_visible(line);
        assert!(
            line.contains(&format!(r#""principal":"{AS_JSON}""#)),
            "{line}"
        );
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["principal"], NAME);
    }
}

fn what_an_argument_hides_is_shown_in_the_error(target: &Target) {
    let parameter = format!("{NAME}=7");
    let Err((_, said)) = target.build().try_start(&["--parameter", &parameter]) else {
        panic!("keygate starts");
    };
    is_visible(&said);
    assert!(said.contains(SHOWN), "{said}");
}
