//! What CloudWatch counts, as lines in embedded metric format ("Specification: Embedded metric format",
//! CloudWatch user guide).

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Keygate";

/// The metrics of a stack.
#[derive(Debug)]
pub(crate) struct Metrics {
    stack: String,
}

impl Metrics {
    /// Those of the stack of this name.
    pub(crate) fn of(stack: String) -> Self {
        Self { stack }
    }

    /// Writes the counts that are known.
    pub(crate) fn write(&self, counts: &[(&str, Option<usize>)]) {
        let milliseconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_millis());
        let line = self.line(counts, u64::try_from(milliseconds).unwrap_or_default());
        // Nobody could be told of an output that is gone.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    fn line(&self, counts: &[(&str, Option<usize>)], milliseconds: u64) -> Value {
        let known = counts
            .iter()
            .filter_map(|(name, count)| Some((name, (*count)?)));
        let metrics: Vec<Value> = known
            .clone()
            .map(|(name, _)| json!({"Name": name, "Unit": "Count"}))
            .collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": milliseconds,
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics,
                }],
            }),
        );
        line.insert("Stack".to_owned(), json!(self.stack));
        line.extend(known.map(|(name, count)| ((*name).to_owned(), json!(count))));
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_what_is_known_under_the_stack() {
        let metrics = Metrics::of("keygate-dev".to_owned());
        let line = metrics.line(
            &[("UpkeepFailures", Some(0)), ("KeysExpiring", None)],
            1_800,
        );
        let expected = json!({
            "_aws": {
                "Timestamp": 1800,
                "CloudWatchMetrics": [{
                    "Namespace": "Keygate", "Dimensions": [["Stack"]],
                    "Metrics": [{"Name": "UpkeepFailures", "Unit": "Count"}],
                }],
            },
            "Stack": "keygate-dev", "UpkeepFailures": 0,
        });
        assert_eq!(line, expected);
    }
}
