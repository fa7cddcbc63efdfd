//! Keygate's own metrics in a function's line (docs/decisions.md, "Metrics"): for CloudWatch to read, and
//! longer than what the line says to a person. They are summed up in one member, `metrics`, with the name
//! and the value of each. Other functions' metrics stay as they are.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The namespace that is summed up.
const NAMESPACE: &str = "Keygate";
/// The member that CloudWatch looks for ("Specification: Embedded metric format", CloudWatch guide).
const MEMBER: &str = "_aws";

/// What a line says is in it for CloudWatch.
#[derive(Deserialize)]
struct Embedded {
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: String,
    dimensions: Vec<Vec<String>>,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: String,
}

/// An object's members, in their order.
struct Members<'l>(Vec<(String, &'l RawValue)>);

/// The line with its metrics summed up, if they are ours.
#[must_use]
pub fn with_metrics_summed_up(line: &str) -> Cow<'_, str> {
    if !line.contains("\"_aws\"") {
        return Cow::Borrowed(line);
    }
    rewritten(line).map_or(Cow::Borrowed(line), Cow::Owned)
}

/// `None` for a line that has no metrics of ours.
fn rewritten(line: &str) -> Option<String> {
    let Members(members) = serde_json::from_str(line).ok()?;
    let (_, embedded) = members.iter().find(|(name, _)| name == MEMBER)?;
    let Embedded { directives } = serde_json::from_str(embedded.get()).ok()?;
    if directives.iter().any(|one| one.namespace != NAMESPACE) {
        return None;
    }
    let metrics = directives.iter().flat_map(|one| &one.metrics);
    let metrics: Vec<&str> = metrics.map(|metric| metric.name.as_str()).collect();
    let dimensions = directives.iter().flat_map(|one| one.dimensions.concat());
    let dimensions: Vec<String> = dimensions.collect();
    let (counted, others): (Vec<_>, Vec<_>) = members
        .iter()
        .filter(|(name, _)| name != MEMBER && !dimensions.contains(name))
        .partition(|(name, _)| metrics.contains(&name.as_str()));
    let mut kept = written(&others)?;
    kept.push(format!("\"metrics\":{{{}}}", written(&counted)?.join(",")));
    // Names were read, and what was escaped in them is as it was before.
    Some(keygate_visible::json(&format!("{{{}}}", kept.join(","))).into_owned())
}

fn written(members: &[&(String, &RawValue)]) -> Option<Vec<String>> {
    let members = members.iter().map(|(name, value)| {
        let name = serde_json::to_string(name).ok()?;
        Some(format!("{name}:{value}"))
    });
    members.collect()
}

impl<'de: 'l, 'l> Deserialize<'de> for Members<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTIVE: &str = r#"{"Namespace":"Keygate","Dimensions":[["Stack"],["Stack","Reason"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}]}"#;

    #[test]
    fn a_line_has_its_metrics_in_one_member_and_all_else_in_its_order() {
        let line = format!(
            r#"{{"timestamp":"T","level":"INFO","reason":"granted","a":1.50,"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{DIRECTIVE}]}},"Stack":"s","Reason":"granted","Decisions":1}}"#
        );
        assert_eq!(
            with_metrics_summed_up(&line),
            r#"{"timestamp":"T","level":"INFO","reason":"granted","a":1.50,"metrics":{"Decisions":1}}"#
        );
    }

    #[test]
    fn what_was_invisible_and_escaped_in_a_line_stays_so() {
        let line = format!(
            r#"{{"a\u202eb":"c\u202ed","_aws":{{"CloudWatchMetrics":[{DIRECTIVE}]}},"Decisions":1}}"#
        );
        assert_eq!(
            with_metrics_summed_up(&line),
            r#"{"a\u202eb":"c\u202ed","metrics":{"Decisions":1}}"#
        );
    }

    #[test]
    fn a_line_with_other_metrics_or_none_stays_as_it_is() {
        let foreign = DIRECTIVE.replace("Keygate", "Orders");
        for line in [
            "plain \"_aws\"".to_owned(),
            r#"{"level":"INFO"}"#.to_owned(),
            r#"{"_aws":{}}"#.to_owned(),
            r#"{"text":"\"_aws\""}"#.to_owned(),
            format!(r#"{{"_aws":{{"CloudWatchMetrics":[{foreign}]}},"Decisions":1}}"#),
            format!(r#"{{"_aws":{{"CloudWatchMetrics":[{DIRECTIVE},{foreign}]}},"Decisions":1}}"#),
        ] {
            assert_eq!(with_metrics_summed_up(&line), line);
        }
    }
}
