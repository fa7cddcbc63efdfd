//! The IAM policy that API Gateway evaluates, and caches for whatever route the caller asks next:
//! so it names every route of the stage that the caller's scopes open, not the one of this request
//! ("Output from an API Gateway Lambda authorizer", API Gateway guide).

mod arn;
mod merge;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use keygate_principal::scope::Scopes;
use keygate_routes::{ROUTES, Route};
use serde::Serialize;

pub(crate) use self::arn::MethodArn;

const VERSION: &str = "2012-10-17";
const ACTION: &str = "execute-api:Invoke";
/// The longest policy in bytes. API Gateway refuses longer ones ("Quotas for configuring and running
/// a REST API").
const MAX_BYTES: usize = 8 * 1024;
/// How many sets of open routes are kept merged. There are as many as there are combinations of
/// scopes that callers hold.
const MAX_KEPT: usize = 256;

/// The routes that a caller's scopes open take a longer policy than API Gateway reads. The route
/// table has grown too large for its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the policy of all open routes is longer than {MAX_BYTES} bytes")]
pub(crate) struct PolicyTooLarge;

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    version: &'static str,
    statement: [Statement; 1],
    #[serde(skip)]
    open_routes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: Effect,
    resource: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
    Deny,
}

impl Policy {
    /// How many routes are open.
    pub(crate) fn open_routes(&self) -> usize {
        self.open_routes
    }

    /// Whether it allows what an ARN asks for, as API Gateway would evaluate it.
    pub(crate) fn allows(&self, arn: &MethodArn) -> bool {
        let [statement] = &self.statement;
        let named = statement
            .resource
            .iter()
            .any(|pattern| merge::covers(pattern, arn.as_str()));
        named && statement.effect == Effect::Allow
    }
}

/// The route table as policies see it: which routes each set of scopes opens, merged once.
#[derive(Debug, Default)]
pub(crate) struct OpenRoutes {
    /// By which of the routes are open: the resources below the stage.
    merged: Mutex<HashMap<Vec<bool>, Arc<[String]>>>,
}

impl OpenRoutes {
    /// Allows every route that `scopes` open. When they open none, everything in the stage is
    /// denied: a statement without resources is no valid policy.
    ///
    /// Routes without a scope are not in it, because they have no authorizer.
    pub(crate) fn policy(
        &self,
        arn: &MethodArn,
        scopes: &Scopes,
    ) -> Result<Policy, PolicyTooLarge> {
        let is_open = |route: &Route| route.scope.is_some_and(|scope| scopes.contains(scope));
        let open: Vec<bool> = ROUTES.iter().map(is_open).collect();
        let open_routes = open.iter().filter(|open| **open).count();
        let (effect, resource) = if open_routes == 0 {
            (Effect::Deny, vec![arn.in_stage("*")])
        } else {
            let resources = self.resources(open);
            let resources = resources.iter().map(|resource| arn.in_stage(resource));
            (Effect::Allow, resources.collect())
        };
        let policy = Policy {
            version: VERSION,
            statement: [Statement {
                action: ACTION,
                effect,
                resource,
            }],
            open_routes,
        };
        let length = serde_json::to_string(&policy).map_or(usize::MAX, |json| json.len());
        if length > MAX_BYTES {
            return Err(PolicyTooLarge);
        }
        Ok(policy)
    }

    fn resources(&self, open: Vec<bool>) -> Arc<[String]> {
        // Each step leaves the map whole.
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resources) = merged.get(&open) {
            return Arc::clone(resources);
        }
        let resources: Arc<[String]> = merge::merged(&open).into();
        if merged.len() >= MAX_KEPT {
            merged.clear();
        }
        merged.insert(open, Arc::clone(&resources));
        resources
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev";

    fn arn() -> MethodArn {
        MethodArn::parse(&format!("{STAGE}/GET/items")).unwrap()
    }

