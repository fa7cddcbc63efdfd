//! What functions count, in CloudWatch's embedded metric format: members of a log line, of which
//! CloudWatch Logs makes metrics without anybody asking it to ("Specification: Embedded metric format",
//! CloudWatch guide).
//!
//! The counts stand in the line that is written anyway, in the field `metrics` of its event, which
//! `keygate_settings::logging` knows. A dimension's value is one of the program's own words, `'static`:
//! each other one makes another metric, and is paid for.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use keygate_settings::logging::{Line, Threshold};
use keygate_settings::{SettingError, Settings};
use tracing::Level;

/// The metrics' namespace.
pub const NAMESPACE: &str = "Keygate";
/// The dimension that all of them have: the stack.
const STACK: &str = "Stack";

/// Who counts, and where it is written. Without a stack nothing is.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Option<Stack>);

#[derive(Debug, Clone)]
struct Stack {
    /// As a JSON string, in which nothing is invisible.
    name: Arc<str>,
    /// What the log takes.
    threshold: Threshold,
}

/// How often something happened.
#[derive(Debug, Clone, Copy)]
pub struct Count<'c> {
    /// Names and values behind that of the stack. Each is counted in with those before it: of `Decision`
    /// and `Reason` there are metrics by decision, and by decision and reason.
    pub dimensions: &'c [(&'static str, &'static str)],
    /// The metric's name.
    pub name: &'static str,
    /// 0 is not written.
    pub value: u64,
}

/// Counts as members of a line of JSON.
#[derive(Debug)]
pub struct Embedded<'c> {
    stack: &'c str,
    counts: &'c [Count<'c>],
}

impl Metrics {
    /// Reads `STACK_NAME`, without which nothing is counted, and what the log takes.
    ///
    /// # Errors
    /// When a setting is malformed.
    pub fn read(settings: &Settings) -> Result<Self, SettingError> {
        let Some(stack) = settings.optional("STACK_NAME")? else {
            return Ok(Self(None));
        };
        let name = serde_json::Value::from(stack).to_string();
        Ok(Self(Some(Stack {
            name: keygate_visible::json(&name).into(),
            threshold: Threshold::read(settings)?,
        })))
    }

    /// The counts for the field `metrics` of an event of this level. Where the log takes no such event,
    /// they are written at once on a line by themselves, at the level that the log does take, and are
    /// `None` here: what is counted does not depend on what is read.
    #[must_use]
    pub fn beside<'c>(&'c self, level: Level, counts: &'c [Count<'c>]) -> Option<Embedded<'c>> {
        let Stack { name, threshold } = self.0.as_ref()?;
        let embedded = Embedded {
            stack: name,
            counts,
        };
        if embedded.is_empty() {
            return None;
        }
        if threshold.lets_pass(level) {
            return Some(embedded);
        }
        if let Some(level) = threshold.level() {
            Line::at(level)
                .with_members(embedded)
                .write_to(io::stdout());
        }
        None
    }
}

impl Count<'_> {
    /// As the specification's `MetricDirective`.
    fn write_directive(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, r#"{{"Namespace":"{NAMESPACE}","Dimensions":["#)?;
        for length in self.dimensions.len().min(1)..=self.dimensions.len() {
            let separator = if length > 1 { "," } else { "" };
            write!(formatter, r#"{separator}["{STACK}""#)?;
            for (name, _) in self.dimensions.iter().take(length) {
                write!(formatter, r#","{name}""#)?;
            }
            formatter.write_str("]")?;
        }
        let name = self.name;
        write!(
            formatter,
            r#"],"Metrics":[{{"Name":"{name}","Unit":"Count"}}]}}"#
        )
    }
}

impl Embedded<'_> {
    fn counts(&self) -> impl Iterator<Item = &Count<'_>> {
        self.counts.iter().filter(|count| count.value > 0)
    }

    fn is_empty(&self) -> bool {
        self.counts().next().is_none()
    }
}

impl fmt::Display for Embedded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        write!(
            formatter,
            r#""_aws":{{"Timestamp":{now},"CloudWatchMetrics":["#
        )?;
        for (position, count) in self.counts().enumerate() {
            formatter.write_str(if position > 0 { "," } else { "" })?;
            count.write_directive(formatter)?;
        }
        write!(formatter, r#"]}},"{STACK}":{}"#, self.stack)?;
        for count in self.counts() {
            for (name, value) in count.dimensions {
                write!(formatter, r#","{name}":"{value}""#)?;
            }
            write!(formatter, r#","{}":{}"#, count.name, count.value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ALL: [Count; 4] = [
        Count {
            dimensions: &[("Decision", "allow"), ("Reason", "granted")],
            name: "Decisions",
            value: 1,
        },
        Count {
            dimensions: &[],
            name: "KeyCacheHits",
            value: 2,
        },
        NONE[0],
        NONE[1],
    ];
    const NONE: [Count; 2] = [
        Count {
            dimensions: &[],
            name: "KeyCacheMisses",
            value: 0,
        },
        Count {
            dimensions: &[("Outcome", "ok")],
            name: "KeySetFetches",
            value: 0,
        },
    ];

    fn metrics(settings: &[(&str, &str)]) -> Metrics {
        Metrics::read(&settings.iter().copied().collect()).unwrap()
    }

    #[test]
    fn a_line_names_each_metric_its_dimensions_and_their_values() {
        let metrics = metrics(&[("STACK_NAME", "door")]);
        let members = metrics.beside(Level::INFO, &ALL).unwrap().to_string();
        let mut line: Value = serde_json::from_str(&format!("{{{members}}}")).unwrap();
        let timestamp = line["_aws"]["Timestamp"].take().as_u64().unwrap();
        assert!(timestamp > 1_700_000_000_000, "{timestamp}");
        let expected = json!({
            "_aws": {
                "Timestamp": null,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Keygate",
                        "Dimensions": [["Stack", "Decision"], ["Stack", "Decision", "Reason"]],
                        "Metrics": [{"Name": "Decisions", "Unit": "Count"}],
                    },
                    {
                        "Namespace": "Keygate",
                        "Dimensions": [["Stack"]],
                        "Metrics": [{"Name": "KeyCacheHits", "Unit": "Count"}],
                    },
                ],
            },
            "Stack": "door", "Decision": "allow", "Reason": "granted", "Decisions": 1, "KeyCacheHits": 2,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn without_a_stack_or_anything_counted_a_line_has_no_metrics() {
        assert!(metrics(&[]).beside(Level::INFO, &ALL).is_none());
        let metrics = metrics(&[("STACK_NAME", "door")]);
        assert!(metrics.beside(Level::INFO, &NONE).is_none());
    }

    #[test]
    fn an_event_that_the_log_does_not_take_is_not_given_the_metrics() {
        let metrics = metrics(&[("STACK_NAME", "door"), ("LOG_LEVEL", "warn")]);
        assert!(metrics.beside(Level::INFO, &ALL).is_none());
        assert!(metrics.beside(Level::WARN, &ALL).is_some());
    }
}
