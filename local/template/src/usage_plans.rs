//! `AWS::ApiGateway::UsagePlan`, `ApiKey` and `UsagePlanKey`.

use std::collections::BTreeMap;

use keygate_model::{Api, Period, Quota, Throttle, UsageKey, UsagePlan};

use super::fields::Fields;
use super::problems::Problems;
use super::resources::Resource;

/// The plans and keys of a template, before they are put together.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// Plans by the id that `Ref` gives.
    plans: BTreeMap<String, PlanDraft>,
    keys: BTreeMap<String, KeyDraft>,
    links: Vec<Link>,
}

#[derive(Debug)]
struct PlanDraft {
    place: String,
    line: usize,
    /// API id and stage name, as the plan names them.
    stages: Vec<(String, String)>,
    plan: UsagePlan,
}

#[derive(Debug)]
struct KeyDraft {
    place: String,
    line: usize,
    key: UsageKey,
}

#[derive(Debug)]
struct Link {
    place: String,
    line: usize,
    key: String,
    plan: String,
}

impl Drafts {
    /// Reads a usage plan.
    pub(super) fn plan(&mut self, resource: Resource<'_>) {
        let Resource { id, line, .. } = resource;
        let mut properties = resource.properties;
        let (name, description) = (
            properties.text("UsagePlanName"),
            properties.text("Description"),
        );
        let tags = properties.list("Tags").into_iter().filter_map(tag);
        let tags = tags.collect();
        let mut stages = Vec::new();
        let mut method_throttles = BTreeMap::new();
        for mut stage in properties.list("ApiStages") {
            let names = (stage.required_text("ApiId"), stage.required_text("Stage"));
            for (key, fields) in stage
                .fields("Throttle")
                .map_or_else(Vec::new, Fields::named)
            {
                method_throttles.extend(throttle(fields).map(|throttle| (key, throttle)));
            }
            stage.end();
            if let (Some(api), Some(stage)) = names {
                stages.push((api, stage));
            }
        }
        let throttle = properties.fields("Throttle").and_then(throttle);
        let quota = properties.fields("Quota").and_then(quota);
        properties.end();
        self.plans.insert(
            id.to_ascii_lowercase(),
            PlanDraft {
                line,
                stages,
                plan: UsagePlan {
                    id: id.to_ascii_lowercase(),
                    name: name.unwrap_or_else(|| id.clone()),
                    description,
                    tags,
                    is_of_stage: true,
                    throttle,
                    method_throttles,
                    quota,
                    keys: Vec::new(),
                },
                place: id,
            },
        );
    }

    /// Reads a usage key.
    pub(super) fn key(&mut self, resource: Resource<'_>) {
        let Resource { id, line, .. } = resource;
        let mut properties = resource.properties;
        let (name, description) = (properties.text("Name"), properties.text("Description"));
        // CloudFormation's default: a key that nobody enabled is refused.
        let enabled = properties.flag("Enabled").unwrap_or(false);
        let key_id = id.to_ascii_lowercase();
        let value = properties.text_at("Value");
        if let Some((value, line)) = &value
            && !(20..=128).contains(&value.len())
        {
            properties.report_at(*line, "Value", "must be 20 to 128 characters long");
        }
        properties.end();
        let key = UsageKey {
            value: value.map_or_else(
                || format!("local-generated-value-{key_id}"),
                |(value, _)| value,
            ),
            id: key_id.clone(),
            name: name.unwrap_or_else(|| id.clone()),
            description,
            enabled,
            tags: BTreeMap::new(),
        };
        self.keys.insert(
            key_id,
            KeyDraft {
                place: id,
                line,
                key,
            },
        );
    }

    /// Reads what puts a key on a plan.
    pub(super) fn link(&mut self, resource: Resource<'_>) {
        let Resource { id, line, .. } = resource;
        let mut properties = resource.properties;
        properties.only("KeyType", &["API_KEY"]);
        let names = (
            properties.required_text("KeyId"),
            properties.required_text("UsagePlanId"),
        );
        properties.end();
        if let (Some(key), Some(plan)) = names {
            self.links.push(Link {
                place: id,
                line,
                key,
                plan,
            });
        }
    }

