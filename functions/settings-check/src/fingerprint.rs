//! A fingerprint of all that a version of a function is made of beside its code. The template writes it into
//! the descriptions of function and version, so that CloudFormation publishes a version where a parameter has
//! changed: SAM does not (aws/serverless-application-model, issue 1640), and the function's alias would go on
//! with the former settings.
//!
//! It is made of the properties as they came, not as they are read: a stack that goes back to properties
//! which are refused needs it too.

use std::collections::BTreeMap;

use keygate_api_key::sha256;
use serde_json::Value;

/// How many hexadecimal digits a fingerprint has.
const DIGITS: usize = 16;

/// The fingerprint of each function, by the attribute that `Fn::GetAtt` takes: `ErrorMapper` for
/// `error-mapper`, as an attribute's name is best of letters and digits alone.
pub(crate) fn fingerprints(properties: &Value) -> BTreeMap<String, String> {
    let versions = members(properties, "Versions");
    let every = members(properties, "EveryFunction");
    let functions = ["Functions", "Handlers"].map(|group| members(properties, group));
    let functions = functions.into_iter().flatten();
    functions
        .map(|(function, _)| {
            let own = ["Functions", "Handlers"].map(|group| members(&properties[group], function));
            let variables: BTreeMap<&str, &Value> = every
                .clone()
                .into_iter()
                .chain(own.into_iter().flatten())
                .collect();
            (attribute(function), fingerprint(&variables, &versions))
        })
        .collect()
}

/// The members of an object's member, in an order of their own.
fn members<'v>(of: &'v Value, name: &str) -> BTreeMap<&'v str, &'v Value> {
    let object = of.get(name).and_then(Value::as_object);
    let members = object.into_iter().flatten();
    members
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn fingerprint(variables: &BTreeMap<&str, &Value>, versions: &BTreeMap<&str, &Value>) -> String {
    let of = serde_json::json!([variables, versions]).to_string();
    let mut digits = sha256::hex(of.as_bytes());
    digits.truncate(DIGITS);
    digits
}

/// A package's name with capitals in place of hyphens.
fn attribute(function: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    function.split('-').map(capitalised).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn properties() -> Value {
        json!({
            "ServiceToken": "arn", "Code": "arn:1", "CheckIssuers": "true",
            "EveryFunction": {"LOG_LEVEL": "INFO", "ROUTES": "GET / -"},
            "Functions": {"authorizer": {"OAUTH_RULE": "", "LOG_LEVEL": "WARN"}, "error-mapper": {"A": "1"}},
            "Handlers": {"items": {"A": "1"}},
            "Versions": {"Tracing": "false"},
        })
    }

    /// The attributes whose fingerprint is another with other properties.
    fn changed(pointer: &str, value: &str) -> Vec<String> {
        let mut after = properties();
        *after.pointer_mut(pointer).unwrap() = json!(value);
        let (before, after) = (fingerprints(&properties()), fingerprints(&after));
        assert!(before.keys().eq(after.keys()));
        let differing = after
            .into_iter()
            .filter(|(name, print)| before[name] != *print);
        differing.map(|(name, _)| name).collect()
    }

    #[test]
    fn a_setting_of_one_function_changes_the_fingerprint_of_that_one() {
        assert_eq!(
            changed("/Functions/authorizer/OAUTH_RULE", "true"),
            ["Authorizer"]
        );
        assert_eq!(changed("/Functions/error-mapper/A", "2"), ["ErrorMapper"]);
        assert_eq!(changed("/Handlers/items/A", "2"), ["Items"]);
    }

    #[test]
    fn a_setting_of_all_functions_changes_those_that_have_no_other_value_of_their_own() {
        let all = ["Authorizer", "ErrorMapper", "Items"];
        assert_eq!(changed("/EveryFunction/ROUTES", ""), all);
        assert_eq!(changed("/EveryFunction/LOG_LEVEL", "DEBUG"), all[1..]);
        assert_eq!(changed("/Versions/Tracing", "true"), all);
    }

    #[test]
    fn what_is_no_part_of_a_version_changes_none() {
        for pointer in ["/Code", "/CheckIssuers", "/ServiceToken"] {
            assert_eq!(changed(pointer, "another"), [""; 0], "{pointer}");
        }
    }

    #[test]
    fn properties_that_would_be_refused_have_fingerprints_too() {
        let mut unknown = properties();
        unknown["Unknown"] = json!({});
        assert_eq!(fingerprints(&unknown), fingerprints(&properties()));
        assert_eq!(fingerprints(&json!({"Functions": {"keys": null}})).len(), 1);
        assert!(fingerprints(&json!(null)).is_empty());
    }
}
