//! What a token opens, from wherever its issuer says so: `scope` (RFC 8693 section 4.2), `scp`,
//! `permissions`, `realm_access.roles` and what else a deployment names.

use std::fmt::Write as _;

use keygate_principal::scope::{Scope, Scopes};
use serde_json::Value;

use crate::claim_path::{ClaimPath, listed};
use crate::claims::{ClaimError, Claims};
use crate::watch::Line;

/// What `explain` calls them.
const NAME: &str = "scopes";

/// The scopes of all of the claims that the token has. A value that cannot be a scope, as a role's
/// name with a space in it cannot, is in no route table and could open nothing: it is left out.
pub(crate) fn read(claims: &Claims, paths: &[ClaimPath]) -> Result<Scopes, ClaimError> {
    let mut scopes = Vec::new();
    for path in paths {
        let values = values(claims, path)?.unwrap_or_default();
        scopes.extend(values.into_iter().filter_map(|value| value.parse().ok()));
    }
    Ok(scopes.into_iter().collect())
}

/// The values of one claim.
fn values<'c>(claims: &'c Claims, path: &ClaimPath) -> Result<Option<Vec<&'c str>>, ClaimError> {
    let Some(claim) = claims.at(path)? else {
        return Ok(None);
    };
    let values = match claim {
        // Several spaces count as one.
        Value::String(text) => Some(text.split(' ').filter(|word| !word.is_empty()).collect()),
        Value::Array(values) => values.iter().map(Value::as_str).collect(),
        // The names are the values, but those that are said not to hold.
        Value::Object(members) => {
            let holds = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
            let held = members.iter().filter(|(_, value)| holds(value));
            Some(held.map(|(name, _)| name.as_str()).collect())
        }
        _ => None,
    };
    match values {
        Some(values) => Ok(Some(values)),
        None => Err(ClaimError::malformed(path.as_str())),
    }
}

/// For who looks on: the scopes of each claim that the token has, and what was left out.
pub(crate) fn lines(claims: &Claims, paths: &[ClaimPath]) -> Vec<Line> {
    let lines: Vec<Line> = paths
        .iter()
        .filter_map(|path| Some(line(path, &values(claims, path).ok()??)))
        .collect();
    if lines.is_empty() {
        let none = format!("none: the token has no {}", listed(paths, " and no "));
        return vec![Line::new(NAME, none)];
    }
    lines
}

fn line(path: &ClaimPath, values: &[&str]) -> Line {
    let is_scope = |value: &&str| value.parse::<Scope>().is_ok();
    let (scopes, others): (Vec<&str>, Vec<&str>) = values.iter().partition(|value| is_scope(value));
    let mut found = format!("{} (from {path})", scopes.join(" "));
    if !others.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(found, "; no scope can be: {}", others.join(", "));
    }
    Line::new(NAME, found.trim_start())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        match value {
            Value::Object(object) => Claims::new(object),
            _ => panic!("claims are an object"),
        }
    }

    fn scopes(named: &[&str], value: Value) -> Result<String, ClaimError> {
        let paths: Vec<ClaimPath> = named.iter().map(|name| name.parse().unwrap()).collect();
        read(&claims(value), &paths).map(|scopes| scopes.to_string())
    }

    #[test]
    fn all_claims_that_are_named_and_there_count() {
        for (value, expected) in [
            (json!({"scope": "b a"}), "a b"),
            (json!({"scope": ["b", "a"]}), "a b"),
            (json!({"scp": "b a"}), "a b"),
            (json!({"scp": ["b", "a"]}), "a b"),
            (json!({"scope": "a", "scp": ["b"]}), "a b"),
            (json!({"scope": "  a   a "}), "a"),
            (json!({"roles": ["a"]}), ""),
            (json!({}), ""),
        ] {
            assert_eq!(scopes(&["scope", "scp"], value).unwrap(), expected);
        }
    }

    #[test]
    fn scopes_are_found_where_issuers_put_them() {
        for (named, value, expected) in [
            // Auth0, with its roles and permissions in access tokens.
            (
                "permissions",
                json!({"permissions": ["books:read", "books:write"]}),
                "books:read books:write",
            ),
            // Entra ID.
            ("roles", json!({"roles": ["Books.Read"]}), "Books.Read"),
            // Keycloak, of the realm and of one client.
            (
                "realm_access.roles",
                json!({"realm_access": {"roles": ["books:read"]}}),
                "books:read",
            ),
            (
                "resource_access.books-api.roles",
                json!({"resource_access": {"account": {"roles": ["a"]}, "books-api": {"roles": ["b"]}}}),
                "b",
            ),
            // Amazon Cognito.
            ("cognito:groups", json!({"cognito:groups": ["b"]}), "b"),
            // Zitadel: role, then organisation, then its domain.
            (
                "urn:zitadel:iam:org:project:roles",
                json!({"urn:zitadel:iam:org:project:roles": {
                    "books:read": {"1": "a.example"}, "reader": {"2": "b.example"},
                }}),
                "books:read reader",
            ),
            // A namespace of the deployment's own.
            (
                "https://example.com/roles",
                json!({"https://example.com/roles": "a b"}),
                "a b",
            ),
        ] {
            assert_eq!(scopes(&[named], value).unwrap(), expected, "{named}");
        }
    }

    #[test]
    fn what_cannot_be_a_scope_opens_nothing_and_costs_no_other() {
        for value in [
            json!([
                "Site Admin",
                "a",
                "\"b\"",
                "c\\d",
                "größe",
                "",
                "e\tf",
                "x".repeat(129)
            ]),
            json!({"Site Admin": {}, "a": {}, "größe": true}),
            json!("a \"b\" größe c\\d e\tf"),
        ] {
            let found = scopes(&["roles"], json!({ "roles": value }));
            assert_eq!(found.unwrap(), "a", "{value}");
        }
        // No part of a role's name is one.
        assert_eq!(scopes(&["roles"], json!({"roles": ["no a"]})).unwrap(), "");
    }

    #[test]
    fn a_name_that_is_said_not_to_hold_does_not() {
        let value = json!({"roles": {"a": true, "b": false, "c": null, "d": {}}});
        assert_eq!(scopes(&["roles"], value).unwrap(), "a d");
    }

    #[test]
    fn a_claim_of_another_type_is_refused_by_its_name() {
        for value in [
            json!(null),
            json!(1),
            json!(true),
            json!([1]),
            json!(["a", null]),
            json!([["a"]]),
            json!([{"a": 1}]),
        ] {
            let refused = scopes(&["scope", "x.roles"], json!({"x": {"roles": value}}));
            assert_eq!(refused, Err(ClaimError::malformed("x.roles")), "{value}");
        }
        let refused = scopes(&["x.roles"], json!({"x": "text"}));
        assert_eq!(refused, Err(ClaimError::malformed("x.roles")));
    }

    #[test]
    fn who_looks_on_sees_the_claim_that_a_scope_comes_from() {
        let paths = ["scope", "scp", "roles"].map(|name| name.parse().unwrap());
        let found = |value| -> Vec<String> {
            let lines = lines(&claims(value), &paths);
            lines.into_iter().map(|line| line.found).collect()
        };
        assert_eq!(
            found(json!({"scope": "b a", "roles": ["c", "Site Admin", ""]})),
            [
                "b a (from scope)",
                "c (from roles); no scope can be: Site Admin, "
            ]
        );
        assert_eq!(found(json!({"scope": ""})), ["(from scope)"]);
        assert_eq!(
            found(json!({})),
            ["none: the token has no scope and no scp and no roles"]
        );
    }
}
