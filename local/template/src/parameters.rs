//! `Parameters`: a value for each, from the command line or its default, checked as
//! CloudFormation checks it (user guide, "Parameters").

use std::collections::BTreeMap;

use keygate_model::Configured;
use regex::Regex;

use super::fields::Fields;
use super::problems::Problems;
use super::references::is_reference;
use super::yaml::{Node, Value};

/// Values that are not the template's own.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// What the caller says: an unknown name is a problem.
    pub given: BTreeMap<String, String>,
    /// What this machine says where the template has such a parameter.
    pub offered: BTreeMap<String, String>,
    /// What `samconfig.toml` says: of the deployment, so this machine's own goes before it.
    pub configured: Configured,
    /// The environment of `samconfig.toml` that the caller names.
    pub config_env: Option<String>,
}

impl Parameters {
    fn value(&self, name: &str) -> Option<&String> {
        let deployed = || self.configured.values.get(name);
        self.of_here(name).or_else(deployed)
    }

    /// A value that is none of the deployment's.
    fn of_here(&self, name: &str) -> Option<&String> {
        let sources = [&self.given, &self.offered];
        sources.into_iter().find_map(|values| values.get(name))
    }
}

/// What `samconfig.toml` gives, with the names that the template does not know: SAM leaves them out.
pub(super) fn configured(said: &Configured, declared: Option<&Node>) -> Configured {
    let is_unknown = |name: &&String| declared.is_none_or(|all| all.get(name).is_none());
    let unknown = said.values.keys().filter(is_unknown);
    Configured {
        unknown: unknown.cloned().collect(),
        ..said.clone()
    }
}

/// What the types begin with whose values are in SSM's store.
const OF_STORE: &str = "AWS::SSM::Parameter::Value<";

/// The value of every declared parameter; [`Value::Unknown`] where a problem was reported.
pub(super) fn values(
    declared: Option<&Node>,
    overrides: &Parameters,
    problems: &Problems,
) -> BTreeMap<String, Value> {
    let entries = declared.map_or(&[][..], Node::entries);
    let given = overrides.given.keys();
    let given = given.filter(|name| !is_reference(name));
    let given = given.map(|name| (name, format!("--parameter {name}")));
    for (name, place) in given {
        if !entries.iter().any(|entry| &entry.name == name) {
            let known: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
            let message = format!(
                "the template has no such parameter; it has {}",
                known.join(", ")
            );
            problems.report(0, &place, message);
        }
    }
    entries
        .iter()
        .map(|entry| {
            let place = format!("Parameters.{}", entry.name);
            let fields = Fields::of(entry.node.clone(), &place, problems);
            let value = fields.and_then(|fields| value(&entry.name, fields, overrides));
            (entry.name.clone(), value.unwrap_or(Value::Unknown))
        })
        .collect()
}

fn value(name: &str, mut fields: Fields<'_>, overrides: &Parameters) -> Option<Value> {
    let rules = Rules::of(&mut fields);
    let is_of_store = rules.as_ref().is_some_and(|rules| rules.kind.is_of_store);
    let default = fields.text("Default");
    // Of a value in SSM's store a template and a deployment know the name alone.
    let text = if is_of_store {
        overrides.of_here(name).cloned()
    } else {
        overrides.value(name).cloned().or(default)
    };
    if text.is_none() && rules.is_some() {
        fields.report(if is_of_store {
            format!("what SSM's store has for it is not on this machine: give it with --parameter {name}=Value")
        } else {
            format!("this parameter has no default: give it with --parameter {name}=Value")
        });
    }
    fields.no_meaning(&["Description"]);
    let value = rules.zip(text).and_then(|(rules, text)| {
        rules
            .check(&text)
            .inspect_err(|reason| fields.report(reason.clone()))
            .ok()
            .map(|()| rules.value(text, fields.line()))
    });
    fields.end();
    value
}

/// What the type of a parameter says.
struct Kind {
    is_number: bool,
    is_list: bool,
    /// Whether a value is looked up in SSM's store.
    is_of_store: bool,
}

