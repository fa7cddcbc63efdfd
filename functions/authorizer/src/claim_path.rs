//! Where among a token's claims something stands.

use std::fmt;
use std::str::FromStr;

use keygate_json::Object;
use serde_json::Value;

/// The longest path, in bytes.
const MAX_BYTES: usize = 256;

/// A claim's name, or names with dots between them that lead from a claim to a member within it:
/// `permissions`, `realm_access.roles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimPath(String);

/// A text that names no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a claim's name has 1 to {MAX_BYTES} bytes and no control characters")]
pub(crate) struct MalformedPath;

/// The path goes on behind a member that is no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoObject;

impl ClaimPath {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the path leads to. Names may have dots themselves, as `https://example.com/roles` has:
    /// a member whose name is the whole path is meant, or else the one whose name is the longest
    /// beginning of it, and within that one the rest of the path in the same way.
    pub(crate) fn find<'c>(&self, claims: &'c Object) -> Result<Option<&'c Value>, NoObject> {
        let (mut within, mut path) = (claims, self.as_str());
        loop {
            if let Some(value) = within.get(path) {
                return Ok(Some(value));
            }
            let mut dots = path.rmatch_indices('.');
            let beginning = dots.find_map(|(dot, _)| {
                let value = within.get(path.get(..dot)?)?;
                Some((value, path.get(dot + 1..)?))
            });
            match beginning {
                Some((Value::Object(object), rest)) => (within, path) = (object, rest),
                Some(_) => return Err(NoObject),
                None => return Ok(None),
            }
        }
    }
}

impl FromStr for ClaimPath {
    type Err = MalformedPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=MAX_BYTES).contains(&text.len()) && !text.contains(char::is_control);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedPath)
        }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Several paths as a person reads them.
pub(crate) fn listed(paths: &[ClaimPath], between: &str) -> String {
    let paths: Vec<&str> = paths.iter().map(ClaimPath::as_str).collect();
    paths.join(between)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str, claims: &Value) -> Result<Option<Value>, NoObject> {
        let path: ClaimPath = path.parse().unwrap();
        Ok(path.find(claims.as_object().unwrap())?.cloned())
    }

    #[test]
    fn a_path_leads_through_objects() {
        let claims = json!({
            "realm_access": {"roles": ["a"]},
            "resource_access": {"my.app": {"roles": ["b"]}, "my": {"app": {"roles": ["c"]}}},
        });
        assert_eq!(find("realm_access.roles", &claims), Ok(Some(json!(["a"]))));
        // The longest name that there is, as everywhere.
        let path = "resource_access.my.app.roles";
        assert_eq!(find(path, &claims), Ok(Some(json!(["b"]))));
        for absent in ["roles", "realm_access.groups", "realm_access.roles.x"] {
            let found = find(absent, &claims);
            assert!(matches!(found, Ok(None) | Err(NoObject)), "{absent}");
        }
    }

    #[test]
    fn a_member_whose_name_is_the_whole_path_is_meant_before_all_else() {
        let claims = json!({
            "cognito:groups": 1,
            "https://example.com/roles": 2,
            "https://example": {"com/roles": 3},
            "a.b": 4,
            "a": {"b": 5, "c": 6},
            "a.b.c": {"d": 7},
        });
        for (path, value) in [
            ("cognito:groups", 1),
            ("https://example.com/roles", 2),
            ("a.b", 4),
            ("a.c", 6),
            ("a.b.c.d", 7),
        ] {
            assert_eq!(find(path, &claims), Ok(Some(json!(value))), "{path}");
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for value in [json!("text"), json!(["roles"]), json!(null), json!(1)] {
            let claims = json!({ "realm_access": value });
            assert_eq!(find("realm_access.roles", &claims), Err(NoObject));
        }
    }

    #[test]
    fn odd_dots_are_names_like_any_other() {
        let claims = json!({"": {"": 1, "a": 2}, "a": {"": 3}});
        for (path, value) in [(".", 1), (".a", 2), ("a.", 3)] {
            assert_eq!(find(path, &claims), Ok(Some(json!(value))), "{path:?}");
        }
        assert_eq!(find("...", &json!({"a": 1})), Ok(None));
    }

    #[test]
    fn a_path_is_no_text_of_any_length_and_on_one_line() {
        for text in ["", "a\nb", "a\u{0}", &"a".repeat(MAX_BYTES + 1)] {
            assert_eq!(text.parse::<ClaimPath>(), Err(MalformedPath), "{text:?}");
        }
    }
}