    fn policy(scopes: &Scopes) -> Policy {
        OpenRoutes::default().policy(&arn(), scopes).unwrap()
    }

    fn allows(policy: &Policy, text: &str) -> bool {
        policy.allows(&MethodArn::parse(text).unwrap())
    }

    /// A method ARN that API Gateway would send for a request on `route`.
    fn request(route: &Route, parameter: &str) -> String {
        let path: Vec<_> = route.path[1..]
            .split('/')
            .map(|segment| {
                if segment.starts_with('{') {
                    parameter
                } else {
                    segment
                }
            })
            .collect();
        format!("{STAGE}/{}/{}", route.method, path.join("/"))
    }

    #[test]
    fn every_set_of_scopes_opens_the_routes_that_need_them_and_no_other() {
        let needed: BTreeSet<_> = ROUTES.iter().filter_map(|route| route.scope).collect();
        let needed: Vec<_> = needed.into_iter().collect();
        // Parameters that a caller may choose, among them such as look like parts of a path.
        let parameters = [
            "1",
            "rotate",
            "keys",
            "items",
            "a%2Frotate",
            "*",
            "GET",
            "1/rotate",
        ];
        for chosen in 0..1 << needed.len() {
            let held = (0..needed.len()).filter(|bit| chosen & (1 << bit) != 0);
            let scopes: Scopes = held.map(|bit| needed[bit].parse().unwrap()).collect();
            let policy = policy(&scopes);
            for route in &ROUTES {
                let Some(scope) = route.scope else { continue };
                for parameter in parameters {
                    let request = request(route, parameter);
                    assert_eq!(
                        allows(&policy, &request),
                        scopes.contains(scope),
                        "{request} with {scopes}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_policy_covers_every_open_route_whatever_route_asked() {
        let scopes = "items:read items:write".parse().unwrap();
        let expected = policy(&scopes);
        for path in [
            "GET/items",
            "DELETE/items/7",
            "POST/keys/1/rotate",
            "GET/",
            "GET",
        ] {
            let asked = MethodArn::parse(&format!("{STAGE}/{path}")).unwrap();
            assert_eq!(
                OpenRoutes::default().policy(&asked, &scopes),
                Ok(expected.clone())
            );
        }
    }

    #[test]
    fn no_policy_is_longer_than_api_gateway_reads() {
        let needed: BTreeSet<_> = ROUTES.iter().filter_map(|route| route.scope).collect();
        let needed: Vec<_> = needed.into_iter().collect();
        let stage = "s".repeat(128);
        let arn = format!(
            "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abcdefghij/{stage}/GET/"
        );
        let arn = MethodArn::parse(&arn).unwrap();
        let routes = OpenRoutes::default();
        for chosen in 0..1 << needed.len() {
            let held = (0..needed.len()).filter(|bit| chosen & (1 << bit) != 0);
            let scopes: Scopes = held.map(|bit| needed[bit].parse().unwrap()).collect();
            assert!(routes.policy(&arn, &scopes).is_ok(), "{scopes}");
        }
    }

    #[test]
    fn a_policy_that_is_too_long_is_a_fault() {
        let stage = "s".repeat(MAX_BYTES);
        let arn = MethodArn::parse(&format!("arn:aws:execute-api:a:1:b/{stage}/GET/")).unwrap();
        let scopes = "items:read".parse().unwrap();
        assert_eq!(
            OpenRoutes::default().policy(&arn, &scopes),
            Err(PolicyTooLarge)
        );
    }

    #[test]
    fn no_open_route_is_an_explicit_deny_on_the_stage() {
        for scopes in ["", "other:scope", "items", "items:read:more"] {
            let policy = policy(&scopes.parse().unwrap());
            let [statement] = &policy.statement;
            assert_eq!(statement.effect, Effect::Deny, "{scopes}");
            assert_eq!(statement.resource, [format!("{STAGE}/*")]);
            assert_eq!(policy.open_routes(), 0);
        }
    }
}
