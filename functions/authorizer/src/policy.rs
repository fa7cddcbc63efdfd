//! The IAM policy that API Gateway evaluates, and caches for whatever route the caller asks next:
//! so it names every route of the stage that the caller's scopes open, not the one of this request
//! ("Output from an API Gateway Lambda authorizer", API Gateway guide).

use keygate::routes::{ROUTES, Route};
use keygate::scope::Scopes;
use serde::Serialize;

const VERSION: &str = "2012-10-17";
const ACTION: &str = "execute-api:Invoke";

/// The stage that a method ARN belongs to:
/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodArn {
    stage: String,
}

impl MethodArn {
    /// Reads `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`;
    /// `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        let mut parts = resource.splitn(4, '/');
        let (api, stage, method) = (parts.next()?, parts.next()?, parts.next()?);
        let fixed = arn == "arn" && partition.starts_with("aws") && service == "execute-api";
        let named = [partition, region, account, api, stage, method];
        if !fixed || !named.into_iter().all(is_plain) {
            return None;
        }
        let stage = text.len() - resource.len() + api.len() + 1 + stage.len();
        Some(Self {
            stage: text.get(..stage)?.to_owned(),
        })
    }

    /// The ARN of everything in the stage.
    fn whole_stage(&self) -> String {
        format!("{}/*", self.stage)
    }

    /// The ARN of one route. A `*` of IAM also takes slashes, so that `GET/items/*` would take
    /// `GET/items/1/parts` too: a test below holds that no route opens another one so.
    fn route(&self, route: &Route) -> String {
        let mut arn = format!("{}/{}", self.stage, route.method);
        for segment in route.path.trim_start_matches('/').split('/') {
            arn.push('/');
            arn.push_str(if segment.starts_with('{') {
                "*"
            } else {
                segment
            });
        }
        arn
    }
}

/// Whether a part of an ARN means itself and nothing more in a policy's resource, where `*` and `?`
/// are wildcards and `${` begins a variable.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'?' | b'{' | b'}');
    !part.is_empty() && part.bytes().all(plain)
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    version: &'static str,
    statement: [Statement; 1],
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
    /// Allows every route that `scopes` open. When they open none, everything in the stage is
    /// denied: a statement without resources is no valid policy.
    ///
    /// Routes without a scope are not in it, because they have no authorizer.
    pub(crate) fn for_scopes(arn: &MethodArn, scopes: &Scopes) -> Self {
        let is_open = |route: &&Route| route.scope.is_some_and(|scope| scopes.contains(scope));
        let open: Vec<_> = ROUTES
            .iter()
            .filter(is_open)
            .map(|route| arn.route(route))
            .collect();
        let (effect, resource) = if open.is_empty() {
            (Effect::Deny, vec![arn.whole_stage()])
        } else {
            (Effect::Allow, open)
        };
        Self {
            version: VERSION,
            statement: [Statement {
                action: ACTION,
                effect,
                resource,
            }],
        }
    }

    /// How many routes are open.
    pub(crate) fn open_routes(&self) -> usize {
        let [statement] = &self.statement;
        match statement.effect {
            Effect::Allow => statement.resource.len(),
            Effect::Deny => 0,
        }
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

    /// IAM's matching: `*` takes any characters, slashes included.
    fn matches(pattern: &str, text: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == text,
            Some((before, rest)) => text
                .strip_prefix(before)
                .is_some_and(|text| (0..=text.len()).any(|from| matches(rest, &text[from..]))),
        }
    }

    fn allows(policy: &Policy, text: &str) -> bool {
        let [statement] = &policy.statement;
        let named = statement
            .resource
            .iter()
            .any(|pattern| matches(pattern, text));
        named && statement.effect == Effect::Allow
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
            let policy = Policy::for_scopes(&arn(), &scopes);
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
        let asked: Vec<_> = [
            "GET/items",
            "DELETE/items/7",
            "POST/keys/1/rotate",
            "GET/",
            "GET",
        ]
        .iter()
        .map(|path| MethodArn::parse(&format!("{STAGE}/{path}")).unwrap())
        .collect();
        assert!(asked.iter().all(|asked| *asked == arn()));
    }

    #[test]
    fn no_open_route_is_an_explicit_deny_on_the_stage() {
        for scopes in ["", "other:scope", "items", "items:read:more"] {
            let policy = Policy::for_scopes(&arn(), &scopes.parse().unwrap());
            let [statement] = &policy.statement;
            assert_eq!(statement.effect, Effect::Deny, "{scopes}");
            assert_eq!(statement.resource, [format!("{STAGE}/*")]);
            assert_eq!(policy.open_routes(), 0);
        }
    }

    #[test]
    fn other_partitions_and_stages_keep_their_names() {
        for stage in [
            "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/v1",
            "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abc123/prod_2-a",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/test-invoke-stage",
            "arn:aws:execute-api:us-east-1:000000000000:local/dev",
        ] {
            let arn = MethodArn::parse(&format!("{stage}/GET/items/a:b/c")).unwrap();
            assert_eq!(arn.whole_stage(), format!("{stage}/*"));
        }
    }

    #[test]
    fn what_is_no_method_arn_is_refused() {
        for text in [
            "",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/dev",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123//GET/items",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/*/GET/items",
            "arn:aws:execute-api:eu-west-1:123456789012:*/dev/GET/items",
            "arn:aws:execute-api:eu-west-1:123456789012:abc123/${aws:x}/GET/items",
            "arn:aws:execute-api:*:123456789012:abc123/dev/GET/items",
            "arn:aws:execute-api::123456789012:abc123/dev/GET/items",
            "arn:aws:lambda:eu-west-1:123456789012:function:a/b/c",
            "arn:*:execute-api:eu-west-1:123456789012:abc123/dev/GET/items",
        ] {
            assert_eq!(MethodArn::parse(text), None, "{text}");
        }
    }
}
