//! Metric filters of CloudWatch Logs: the patterns that this repository's templates have, and which lines they
//! count.

use serde_json::Value;

/// A metric filter whose pattern is `{ $.member = "value" }`: of a line of JSON in which the member is
/// that text, or begins with it where a `*` ends it (CloudWatch Logs guide, "Filter pattern syntax").
#[derive(Debug, PartialEq, Eq)]
pub struct MetricFilter<'t> {
    /// What the template says of the log group, such as `!Ref AccessLogGroupName`.
    pub log_group: &'t str,
    /// What it says of the metric's name, such as `'${Stack}-forbidden'`.
    pub metric: &'t str,
    member: &'t str,
    value: &'t str,
}

impl<'t> MetricFilter<'t> {
    /// The metric filters of a template.
    pub fn all(template: &'t str) -> Vec<Self> {
        let mut log_group = "";
        let mut pattern = None;
        let mut found = Vec::new();
        for line in template.lines().map(str::trim) {
            if let Some(group) = line.strip_prefix("LogGroupName: ") {
                log_group = group;
            } else if let Some(text) = line.strip_prefix("FilterPattern: ") {
                pattern = Some(read(text.trim_matches('\'')));
            } else if let Some((_, metric)) = line.split_once("MetricName: !Sub ")
                && let Some((member, value)) = pattern.take()
            {
                let (metric, _) = metric.split_once(',').unwrap();
                found.push(Self {
                    log_group,
                    metric,
                    member,
                    value,
                });
            }
        }
        assert_eq!(found.len(), template.matches("FilterPattern:").count());
        found
    }

    /// Whether the filter counts a line.
    pub fn counts(&self, line: &str) -> bool {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            return false;
        };
        let said = line[self.member].as_str();
        said.is_some_and(|said| match self.value.strip_suffix('*') {
            Some(beginning) => said.starts_with(beginning),
            None => said == self.value,
        })
    }
}

/// The member and the value of a pattern.
fn read(pattern: &str) -> (&str, &str) {
    let body = pattern.strip_prefix("{ $.").expect(pattern);
    let (member, value) = body.split_once(" = \"").expect(pattern);
    (member, value.strip_suffix("\" }").expect(pattern))
}
