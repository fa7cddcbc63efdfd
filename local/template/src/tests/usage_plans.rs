//! Usage plans and the keys on them.

use keygate_model::Period;

use super::{SMALL, changed, load, problem, with};

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
            "Stage: !Ref Api.Stage, Throttle: {a: {RateLimit: 1}}}",
            "ApiStages[0].Throttle.a",
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

#[test]
fn a_plan_throttles_methods_by_themselves() {
    let stage =
        "Stage: !Ref Api.Stage, Throttle: {'/things/{id}/GET': {RateLimit: 1, BurstLimit: 3}}}";
    let text = with(&PLAN.replacen("Stage: !Ref Api.Stage}", stage, 1));
    let application = load(&text, &[]).unwrap();
    let throttles = &application.api.usage_plans[0].method_throttles;
    assert_eq!(throttles["/things/{id}/GET"].burst, 3);
    let other = problem(&text.replace("{id}/GET'", "{id}/PUT'"));
    assert!(other.contains("no such method"), "{other}");
}

#[test]
fn the_plan_that_sam_makes_of_an_api_has_a_key_of_its_own() {
    let plan = |how: &str| {
        changed(
            "      Auth:\n",
            &format!(
                "      Auth:\n        UsagePlan: {{CreateUsagePlan: {how}, UsagePlanName: basic, Quota: \
                 {{Limit: 5, Period: DAY}}}}\n"
            ),
        )
    };
    for (how, name) in [("PER_API", "api"), ("SHARED", "serverless")] {
        let text = format!(
            "{}Outputs: {{Key: {{Value: !Ref {}ApiKey}}}}\n",
            plan(how),
            if how == "SHARED" { "Serverless" } else { "Api" }
        );
        let application = load(&text, &[]).unwrap();
        let [made] = application.api.usage_plans.as_slice() else {
            panic!("{how}")
        };
        assert_eq!(
            (made.id.as_str(), made.name.as_str()),
            (&*format!("{name}usageplan"), "basic")
        );
        assert_eq!(made.quota.map(|quota| quota.limit), Some(5));
        assert_eq!(made.keys[0].id, format!("{name}apikey"));
        assert!(made.keys[0].enabled);
    }
    let none = load(&plan("NONE"), &[]).unwrap();
    assert!(none.api.usage_plans.is_empty());
    let globals = SMALL.replacen(
        "Resources:",
        "Globals: {Api: {Auth: {UsagePlan: {CreateUsagePlan: PER_API}}}}\nResources:",
        1,
    );
    assert_eq!(load(&globals, &[]).unwrap().api.usage_plans.len(), 1);
    assert!(problem(&plan("EVERY")).contains("`EVERY` is not supported"));
}
