//! What opens a route, in words.

use keygate_model::KeySource;
use keygate_principal::scope::Scope;
use keygate_routes::Access;

use super::Row;

impl Row {
    /// The scopes of which one opens the route, or what else does.
    pub(crate) fn opens(&self, key_source: KeySource) -> String {
        let mut opens = match (&self.access, &self.route.authorizer) {
            (_, None) => "public".to_owned(),
            (Some(Access::AnyCredential), _) => "any accepted credential".to_owned(),
            (Some(Access::AnyOf(scopes)), _) => {
                let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
                scopes.join(" or ")
            }
            (Some(Access::Public), _) => "closed: table and event disagree".to_owned(),
            (None, Some(authorizer)) => format!("what {authorizer} allows"),
        };
        if self.asks_for_usage_key(key_source) {
            opens += ", with a usage key in x-api-key";
        }
        opens
    }

    /// Whether clients send a usage key of their own.
    pub(crate) fn asks_for_usage_key(&self, key_source: KeySource) -> bool {
        self.route.api_key_required && key_source == KeySource::Header
    }
}
