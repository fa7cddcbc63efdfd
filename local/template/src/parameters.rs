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
        let sources = [&self.given, &self.offered, &self.configured.values];
        sources.into_iter().find_map(|values| values.get(name))
    }
}

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
    let configured = overrides.configured.values.keys();
    let configured =
        configured.map(|name| (name, format!("{} {name}", overrides.configured.place)));
    for (name, place) in given.chain(configured) {
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
            let value = Fields::of(entry.node.clone(), &place, problems)
                .and_then(|fields| value(&entry.name, fields, overrides.value(&entry.name)));
            (entry.name.clone(), value.unwrap_or(Value::Unknown))
        })
        .collect()
}

fn value(name: &str, mut fields: Fields<'_>, given: Option<&String>) -> Option<Value> {
    let rules = Rules::of(&mut fields);
    let default = if fields.has("Default") {
        fields.text("Default")
    } else if given.is_none() {
        fields.report(format!(
            "this parameter has no default: give it with --parameter {name}=Value"
        ));
        None
    } else {
        None
    };
    fields.no_meaning(&["Description", "NoEcho"]);
    let value = rules
        .zip(given.cloned().or(default))
        .and_then(|(rules, text)| {
            rules
                .check(&text)
                .inspect_err(|reason| fields.report(reason.clone()))
                .ok()
                .map(|()| rules.value(text, fields.line()))
        });
    fields.end();
    value
}

/// What a parameter's value must satisfy.
struct Rules {
    is_number: bool,
    is_list: bool,
    allowed: Vec<String>,
    pattern: Option<Regex>,
    /// `ConstraintDescription`, in place of the pattern's own text.
    description: Option<String>,
    numbers: (Option<f64>, Option<f64>),
    lengths: (Option<usize>, Option<usize>),
}

impl Rules {
    fn of(fields: &mut Fields<'_>) -> Option<Self> {
        let kinds = ["String", "Number", "CommaDelimitedList", "List<Number>"];
        if !fields.has("Type") {
            fields.report("Type is required");
        }
        let kind = fields.only("Type", &kinds);
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
            is_number: kind.contains("Number"),
            is_list: kind.contains("List"),
            allowed,
            pattern: pattern?,
            description,
            numbers,
            lengths,
        })
    }

    fn check(&self, text: &str) -> Result<(), String> {
        if !self.is_list {
            return self.check_one(text);
        }
        text.split(',')
            .try_for_each(|item| self.check_one(item.trim()))
    }

    fn check_one(&self, text: &str) -> Result<(), String> {
        if self.is_number {
            let number: f64 = text
                .parse()
                .map_err(|_| format!("`{text}` is not a number"))?;
            if self.numbers.0.is_some_and(|least| number < least) {
                return Err(format!("`{text}` is less than its MinValue"));
            }
            if self.numbers.1.is_some_and(|most| number > most) {
                return Err(format!("`{text}` is more than its MaxValue"));
            }
        }
        let length = text.chars().count();
        if self.lengths.0.is_some_and(|least| length < least) {
            return Err(format!("`{text}` is shorter than its MinLength"));
        }
        if self.lengths.1.is_some_and(|most| length > most) {
            return Err(format!("`{text}` is longer than its MaxLength"));
        }
        if !self.allowed.is_empty() && !self.allowed.iter().any(|value| value == text) {
            return Err(format!("`{text}` is none of {}", self.allowed.join(", ")));
        }
        match &self.pattern {
            Some(pattern) if !pattern.is_match(text) => Err(match &self.description {
                Some(description) => format!("`{text}` is not valid: {description}"),
                None => format!("`{text}` does not match its AllowedPattern"),
            }),
            _ => Ok(()),
        }
    }

    fn value(&self, text: String, line: usize) -> Value {
        if self.is_list {
            let items = text.split(',').map(|item| Node::text(line, item.trim()));
            Value::List(items.collect())
        } else {
            Value::Text(text)
        }
    }
}

