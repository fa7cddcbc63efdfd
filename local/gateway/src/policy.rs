//! Policy evaluation: whether the authorizer's policy lets a caller invoke a method ARN.
//!
//! The IAM policy language's part that API Gateway's guide gives an authorizer ("Output from an API
//! Gateway Lambda authorizer"): an explicit Deny wins, then an Allow is needed.

use serde_json::Value;

/// A policy that was read whole.
#[derive(Debug)]
pub(super) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    allow: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

/// What a policy says about one method ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
}

/// The answer holds no policy that can be evaluated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the authorizer's policy is not usable: {0}")]
pub(super) struct UnusablePolicy(String);

impl Policy {
    /// Reads a `policyDocument`. What this evaluation does not know, such as `Condition`, makes the
    /// whole policy unusable: to pass over it could let through what it refuses.
    pub(super) fn read(document: &Value) -> Result<Self, UnusablePolicy> {
        let unusable = |what: &str| UnusablePolicy(what.to_owned());
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(unusable("it has no Statement")),
        };
        let statements = statements.into_iter().map(|statement| {
            let object = statement
                .as_object()
                .ok_or_else(|| unusable("a Statement is no object"))?;
            let known = ["Sid", "Effect", "Action", "Resource"];
            if let Some(unknown) = object.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(unusable(&format!("{unknown} is not supported")));
            }
            let allow = match object.get("Effect").and_then(Value::as_str) {
                Some("Allow") => true,
                Some("Deny") => false,
                _ => return Err(unusable("Effect is neither Allow nor Deny")),
            };
            Ok(Statement {
                allow,
                actions: texts(object.get("Action")).ok_or_else(|| unusable("Action"))?,
                resources: texts(object.get("Resource")).ok_or_else(|| unusable("Resource"))?,
            })
        });
        Ok(Self {
            statements: statements.collect::<Result<_, _>>()?,
        })
    }

    /// Evaluates the policy for one method ARN.
    pub(super) fn evaluate(&self, method_arn: &str) -> Verdict {
        let mut verdict = Verdict::ImplicitDeny;
        for statement in &self.statements {
            if !statement.covers(method_arn) {
                continue;
            }
            if !statement.allow {
                return Verdict::ExplicitDeny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }
}

impl Statement {
    fn covers(&self, method_arn: &str) -> bool {
        let invoke = self
            .actions
            .iter()
            .any(|action| glob(&action.to_ascii_lowercase(), "execute-api:invoke"));
        invoke
            && self
                .resources
                .iter()
                .any(|resource| glob(resource, method_arn))
    }
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

/// IAM's wildcards: `*` is any run of characters, slashes included, `?` is any one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[from] => {
                at += 1;
                from += 1;
            }
            // Give the last star one more character and try again.
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:local/dev/GET/books/7";

    fn verdict(statement: &Value) -> Verdict {
        let policy = Policy::read(&json!({"Version": "2012-10-17", "Statement": statement}));
        policy.unwrap().evaluate(ARN)
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource})
    }

    #[test]
    fn an_explicit_deny_wins_over_an_allow() {
        let allow = statement("Allow", "*");
        assert_eq!(verdict(&json!([allow.clone()])), Verdict::Allow);
        let deny = statement("Deny", "arn:aws:execute-api:*/dev/*");
        assert_eq!(verdict(&json!([allow, deny])), Verdict::ExplicitDeny);
        assert_eq!(verdict(&json!([])), Verdict::ImplicitDeny);
    }

    #[test]
    fn wildcards_are_those_of_iam() {
        for pattern in ["*", "*/GET/books/*", "*/GET/books/?", "arn:*:local/*/GET/*"] {
            assert_eq!(
                verdict(&statement("Allow", pattern)),
                Verdict::Allow,
                "{pattern}"
            );
        }
        for pattern in ["*/GET/books", "*/PUT/books/*", "?", "", "*/GET/books/7?"] {
            assert_eq!(
                verdict(&statement("Allow", pattern)),
                Verdict::ImplicitDeny,
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_never_an_allow() {
        let mut conditional = statement("Allow", "*");
        conditional["Condition"] = json!({"IpAddress": {}});
        for document in [
            json!({}),
            json!(null),
            json!({"Statement": [conditional]}),
            json!({"Statement": [{"Effect": "Allow", "NotResource": "*", "Action": "*"}]}),
            json!({"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]}),
        ] {
            assert!(Policy::read(&document).is_err(), "{document}");
        }
    }
}
