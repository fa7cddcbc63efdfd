//! Why a request is refused, in words for whoever runs this gateway.

use std::collections::BTreeMap;

use keygate_model::{KeySource, Route};
use keygate_principal::scope::Scope;
use keygate_routes::Access;

use super::fault::Fault;
use super::policy::Verdict;
use super::usage_plan::Refusal;

/// Why a mock has no answer.
pub(super) const UNMAPPED: &str = "the mock has no request template for this content type";

/// What the route table says of the routes.
#[derive(Debug, Default)]
pub struct Listed {
    /// By method and path of the event.
    access: BTreeMap<(String, String), Option<Access>>,
    has_table: bool,
}

impl Listed {
    /// What the routes of a template need, as its table says; without a table nothing is known.
    pub fn of<'r>(
        rows: impl Iterator<Item = (&'r Route, Option<&'r Access>)>,
        has_table: bool,
    ) -> Self {
        let rows = rows.map(|(route, access)| (key(route), access.cloned()));
        Self {
            access: rows.collect(),
            has_table,
        }
    }

    /// Why the policy of a caller does not open a route.
    pub(super) fn denied(
        &self,
        route: &Route,
        caller: &BTreeMap<String, String>,
        verdict: Verdict,
    ) -> String {
        let held = match caller.get("scopes").map(String::as_str) {
            None | Some("") => "none",
            Some(scopes) => scopes,
        };
        let (method, path) = (&route.method, &route.path);
        let is_held = |scope: &Scope| held.split(' ').any(|held| held == scope.as_str());
        match self.access.get(&key(route)).cloned().flatten() {
            // Whoever has one of them is refused by something else.
            Some(Access::AnyOf(scopes)) if !scopes.iter().any(is_held) => {
                let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
                let needed = match scopes.as_slice() {
                    [one] => format!("the scope {one}"),
                    several => format!("one of the scopes {}", several.join(" ")),
                };
                format!("it needs {needed}; the caller has {held}")
            }
            None if self.has_table => {
                format!("{method} {path} is not in the route table, so it is closed")
            }
            _ if verdict == Verdict::ExplicitDeny => {
                format!("the authorizer's policy denies {method} {path}")
            }
            _ => format!("the authorizer's policy does not allow {method} {path}"),
        }
    }
}

fn key(route: &Route) -> (String, String) {
    (route.method.to_string(), route.path.to_string())
}

/// Why a path has no route, whatever its method.
pub(super) fn outside(stage: &str) -> String {
    format!("it is outside the stage: every path here begins with /{stage}")
}

/// Why a usage plan does not take a request; `has_key` says whether there was a key at all.
pub(super) fn uncounted(refusal: Refusal, source: KeySource, has_key: bool) -> &'static str {
    match (refusal, source, has_key) {
        (Refusal::UnknownKey, KeySource::Authorizer, false) => {
            "the route asks for a usage key, and the authorizer names none"
        }
        (Refusal::UnknownKey, KeySource::Authorizer, true) => {
            "the usage key that the authorizer names is on no plan of this stage, or disabled"
        }
        (Refusal::UnknownKey, KeySource::Header, false) => {
            "the route asks for a usage key, and there is no header x-api-key"
        }
        (Refusal::UnknownKey, KeySource::Header, true) => {
            "the usage key in the header x-api-key is on no plan of this stage, or disabled"
        }
        (Refusal::Throttled, ..) => "the rate and burst of the caller's usage plan are used up",
        (Refusal::QuotaExceeded, ..) => "the quota of the caller's usage plan is used up",
    }
}

/// Why a method takes no request of anybody for now.
pub(super) fn throttled(route: &Route) -> String {
    let (method, path) = (&route.method, &route.path);
    format!("the rate and burst that the stage has for {method} {path} are used up")
}

/// What request validation has found.
pub(super) fn invalid(fault: &Fault) -> String {
    let found = fault.validation.as_ref().unwrap_or(&fault.message);
    format!("request validation: {found}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_model::{Integration, Validation};

    fn denied(access: &str, scopes: &str, verdict: Verdict) -> String {
        let table: keygate_routes::RouteTable = format!("GET /books {access}").parse().unwrap();
        let route = Route {
            method: "GET".parse().unwrap(),
            path: "/books".parse().unwrap(),
            integration: Integration::Function("Fn".into()),
            authorizer: None,
            api_key_required: false,
            throttle: None,
            throttles: BTreeMap::new(),
            validation: Validation::default(),
            line: 0,
        };
        let row = table.routes().first().unwrap();
        let listed = Listed::of([(&route, Some(&row.access))].into_iter(), true);
        let caller = [("scopes".to_owned(), scopes.to_owned())].into();
        listed.denied(&route, &caller, verdict)
    }

    #[test]
    fn a_caller_without_the_scope_is_told_which_and_one_who_has_it_what_refused_instead() {
        for (held, verdict, expected) in [
            (
                "",
                Verdict::ImplicitDeny,
                "it needs one of the scopes a b; the caller has none",
            ),
            (
                "c ab",
                Verdict::ExplicitDeny,
                "it needs one of the scopes a b; the caller has c ab",
            ),
            (
                "c a",
                Verdict::ExplicitDeny,
                "the authorizer's policy denies GET /books",
            ),
            (
                "b",
                Verdict::ImplicitDeny,
                "the authorizer's policy does not allow GET /books",
            ),
        ] {
            assert_eq!(denied("a b", held, verdict), expected, "{held}");
        }
        let any = denied("*", "a", Verdict::ExplicitDeny);
        assert_eq!(any, "the authorizer's policy denies GET /books");
    }
}