    /// The plans of the API's stage, with their keys.
    pub(super) fn finish(mut self, api: &Api, problems: &Problems) -> Vec<UsagePlan> {
        self.check_values(problems);
        let mut plan_of_key: BTreeMap<String, String> = BTreeMap::new();
        for link in self.links {
            let report = |message: String| problems.report(link.line, &link.place, message);
            let Some(key) = self.keys.get(&link.key) else {
                report(format!(
                    "KeyId `{}` is no ApiKey of this template",
                    link.key
                ));
                continue;
            };
            let Some(draft) = self.plans.get_mut(&link.plan) else {
                report(format!(
                    "UsagePlanId `{}` is no UsagePlan of this template",
                    link.plan
                ));
                continue;
            };
            // API Gateway refuses a second plan for one key and stage: it could not tell which
            // of them to count a request on.
            match plan_of_key.insert(link.key.clone(), link.plan.clone()) {
                Some(first) => report(format!("the key is on the plan `{first}` already")),
                None => draft.plan.keys.push(key.key.clone()),
            }
        }
        let plans = self.plans.into_values();
        let mut plans: Vec<UsagePlan> = plans.map(|draft| draft.finish(api, problems)).collect();
        // Who looks for a key that is let in finds one.
        plans.sort_by_key(|plan| !plan.is_of_stage);
        plans
    }

    fn check_values(&self, problems: &Problems) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for draft in self.keys.values() {
            if let Some(first) = seen.insert(&draft.key.value, &draft.place) {
                let message = format!("has the same value as {first}");
                problems.report(draft.line, &draft.place, message);
            }
        }
    }
}

impl PlanDraft {
    fn finish(mut self, api: &Api, problems: &Problems) -> UsagePlan {
        let report = |message: String| problems.report(self.line, &self.place, message);
        self.plan.is_of_stage = !self.stages.is_empty();
        for (id, stage) in &self.stages {
            if (id, stage) != (&api.id, &api.stage) {
                report(format!(
                    "covers the stage `{stage}` of `{id}`, which is not served here"
                ));
            }
        }
        for key in self.plan.method_throttles.keys() {
            if !api.routes.iter().any(|route| &route.key() == key) {
                report(format!(
                    "has a Throttle of `{key}`, and the API has no such method: write PATH/METHOD, such \
                     as /books/GET"
                ));
            }
        }
        self.plan
    }
}

fn tag(mut fields: Fields<'_>) -> Option<(String, String)> {
    let (name, value) = (fields.required_text("Key"), fields.required_text("Value"));
    fields.end();
    name.zip(value)
}

fn throttle(mut fields: Fields<'_>) -> Option<Throttle> {
    for name in ["RateLimit", "BurstLimit"] {
        if !fields.has(name) {
            fields.report(format!(
                "{name} is required: the local gateway needs rate and burst"
            ));
        }
    }
    let rate = fields.number("RateLimit", &(0.001..=1e9));
    let burst = fields.number("BurstLimit", &(1..=u32::MAX));
    fields.end();
    Some(Throttle {
        rate: rate?,
        burst: burst?,
    })
}

fn quota(mut fields: Fields<'_>) -> Option<Quota> {
    let period = fields.required_text("Period").and_then(|text| {
        let period = match text.as_str() {
            "DAY" => Period::Day,
            "WEEK" => Period::Week,
            "MONTH" => Period::Month,
            _ => {
                fields.report(format!("Period must be DAY, WEEK or MONTH, not `{text}`"));
                return None;
            }
        };
        Some(period)
    });
    if !fields.has("Limit") {
        fields.report("Limit is required");
    }
    let limit = fields.number("Limit", &(1..=u64::MAX));
    fields.only("Offset", &["0"]);
    fields.end();
    Some(Quota {
        limit: limit?,
        period: period?,
    })
}
