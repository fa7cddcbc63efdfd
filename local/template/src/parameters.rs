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
    let is_of_store = rules.as_ref().is_some_and(|rules| rules.is_of_store);
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

/// What a parameter's value must satisfy.
struct Rules {
    is_number: bool,
    is_list: bool,
    /// Whether a value is looked up in SSM's store.
    is_of_store: bool,
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
            is_number: ["Number", "List<Number>"].contains(&kind.as_str()),
            is_list: kind == "CommaDelimitedList" || kind.contains("List<"),
            is_of_store: kind.starts_with(OF_STORE),
            is_secret,
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
        let said = if self.is_secret {
            "its value".to_owned()
        } else {
            format!("`{text}`")
        };
        if self.is_number {
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
        if self.is_list {
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
                unknown: Vec::new(),
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
        assert_eq!(configured(&parameters.configured, None).unknown, ["P"]);
        let problems = Problems::default();
        values(None, &parameters, &problems);
        assert_eq!(
            problems.into_list(),
            [],
            "SAM leaves out what a template does not know"
        );
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
            ("P: {Type: 'List<String>'}", "x", "not supported"),
            (
                "P: {Type: String, NoEcho: true, MinLength: 9}",
                "hunter2",
                "Parameters.P: its value is shorter than its MinLength",
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
    fn a_secret_is_in_no_message_whatever_is_wrong_with_it() {
        for rules in [
            "MinLength: 9",
            "MaxLength: 2",
            "AllowedPattern: a+",
            "AllowedPattern: a+, ConstraintDescription: only a",
            "AllowedValues: [a]",
        ] {
            let text = format!("P: {{Type: String, NoEcho: true, {rules}}}");
            let (_, problems) = read(&text, &[("P", "hunter2")]);
            assert_eq!(problems.len(), 1, "{rules}");
            assert!(!problems[0].contains("hunter2"), "{problems:?}");
        }
        for rules in ["", "MinValue: 9", "MaxValue: 2"] {
            let text = format!("P: {{Type: Number, NoEcho: 'true', {rules}}}");
            let (_, problems) = read(
                &text,
                &[("P", if rules.is_empty() { "x78" } else { "7.8" })],
            );
            assert!(!problems[0].contains('8'), "{problems:?}");
        }
    }

    #[test]
    fn a_list_of_texts_between_commas_is_a_list() {
        for kind in ["CommaDelimitedList", "List<AWS::EC2::Subnet::Id>"] {
            let text = format!("P: {{Type: '{kind}', Default: 'a, b'}}");
            let (values, problems) = read(&text, &[]);
            assert!(problems.is_empty(), "{problems:?}");
            let Value::List(items) = &values["P"] else {
                panic!("no list")
            };
            let texts: Vec<_> = items.iter().map(|item| item.as_text().unwrap()).collect();
            assert_eq!(texts, ["a", "b"]);
        }
    }

    #[test]
    fn a_parameter_of_awss_own_types_is_text_and_what_is_in_ssms_store_must_be_given() {
        let key = "P: {Type: 'AWS::EC2::KeyPair::KeyName', Default: mine}";
        let (values, problems) = read(key, &[]);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(matches!(&values["P"], Value::Text(text) if text == "mine"));
        for kind in ["String", "List<String>", "AWS::EC2::Image::Id"] {
            let text = format!("P: {{Type: 'AWS::SSM::Parameter::Value<{kind}>', Default: /x}}");
            let (_, problems) = read(&text, &[]);
            assert_eq!(
                problems,
                [
                    "line 1: Parameters.P: what SSM's store has for it is not on this machine: give it with \
                  --parameter P=Value"
                ]
            );
            let (values, problems) = read(&text, &[("P", "y")]);
            assert!(problems.is_empty(), "{problems:?}");
            match &values["P"] {
                Value::Text(text) => assert_eq!(text, "y"),
                Value::List(items) => assert_eq!(items[0].as_text(), Some("y")),
                other => panic!("{other:?}"),
            }
        }
    }
}