/// An expression that must match a whole value, as CloudFormation and API Gateway match.
///
/// # Errors
/// What is no expression for the `regex` crate, such as one with look-around.
pub(super) fn whole(expression: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!(r"\A(?:{expression})\z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn read(text: &str, given: &[(&str, &str)]) -> (BTreeMap<String, Value>, Vec<String>) {
        let parameters = Parameters {
            given: given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            offered: [("Offered".to_owned(), "z".to_owned())].into(),
            ..Parameters::default()
        };
        let problems = Problems::default();
        let values = values(Some(&parse(text).unwrap()), &parameters, &problems);
        let problems = problems.into_list();
        (values, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_override_wins_over_the_default() {
        let text = "A: {Type: String, Default: x}\nB: {Type: String, Default: ''}";
        let (values, problems) = read(text, &[("A", "y")]);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(matches!(&values["A"], Value::Text(text) if text == "y"));
        assert!(matches!(&values["B"], Value::Text(text) if text.is_empty()));
    }

    #[test]
    fn what_this_machine_offers_is_taken_where_the_template_has_it_and_nobody_says_otherwise() {
        let value = |text: &str, given: &[(&str, &str)]| {
            let (values, problems) = read(text, given);
            assert!(problems.is_empty(), "{problems:?}");
            match &values["Offered"] {
                Value::Text(text) => text.clone(),
                other => panic!("{other:?}"),
            }
        };
        let text = "Offered: {Type: String, Default: x}";
        assert_eq!(value(text, &[]), "z");
        assert_eq!(value(text, &[("Offered", "y")]), "y");
        // A template without it is served all the same.
        let (_, problems) = read("A: {Type: String, Default: x}", &[]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn the_callers_value_goes_before_this_machines_and_that_before_the_files() {
        let one = |value: &str| BTreeMap::from([("P".to_owned(), value.to_owned())]);
        let mut parameters = Parameters {
            given: one("given"),
            offered: one("offered"),
            configured: Configured {
                place: "samconfig.toml [default.deploy.parameters]".to_owned(),
                values: one("configured"),
            },
            config_env: None,
        };
        let value = |parameters: &Parameters| {
            let declared = parse("P: {Type: String, Default: own}").unwrap();
            let values = values(Some(&declared), parameters, &Problems::default());
            match &values["P"] {
                Value::Text(text) => text.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(value(&parameters), "given");
        parameters.given.clear();
        assert_eq!(value(&parameters), "offered");
        parameters.offered.clear();
        assert_eq!(value(&parameters), "configured");
        let problems = Problems::default();
        values(None, &parameters, &problems);
        let problem = problems.into_list().remove(0).to_string();
        assert!(problem.starts_with("samconfig.toml [default.deploy.parameters] P: "));
    }

    #[test]
    fn a_parameter_without_a_value_is_named_with_the_flag_that_gives_it() {
        let (values, problems) = read("OAuthIssuer:\n  Type: String", &[]);
        assert!(matches!(values["OAuthIssuer"], Value::Unknown));
        assert_eq!(
            problems,
            [
                "line 2: Parameters.OAuthIssuer: this parameter has no default: give it with \
              --parameter OAuthIssuer=Value"
            ]
        );
    }

    #[test]
    fn an_override_of_a_parameter_that_is_not_there_is_an_error() {
        let (_, problems) = read("Stage: {Type: String, Default: x}", &[("Stag", "y")]);
        assert_eq!(
            problems,
            ["--parameter Stag: the template has no such parameter; it has Stage"]
        );
    }

    #[test]
    fn values_outside_their_rules_are_refused() {
        let cases = [
            (
                "P: {Type: String, AllowedValues: [DAY, WEEK]}",
                "YEAR",
                "none of DAY, WEEK",
            ),
            (
                "P: {Type: String, AllowedPattern: 'a+'}",
                "baa",
                "AllowedPattern",
            ),
            (
                "P: {Type: String, AllowedPattern: 'a', ConstraintDescription: only a}",
                "b",
                "only a",
            ),
            ("P: {Type: Number}", "ten", "not a number"),
            ("P: {Type: Number, MinValue: 1}", "0.5", "MinValue"),
            ("P: {Type: Number, MaxValue: 3600}", "3601", "MaxValue"),
            ("P: {Type: String, MinLength: 1}", "", "MinLength"),
            ("P: {Type: String, MaxLength: 2}", "abc", "MaxLength"),
            (
                "P: {Type: CommaDelimitedList, AllowedValues: [a]}",
                "a, b",
                "`b` is none of",
            ),
            (
                "P: {Type: 'AWS::SSM::Parameter::Value<String>'}",
                "x",
                "not supported",
            ),
            (
                "P: {Type: String, AllowedPattern: '(?=a)'}",
                "x",
                "look-around",
            ),
        ];
        for (text, given, expected) in cases {
            let (_, problems) = read(text, &[("P", given)]);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(expected), "{text}: {problems:?}");
        }
    }

    #[test]
    fn a_comma_delimited_list_is_a_list() {
        let (values, problems) = read("P: {Type: CommaDelimitedList, Default: 'a, b'}", &[]);
        assert!(problems.is_empty(), "{problems:?}");
        let Value::List(items) = &values["P"] else {
            panic!("no list")
        };
        let texts: Vec<_> = items.iter().map(|item| item.as_text().unwrap()).collect();
        assert_eq!(texts, ["a", "b"]);
    }
}
