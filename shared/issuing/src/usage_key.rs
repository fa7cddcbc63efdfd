//! A usage key, and the values that are made here.

use keygate_api_key::ApiKeyId;

/// What the `usageIdentifierKey` of Keygate's own begins with.
const VALUE_PREFIX: &str = "keygate-usage-";

/// A `usageIdentifierKey`: 26 characters, where API Gateway asks for 20 to 128. Values are unique in
/// an account and region.
pub(crate) fn value_of(id: &ApiKeyId) -> String {
    format!("{VALUE_PREFIX}{id}")
}

/// Whether a `usageIdentifierKey` is one that is made here for one holder, and none that a template
/// or a person has made, and several may share.
pub(crate) fn is_own_value(value: &str) -> bool {
    let id = value.strip_prefix(VALUE_PREFIX);
    id.is_some_and(|id| id.parse::<ApiKeyId>().is_ok())
}

/// A usage key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageKey {
    /// API Gateway's own id of it.
    pub(crate) id: String,
    /// The `usageIdentifierKey`.
    pub(crate) value: String,
}

#[cfg(test)]
mod tests {
    use keygate_api_key::ApiKey;

    use super::*;

    #[test]
    fn only_a_value_that_is_made_for_one_holder_is_its_own() {
        let own = value_of(ApiKey::generate().unwrap().id());
        assert!(is_own_value(&own));
        for value in [
            "keygate-usage-default-keygate-dev",
            "keygate-usage-unregistered-keygate-dev",
            "keygate-usage-",
            "0123456789ab",
        ] {
            assert!(!is_own_value(value), "{value}");
        }
    }
}
