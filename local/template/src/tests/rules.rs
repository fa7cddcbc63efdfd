//! `Rules` of a template's parameters.

use super::{changed, load, problem};

fn with_rule(rule: &str) -> String {
    changed(
        "Conditions:",
        &format!("Rules:\n  Whole:\n{rule}\nConditions:"),
    )
}

const OF_PROD: &str = "    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - Assert: !Not [!Equals [!Ref Stage, prod]]
        AssertDescription: Nobody deploys here.";

#[test]
fn parameters_that_cloud_formation_would_refuse_are_refused_in_the_rules_words() {
    let text = with_rule(OF_PROD);
    assert!(load(&text, &[]).is_ok());
    assert_eq!(
        load(&text, &[("Stage", "prod")]).unwrap_err(),
        [
            "line 9: Rules.Whole.Assertions[0]: CloudFormation refuses these parameters: Nobody deploys here."
        ]
    );
    let always = with_rule("    Assertions: [{Assert: !Equals [a, b]}]");
    assert!(problem(&always).contains("the assertion does not hold"));
}

#[test]
fn what_cannot_be_told_of_a_rule_is_named() {
    for (rule, expected) in [
        (
            "    Assertions: [{Assert: !Contains [[a], b]}]",
            "`Fn::Contains`",
        ),
        (
            "    Assertions: [{AssertDescription: a}]",
            "Assert is required",
        ),
        (
            "    Assertion: []",
            "Rules.Whole.Assertion: the local gateway does not support",
        ),
        ("    Assertions: [{Assert: sure}]", "a condition is one of"),
    ] {
        let problems = load(&with_rule(rule), &[]).unwrap_err();
        let is_named = problems.iter().any(|problem| problem.contains(expected));
        assert!(is_named, "{rule}: {problems:?}");
    }
}
