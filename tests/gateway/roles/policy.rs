//! Statements of a policy, evaluated as IAM does it ("Policy evaluation logic", IAM guide). What they hold
//! that this does not know fails the test, so that it is never passed over.

use serde_json::Value;

use super::right::Right;

/// A statement that allows something.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) conditions: Vec<Condition>,
}

/// One condition key of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    operator: String,
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

impl Statement {
    /// A statement whose references are resolved.
    pub(crate) fn read(statement: &Value) -> Self {
        let members = statement.as_object().expect("a statement is an object");
        for member in members.keys() {
            let is_known = ["Effect", "Action", "Resource", "Condition"].contains(&&**member);
            assert!(is_known, "{member} of a statement: {statement}");
        }
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let conditions = operators.flat_map(|(operator, keys)| {
            let keys = keys.as_object().expect("an operator has keys").iter();
            keys.map(|(key, values)| Condition {
                operator: operator.clone(),
                key: key.clone(),
                values: texts(values),
            })
        });
        Self {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            conditions: conditions.collect(),
        }
    }

    pub(crate) fn allows(&self, right: &Right) -> bool {
        let is_named = |patterns: &[String], text: &str| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| matches(pattern, text))
        };
        is_named(&self.actions, &right.action)
            && is_named(&self.resources, &right.resource)
            && self.conditions.iter().all(|one| one.holds(right))
    }
}

impl Condition {
    fn holds(&self, right: &Right) -> bool {
        let Some(actual) = right.context.get(&self.key) else {
            // Which IAM takes for true where an operator begins with ForAllValues: here a key that is never
            // there would make the condition one that says nothing.
            return false;
        };
        match &*self.operator {
            "StringEquals" | "StringLike" => {
                actual.len() == 1 && actual.iter().all(|value| self.has(value))
            }
            "ForAllValues:StringEquals" | "ForAllValues:StringLike" => {
                !actual.is_empty() && actual.iter().all(|value| self.has(value))
            }
            other => panic!("the operator {other} is not known here"),
        }
    }

    fn has(&self, actual: &str) -> bool {
        self.values.iter().any(|value| self.is_like(value, actual))
    }

    /// Whether this one of its values says what a request carries.
    pub(crate) fn is_like(&self, value: &str, actual: &str) -> bool {
        if self.operator.ends_with("Like") {
            matches(value, actual)
        } else {
            value == actual
        }
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().cloned();
    let list = list.unwrap_or_else(|| vec![value.clone()]);
    let texts = list.iter().map(|one| match one.as_str() {
        Some(text) => text.to_owned(),
        None => panic!("{one} is no text"),
    });
    texts.collect()
}

/// Whether a pattern with IAM's wildcards is true of a text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let mut letters = pattern.chars();
    let Some(first) = letters.next() else {
        return text.is_empty();
    };
    let rest = letters.as_str();
    if first == '*' {
        let mut ends = (0..=text.len()).filter_map(|start| text.get(start..));
        return ends.any(|end| matches(rest, end));
    }
    let mut letters = text.chars();
    let next = letters.next();
    next.is_some_and(|letter| first == '?' || first == letter) && matches(rest, letters.as_str())
}
