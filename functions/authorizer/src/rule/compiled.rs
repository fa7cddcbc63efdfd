//! A compiled rule, and its evaluation.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::extractors::This;
use cel::{Context, Env, ExecutionError, Value};
use regex_lite::Regex;

use keygate_json::Object;

/// The variables of a rule.
pub(super) const VARIABLES: [&str; 2] = ["header", "claims"];

/// The patterns of a rule's `matches`, by their text.
pub(super) type Patterns = BTreeMap<String, Regex>;

/// Why a rule does not let a token through. No claim's value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleRefusal {
    #[error("the rule is not true for this token")]
    NotTrue,
    #[error("the rule cannot be evaluated for this token: {0}")]
    Error(String),
}

impl RuleRefusal {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotTrue => "rule-not-true",
            Self::Error(_) => "rule-error",
        }
    }
}

/// A compiled rule.
pub(crate) struct Rule {
    pub(super) source: String,
    pub(super) expression: IdedExpr,
    pub(super) environment: Arc<Env>,
    pub(super) patterns: Arc<Patterns>,
}

impl Rule {
    /// The rule as it was written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Holds a token to the rule.
    pub(crate) fn check(&self, header: &Object, claims: &Object) -> Result<(), RuleRefusal> {
        let mut context = context(&self.environment, &self.patterns);
        for (name, value) in VARIABLES.into_iter().zip([header, claims]) {
            let added = context.add_variable(name, value);
            added.map_err(|_| RuleRefusal::Error(format!("{name} is no CEL value")))?;
        }
        match context.resolve(&self.expression) {
            Ok(Value::Bool(true)) => Ok(()),
            Ok(Value::Bool(false)) => Err(RuleRefusal::NotTrue),
            Ok(_) => Err(RuleRefusal::Error("it gives no true or false".to_owned())),
            Err(error) => Err(RuleRefusal::Error(self.explained(&error))),
        }
    }

    /// What went wrong, in words that hold nothing of the token's.
    fn explained(&self, error: &ExecutionError) -> String {
        match error {
            // A key that the rule computes from a claim is not in the rule's text.
            ExecutionError::NoSuchKey(key) if self.source.contains(key.as_str()) => {
                format!("there is no {key}")
            }
            ExecutionError::NoSuchKey(_) => "there is no such key".to_owned(),
            // Names a function or an operator and the types that it was given.
            ExecutionError::NoSuchOverload(overload) => overload.to_string(),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                "a division by zero".to_owned()
            }
            ExecutionError::Overflow(..) => "a number is too large".to_owned(),
            ExecutionError::IndexOutOfBounds(_) => "an index is out of bounds".to_owned(),
            _ => "a value does not have the type that is needed".to_owned(),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rule({:?})", self.source)
    }
}

/// What a rule is evaluated in, without its variables.
pub(super) fn context<'v>(
    environment: &Arc<Env>,
    patterns: &Arc<Patterns>,
) -> Context<'static, 'v> {
    let mut context = Context::with_env(Arc::clone(environment));
    let patterns = Arc::clone(patterns);
    let matches = move |This(text): This<Arc<String>>, pattern: Arc<String>| {
        patterns
            .get(pattern.as_str())
            .is_some_and(|pattern| pattern.is_match(&text))
    };
    // Refused only where the environment has the function already, which ours has not: it comes
    // with a larger regular expression library.
    let _ = context.add_function("matches", matches);
    context
}