/// What a parameter's value must satisfy.
struct Rules {
    kind: Kind,
    /// Whether a value is no text for a log (`NoEcho`).
    is_secret: bool,
    allowed: Vec<String>,
    pattern: Option<Regex>,
    /// `ConstraintDescription`, in place of the pattern's own text.
    description: Option<String>,
    numbers: (Option<f64>, Option<f64>),
    lengths: (Option<usize>, Option<usize>),
}

impl Rules {
    fn of(fields: &mut Fields<'_>) -> Option<Self> {
        if !fields.has("Type") {
            fields.report("Type is required");
        }
        let kind = if fields
            .peek("Type")
            .and_then(Node::as_text)
            .is_some_and(is_of_aws)
        {
            fields.text("Type")
        } else {
            let kinds = ["String", "Number", "CommaDelimitedList", "List<Number>"];
            fields.only("Type", &kinds)
        };
        let is_secret = fields.flag("NoEcho").unwrap_or(false);
        let pattern = match fields.text_at("AllowedPattern") {
            Some((text, line)) => match whole(&text) {
                Ok(pattern) => Some(Some(pattern)),
                Err(error) => {
                    fields.report_at(line, "AllowedPattern", error.to_string());
                    None
                }
            },
            None => Some(None),
        };
        let allowed = fields.scalars("AllowedValues");
        let description = fields.text("ConstraintDescription");
        let any = f64::NEG_INFINITY..=f64::INFINITY;
        let numbers = (
            fields.number("MinValue", &any),
            fields.number("MaxValue", &any),
        );
        let lengths = (
            fields.number("MinLength", &(0..=usize::MAX)),
            fields.number("MaxLength", &(0..=usize::MAX)),
        );
        let kind = kind?;
        Some(Self {
            kind: Kind {
                is_number: ["Number", "List<Number>"].contains(&kind.as_str()),
                is_list: kind == "CommaDelimitedList" || kind.contains("List<"),
                is_of_store: kind.starts_with(OF_STORE),
            },
            is_secret,
            allowed,
            pattern: pattern?,
            description,
            numbers,
            lengths,
        })
    }

    fn check(&self, text: &str) -> Result<(), String> {
        if !self.kind.is_list {
            return self.check_one(text);
        }
        text.split(',')
            .try_for_each(|item| self.check_one(item.trim()))
    }

    fn check_one(&self, text: &str) -> Result<(), String> {
        let said = if self.is_secret {
            "its value".to_owned()
        } else {
            format!("`{text}`")
        };
        if self.kind.is_number {
            let number: f64 = text
                .parse()
                .map_err(|_| format!("{said} is not a number"))?;
            if self.numbers.0.is_some_and(|least| number < least) {
                return Err(format!("{said} is less than its MinValue"));
            }
            if self.numbers.1.is_some_and(|most| number > most) {
                return Err(format!("{said} is more than its MaxValue"));
            }
        }
        let length = text.chars().count();
        if self.lengths.0.is_some_and(|least| length < least) {
            return Err(format!("{said} is shorter than its MinLength"));
        }
        if self.lengths.1.is_some_and(|most| length > most) {
            return Err(format!("{said} is longer than its MaxLength"));
        }
        if !self.allowed.is_empty() && !self.allowed.iter().any(|value| value == text) {
            return Err(format!("{said} is none of {}", self.allowed.join(", ")));
        }
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => Err(match &self.description {
                Some(description) => format!("{said} is not valid: {description}"),
                None => format!("{said} does not match its AllowedPattern"),
            }),
            _ => Ok(()),
        }
    }

    fn value(&self, text: String, line: usize) -> Value {
        if self.kind.is_list {
            let items = text.split(',').map(|item| Node::text(line, item.trim()));
            Value::List(items.collect())
        } else {
            Value::Text(text)
        }
    }
}

/// Whether a type of parameters is one of AWS's own, which CloudFormation holds against the account: here a
/// value is taken as it is.
fn is_of_aws(kind: &str) -> bool {
    let of_one = kind
        .strip_prefix("List<")
        .and_then(|kind| kind.strip_suffix('>'));
    of_one.unwrap_or(kind).starts_with("AWS::")
}

/// An expression that must match a whole value, as CloudFormation and API Gateway match.
///
/// # Errors
/// What is no expression for the `regex` crate, such as one with look-around.
pub(super) fn whole(expression: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{expression})\z"))
}

#[cfg(test)]
mod tests;
