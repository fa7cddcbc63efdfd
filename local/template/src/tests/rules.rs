//! `Rules`.

use super::{SMALL, load, problem};

fn with_rule(rule: &str) -> String {
    SMALL.replacen(
        "Conditions:",
        &format!("Rules:\n  Agree: {rule}\nConditions:"),
        1,
    )
}

const RULE: &str = "{RuleCondition: !Equals [!Ref Stage, prod], Assertions: [{Assert: !Not [!Equals \
                    [!Ref Stage, prod]], AssertDescription: not here}]}";

#[test]
fn an_assertion_that_does_not_hold_is_a_problem_where_its_rule_applies() {
    let text = with_rule(RULE);
    load(&text, &[]).unwrap();
    let given = [("Stage", "prod")];
    let problems = load(&text, &given).unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["line 6: Rules.Agree.Assertions[0]: not here"]);
}

#[test]
fn a_rule_without_a_condition_always_applies() {
    let always =
        with_rule("{Assertions: [{Assert: !Equals [!Ref Stage, a], AssertDescription: a!}]}");
    assert!(problem(&always).ends_with("a!"));
}

#[test]
fn what_rules_have_that_is_not_known_here_is_a_problem() {
    for (from, to, expected) in [
        (
            "Assert: !Not [!Equals [!Ref Stage, prod]]",
            "Assert: !Contains [[dev], !Ref Stage]",
            "Fn::Contains",
        ),
        ("AssertDescription", "Description", "Description"),
        ("RuleCondition", "Condition", "Condition"),
        ("Assert: !Not", "Asserted: !Not", "Assert is required"),
    ] {
        let text = with_rule(&RULE.replacen(from, to, 1));
        let problems = load(&text, &[]).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|one| one.contains(expected)),
            "{to}: {said:?}"
        );
    }
}
