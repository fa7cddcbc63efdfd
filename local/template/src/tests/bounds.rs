//! What a file can ask for in few lines, and is not given.

use super::{SMALL, changed, load};
use crate::yaml::parse;

/// The problems of a template hold these words.
#[track_caller]
fn is_refused(text: &str, words: &str) {
    let problems = load(text, &[]).expect_err("it should not load");
    let found = problems.iter().any(|problem| problem.contains(words));
    assert!(found, "{words}: {problems:#?}");
}

#[test]
fn conditions_that_ask_each_other_twice_are_evaluated_once() {
    let conditions: Vec<String> = (0..200)
        .map(|number| {
            let next = number + 1;
            format!("\n  C{next}: !Or [!Condition C{number}, !Condition C{number}]")
        })
        .collect();
    let first = "IsDev: !Equals [!Ref Stage, dev]";
    let chain = format!("{first}\n  C0: !Equals [a, a]{}", conditions.concat());
    load(&changed(first, &chain), &[]).unwrap();
}

#[test]
fn conditions_and_names_refer_to_each_other_so_deep_and_no_deeper() {
    let first = "IsDev: !Equals [!Ref Stage, dev]";
    let chain = |length: usize| {
        let conditions: Vec<String> = (0..length)
            .map(|number| format!("\n  C{number}: !Not [!Condition C{}]", number + 1))
            .collect();
        let conditions = conditions.concat();
        changed(
            first,
            &format!("{first}{conditions}\n  C{length}: !Equals [a, a]"),
        )
    };
    load(&chain(31), &[]).unwrap();
    is_refused(&chain(32), "more than 32 deep");
}

#[test]
fn functions_that_grow_what_they_make_come_to_an_end() {
    let nested = |innermost: &str| {
        (0..15).fold(innermost.to_owned(), |inner, _| {
            format!("!Sub ['{}', {{A: {inner}}}]", "${A}".repeat(10))
        })
    };
    let stage = "StageName: !Ref Stage";
    let text = format!("StageName: {}", nested("aaaaaaaaaa"));
    is_refused(&changed(stage, &text), "functions grow this text too large");
    let nothing = format!("StageName: {}", nested("''"));
    is_refused(
        &changed(stage, &nothing),
        "functions grow this template too large",
    );
    let joined = format!("StageName: !Join [{}, [a, b]]", "x".repeat(300_000));
    is_refused(
        &changed(stage, &joined),
        "functions grow this text too large",
    );
}

#[test]
fn aliases_are_counted_by_what_they_stand_for() {
    let aliases = |text: usize, count: usize| {
        let text = "x".repeat(text);
        parse(&format!("a: &a {text}\nb: [{}]", "*a, ".repeat(count)))
    };
    assert!(aliases(10, 10_000).is_ok());
    for (text, count) in [(100_000, 100), (1, 200_000)] {
        let error = aliases(text, count).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("aliases"),
            "{error}"
        );
    }
}

#[test]
fn a_pattern_is_no_larger_and_no_slower_than_it_may_be() {
    let models = |pattern: &str| {
        let api = "ApiKeySourceType: AUTHORIZER";
        let model = format!("{api}\n      Models: {{M: {{type: string, pattern: '{pattern}'}}}}");
        SMALL.replacen(api, &model, 1)
    };
    load(&models("^(a+)+$"), &[]).unwrap();
    is_refused(&models("a{1000000}"), "Models.M");
}
