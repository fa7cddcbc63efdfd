//! Usage plans and the keys on them.

use super::{load, problem, with};
use crate::model::Period;

const PLAN: &str = "
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]
      Throttle: {RateLimit: 0.5, BurstLimit: 2}
      Quota: {Limit: 10, Period: WEEK}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Enabled: true, Value: twenty-characters-long}}
  OnPlan:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
";

#[test]
fn usage_plans_hold_their_keys() {
    let application = load(&with(PLAN), &[]).unwrap();
    let [plan] = application.api.usage_plans.as_slice() else {
        panic!("one plan")
    };
    assert_eq!(plan.name, "Plan");
    assert_eq!(
        plan.throttle.map(|limits| (limits.rate, limits.burst)),
        Some((0.5, 2))
    );
    assert_eq!(
        plan.quota.map(|quota| (quota.limit, quota.period)),
        Some((10, Period::Week))
    );
    assert_eq!(
        (plan.keys[0].id.as_str(), plan.keys[0].enabled),
        ("key", true)
    );
    assert_eq!(
        (plan.id.as_str(), plan.keys[0].name.as_str()),
        ("plan", "Key")
    );
    assert_eq!(plan.keys[0].value, "twenty-characters-long");
}

#[test]
fn a_plan_may_cover_no_stage_and_have_a_description_and_tags() {
    let stages = "ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]";
    assert!(PLAN.contains(stages));
    let other = "Description: For one\n      Tags: [{Key: team, Value: shop}]";
    let both = format!("{stages}\n      {other}");
    for (replacement, is_of_stage) in [(other, false), (&both, true)] {
        let template = with(&PLAN.replacen(stages, replacement, 1));
        let application = load(&template, &[]).unwrap();
        let plan = &application.api.usage_plans[0];
        assert_eq!(plan.is_of_stage, is_of_stage);
        assert_eq!(plan.description.as_deref(), Some("For one"));
        assert_eq!(plan.tags["team"], "shop");
    }
}

#[test]
fn plans_that_cover_the_stage_come_before_others() {
    let apart = "  Apart: {Type: AWS::ApiGateway::UsagePlan}\n";
    let application = load(&with(&format!("{PLAN}{apart}")), &[]).unwrap();
    let plans = application.api.usage_plans.iter();
    let names: Vec<&str> = plans.map(|plan| plan.name.as_str()).collect();
    assert_eq!(names, ["Plan", "Apart"]);
}

#[test]
fn usage_plans_that_api_gateway_would_refuse_are_problems() {
    let cases = [
        ("!Ref Api.Stage", "other", "covers the stage `other`"),
        (
            "Stage: !Ref Api.Stage}",
            "Stage: !Ref Api.Stage, Throttle: {}}",
            "ApiStages[0].Throttle",
        ),
        ("RateLimit: 0.5", "RateLimit: -1", "must be a number"),
        (", BurstLimit: 2", "", "BurstLimit is required"),
        ("Period: WEEK", "Period: YEAR", "DAY, WEEK or MONTH"),
        ("Period: WEEK", "Period: WEEK, Offset: 3", "Offset"),
        ("twenty-characters-long", "short", "20 to 128 characters"),
        ("!Ref Key,", "other,", "KeyId `other` is no ApiKey"),
        ("!Ref Plan", "other", "UsagePlanId `other` is no UsagePlan"),
    ];
    for (from, to, expected) in cases {
        assert!(PLAN.contains(from), "{from}");
        let problem = problem(&with(&PLAN.replacen(from, to, 1)));
        assert!(problem.contains(expected), "{to}: {problem}");
    }
}
