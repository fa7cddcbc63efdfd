//! A policy as it goes over the wire, evaluated as API Gateway does, without the product's code.

use serde_json::Value;

/// The longest that API Gateway takes, in bytes.
pub const MAX_BYTES: usize = 8192;

/// Whether the policy lets its caller invoke a method ARN.
pub fn allows(policy: &Value, arn: &str) -> bool {
    let matching = |effect: &str| {
        let statements = policy["Statement"].as_array().expect("statements").iter();
        let mut resources = statements
            .filter(|statement| statement["Effect"] == effect)
            .flat_map(|statement| statement["Resource"].as_array().expect("resources"))
            .map(|resource| resource.as_str().expect("a resource is a text"));
        resources.any(|pattern| glob(pattern.as_bytes(), arn.as_bytes()))
    };
    matching("Allow") && !matching("Deny")
}

/// `*` is any run of characters: from the left, going back to the last star.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at) == Some(&text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((of_star, taken)) = star {
            star = Some((of_star, taken + 1));
            at = of_star + 1;
            seen = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}
