//! One policy, in the form in which it goes over the wire.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::arn::MethodArn;

const VERSION: &str = "2012-10-17";
const ACTION: &str = "execute-api:Invoke";
/// The longest policy in bytes. API Gateway refuses longer ones ("Quotas for configuring and running
/// a REST API").
pub const MAX_BYTES: usize = 8 * 1024;

/// A policy is longer than API Gateway reads, although the table's fits: the stage has a longer name
/// than was reckoned with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the policy of all open routes is longer than {MAX_BYTES} bytes: give the stage a shorter name"
)]
pub struct PolicyTooLarge;

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
    #[serde(skip)]
    open_routes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: Effect,
    resource: Vec<Resource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
    Deny,
}

/// A stage, and a pattern below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Resource {
    stage: Arc<str>,
    pattern: Arc<str>,
}

impl Policy {
    /// The policy of a caller to whom `open_routes` are open. When that are none, everything in the
    /// stage is denied: a statement without resources is no valid policy.
    pub(crate) fn new(
        arn: &MethodArn,
        open_routes: usize,
        allowed: impl Iterator<Item = Arc<str>>,
        denied: impl Iterator<Item = Arc<str>>,
    ) -> Result<Self, PolicyTooLarge> {
        let stage: Arc<str> = arn.stage().into();
        let in_stage = |pattern: Arc<str>| Resource {
            stage: Arc::clone(&stage),
            pattern,
        };
        let mut allowed: Vec<Resource> = allowed.map(in_stage).collect();
        let mut denied: Vec<Resource> = denied.map(in_stage).collect();
        if open_routes == 0 {
            allowed.clear();
            denied = vec![in_stage("*".into())];
        }
        let statement = |effect, resource| Statement {
            action: ACTION,
            effect,
            resource,
        };
        let statements = [
            statement(Effect::Allow, allowed),
            statement(Effect::Deny, denied),
        ];
        let policy = Self {
            version: VERSION,
            statement: statements
                .into_iter()
                .filter(|statement| !statement.resource.is_empty())
                .collect(),
            open_routes,
        };
        if policy.length() > MAX_BYTES {
            return Err(PolicyTooLarge);
        }
        Ok(policy)
    }

    /// How many routes are open.
    #[must_use]
    pub fn open_routes(&self) -> usize {
        self.open_routes
    }

    /// Whether it lets a caller invoke a method, as API Gateway evaluates it: an explicit Deny wins,
    /// and `*` is any run of characters.
    #[must_use]
    pub fn allows(&self, arn: &MethodArn) -> bool {
        let mut is_allowed = false;
        for statement in &self.statement {
            let mut resources = statement.resource.iter();
            if resources.any(|resource| glob(&resource.to_string(), arn.as_str())) {
                match statement.effect {
                    Effect::Deny => return false,
                    Effect::Allow => is_allowed = true,
                }
            }
        }
        is_allowed
    }

    /// What API Gateway counts: the bytes of the document.
    fn length(&self) -> usize {
        let resources = self
            .statement
            .iter()
            .flat_map(|statement| &statement.resource);
        overhead()
            + resources
                .map(|one| resource_length(one.stage.len(), one.pattern.len()))
                .sum::<usize>()
    }
}

/// IAM's matching, in the plainest way.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| text.get(at..).is_some_and(|text| glob(rest, text)))
        }),
    }
}

/// The bytes of a resource in a policy: quotes, comma and the slash behind the stage included.
pub(crate) fn resource_length(stage: usize, pattern: usize) -> usize {
    stage + pattern + r#""/","#.len()
}

/// The bytes of a policy besides its resources, at most.
pub(crate) fn overhead() -> usize {
    let statement = format!(r#"{{"Action":"{ACTION}","Effect":"Allow","Resource":[]}},"#);
    format!(r#"{{"Version":"{VERSION}","Statement":[]}}"#).len() + 2 * statement.len()
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.stage, self.pattern)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";

    /// Whether API Gateway would let a caller with this policy invoke a method ARN.
    pub(crate) fn allows(policy: &Value, arn: &str) -> bool {
        let effects: Vec<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| {
                let mut resources = statement["Resource"].as_array().unwrap().iter();
                resources.any(|resource| glob(resource.as_str().unwrap(), arn))
            })
            .map(|statement| statement["Effect"].as_str().unwrap())
            .collect();
        effects.contains(&"Allow") && !effects.contains(&"Deny")
    }

    fn policy(open: usize, allowed: &[&str], denied: &[&str]) -> Result<Policy, PolicyTooLarge> {
        let arn = MethodArn::parse(&format!("{STAGE}/GET/books")).unwrap();
        let patterns = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Arc::from(*text))
                .collect::<Vec<_>>()
        };
        let (allowed, denied) = (patterns(allowed), patterns(denied));
        Policy::new(&arn, open, allowed.into_iter(), denied.into_iter())
    }

    #[test]
    fn an_allow_comes_with_a_deny_of_what_its_stars_take_in_besides() {
        let policy = policy(1, &["GET/books/*"], &["GET/books/*/*"]).unwrap();
        assert_eq!(
            serde_json::to_value(&policy).unwrap(),
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": [format!("{STAGE}/GET/books/*")],
                }, {
                    "Action": "execute-api:Invoke",
                    "Effect": "Deny",
                    "Resource": [format!("{STAGE}/GET/books/*/*")],
                }],
            })
        );
        let text = serde_json::to_string(&policy).unwrap();
        assert!(
            (text.len()..text.len() + 10).contains(&policy.length()),
            "{text}"
        );
    }

    #[test]
    fn no_open_route_is_an_explicit_deny_on_the_stage() {
        let policy = serde_json::to_value(policy(0, &[], &["GET/x"]).unwrap()).unwrap();
        let statement = &policy["Statement"][0];
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
        assert_eq!(statement["Effect"], "Deny");
        assert_eq!(statement["Resource"], json!([format!("{STAGE}/*")]));
    }

    #[test]
    fn a_policy_that_is_too_long_is_refused() {
        let room = MAX_BYTES - policy(1, &[""], &[]).unwrap().length();
        let longest = policy(1, &[&"x".repeat(room)], &[]).unwrap();
        assert!(serde_json::to_string(&longest).unwrap().len() <= MAX_BYTES);
        let long = "x".repeat(room + 1);
        assert_eq!(policy(1, &[&long], &[]), Err(PolicyTooLarge));
    }
}
