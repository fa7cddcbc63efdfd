//! What a page shows of the stage that is served, until a change of the template makes another.

use keygate_api_key::ApiKey;

/// The stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage {
    /// Its address, which the form sends requests to.
    pub(crate) url: String,
    pub(crate) routes: Vec<RouteShown>,
    /// Every scope of the route table.
    pub(crate) scopes: Vec<String>,
    /// The seeded one, where there is one.
    pub(crate) api_key: Option<ApiKey>,
    /// Whether clients send a usage key of their own (`ApiKeySourceType: HEADER`).
    pub(crate) takes_usage_keys: bool,
}

/// A route with who may call it.
#[derive(Debug, Clone)]
pub(crate) struct RouteShown {
    pub(crate) method: String,
    pub(crate) path: String,
    /// What opens it, in words.
    pub(crate) opens: String,
    pub(crate) is_public: bool,
    /// The function behind it; `None` where the gateway answers itself.
    pub(crate) function: Option<String>,
}
