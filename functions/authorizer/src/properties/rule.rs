//! Of a rule, and of the claims that it is held to.

use keygate_json::Object;
use serde_json::{Value, json};

use super::TELLING;
use crate::rule::compiled::Rule;

/// How deep claims may nest, as in a token.
const MAX_DEPTH: usize = 16;

/// A rule that cannot be compiled says where, and one that is evaluated gives one verdict, without a
/// word of the token in it.
pub fn rule(source: &str, claims: &[u8]) {
    let rule = match Rule::compile(source) {
        Ok(rule) => rule,
        Err(malformed) => {
            let line = source.split('\n').nth(malformed.line.wrapping_sub(1));
            let last = line.map(|line| line.chars().count() + 1);
            let is_there = last.is_some_and(|last| (1..=last).contains(&malformed.column));
            assert!(is_there, "{malformed}");
            assert!(!malformed.reason.is_empty());
            return;
        }
    };
    let header = json!({"alg": "RS256", "kid": "1", "typ": "JWT"});
    let header = header.as_object().unwrap();
    let claims = keygate_json::object(claims, MAX_DEPTH).unwrap_or_default();
    let verdict = rule.check(header, &claims);
    assert_eq!(verdict, rule.check(header, &claims));
    if let Err(refusal) = verdict {
        let said = refusal.to_string();
        for text in texts(&claims).filter(|text| is_telling(text)) {
            assert!(source.contains(text) || !said.contains(text), "{said}");
        }
    }
}

/// Whether nobody but the token says this. Words alone might be our own, as a fuzzer finds out.
fn is_telling(text: &str) -> bool {
    text.len() >= TELLING && text.contains(|one: char| one.is_ascii_digit() || !one.is_ascii())
}

/// The texts of claims, two levels deep.
fn texts(claims: &Object) -> impl Iterator<Item = &str> {
    let values = claims.values().flat_map(|value| match value {
        Value::Array(values) => values.iter().collect(),
        Value::Object(members) => members.values().collect(),
        other => vec![other],
    });
    let names = claims.keys().map(String::as_str);
    values.filter_map(Value::as_str).chain(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_of_rules_that_are_true_false_wrong_and_malformed() {
        let claims = br#"{"tenant":"a tenant whose 7 words are telling","groups":["a","b"]}"#;
        for source in [
            "",
            "true",
            "claims.tenant == 'b'",
            "claims[claims.tenant] == 1",
            "claims.groups.exists(g, g == 'a')",
            "claims.groups.exists(g, g.matches('^[a'))",
            "header.alg == 'RS256' &&\n  clams.tenant == 'a'",
            "claims.tenant +",
            "\u{e9}",
            "1",
        ] {
            rule(source, claims);
            rule(source, b"no claims");
        }
    }
}
